"""Extract tasks feed all three vendors, each in a different way: as records, as a file, as one file per mapped task.

Needs the connections `thymia_default`, `gerosense_default` and `ptengine_default`.

The extract tasks read the data files in the folder `data`; yours would query a database or a data lake. They don't
check any record: the upload does, and reports what it rejects. A few records may be passed as an XCom. Write many to a
file, and pass its path: Airflow keeps XComs in its database.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import dag, task

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator

DATA = Path(__file__).parent / "data"
DEVICES = ["iPhone", "Apple Watch", "Pixel Watch"]


def extract_path(run_id: str | None, name: str) -> Path:
    """Return the path of a file of this run. With several workers, use a place that all share, such as a bucket."""
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()
    folder = home / "extracts" / str(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


@dag(schedule=None, default_args={"retries": 2, "retry_delay": timedelta(minutes=1)}, tags=["userdata"])
def daily_userdata() -> None:
    """Feed the three vendors from extract tasks."""

    @task(show_return_value_in_logs=False)  # otherwise Airflow logs the records
    def extract_moods() -> list[dict[str, Any]]:
        """Return flat records, like the rows of a query."""
        with (DATA / "moods.jsonl").open(encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        return [{"participant": record["user"].get("userLabel"), **record["data"]} for record in records]

    @task
    def extract_steps(device: str, *, run_id: str | None = None) -> str:
        """Write one device's samples to a file, and return its path."""
        path = extract_path(run_id, f"steps of {device}.jsonl")
        with (DATA / "steps.jsonl").open(encoding="utf-8") as file:
            path.write_text("".join(line for line in file if f'"device_name": "{device}"' in line), encoding="utf-8")
        return str(path)

    @task
    def extract_customers(*, run_id: str | None = None) -> str:
        """Write the customers to a file, and return its path."""
        path = extract_path(run_id, "customers.csv")
        path.write_bytes((DATA / "users.csv").read_bytes())
        return str(path)

    ThymiaUploadOperator(
        task_id="upload_moods",
        upload_type="mood",
        source=extract_moods(),
        user_label="participant",  # the other columns are the data
        max_rejected=3,
    )
    GerosenseSamplesOperator(
        task_id="upload_steps",
        data_type="steps",
        source=extract_steps.expand(device=DEVICES),  # one task per device, one upload of all their files
        max_rejected=7,
    )
    PtengineProfilesOperator(
        task_id="upload_customers",
        source=extract_customers(),
        # Maps attributes in Ptengine to columns of the file. Other columns are not sent.
        fields={"user_id": "user_id", "plan": "plan", "orders": "orders", "genre": "favourite_genre"},
        max_rejected=4,
    )


daily_userdata()
