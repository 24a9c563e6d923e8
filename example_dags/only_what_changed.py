"""Overlapping windows: every night the last days' samples to GeroSense, each sample once.

Needs the connection `gerosense_default`: host is your API proxy, password the bearer token.

Sources deliver late: a watch that was offline for two days brings its samples on the third. So each night's task reads
more than a day, and with `incremental=True` sends only what no run has delivered yet. The second task here stands for
the next night's: its window holds the first one's, and all of it is unchanged.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator

DATA = Path(__file__).parent / "data"

with DAG(
    "only_what_changed",
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["userdata"],
):
    tonight, tomorrow = (
        GerosenseSamplesOperator(
            task_id=task_id,
            data_type="steps",
            source=str(DATA / "steps.jsonl"),
            incremental=True,
            ledger_stream="steps of {{ dag_run.run_id }}",  # of this run alone, so that the example can be run again
            max_rejected=7,  # one more, and the task is red
        )
        for task_id in ("tonight", "tomorrow")
    )
    tonight >> tomorrow
