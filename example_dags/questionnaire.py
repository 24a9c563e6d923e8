"""A questionnaire's answers to Thymia: a data frame, as a study's analysis has it.

Needs the connection `thymia_default`: password is the API activation key. Reading a frame needs the extra `arrow`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import dag, task

DATA = Path(__file__).parent / "data"


@dag(schedule=None, default_args={"retries": 2, "retry_delay": timedelta(minutes=1)}, tags=["userdata"])
def questionnaire() -> None:
    """Upload a score for each participant."""

    @task.thymia_upload(upload_type="questionnaire", user_label="participant", max_rejected=1)
    def upload_scores() -> Any:
        """Return a frame with a row for each participant; its other columns are the data."""
        import pandas as pd  # here, so that parsing the DAG file doesn't wait for it

        answers = pd.read_csv(DATA / "questionnaire.csv", parse_dates=["answered_at"])
        questions = [name for name in answers.columns if name.startswith("q")]
        answers["total"] = answers[questions].sum(axis="columns")
        answers["complete"] = answers[questions].notna().all(axis="columns")
        return answers[["participant", "answered_at", "total", "complete", *questions]]

    upload_scores()


questionnaire()
