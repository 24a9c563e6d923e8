"""Thousands of samples: step counts from JSON Lines and heart rates from CSV to GeroSense.

Needs the connection `gerosense_default`: host is your API proxy, password is the bearer token.

Samples are sent in batches of 3 to 1,000. A few in each file are invalid on purpose, such as one that ends before it
starts, or one without a time zone. They are written to the rejects file that the task's report names; all others
arrive.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator

DATA = Path(__file__).parent / "data"

with DAG(
    "gerosense_samples",
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["userdata"],
):
    GerosenseSamplesOperator(
        task_id="upload_steps",
        data_type="steps",
        source=str(DATA / "steps.jsonl"),
        max_rejected=7,  # with one more, the task fails
    )
    GerosenseSamplesOperator(
        task_id="upload_heart_rates",
        data_type="bpm",
        source=str(DATA / "heart_rates.csv"),
        # Maps GeroSense's fields to the file's columns. Other columns are not sent.
        fields={
            "device_name": "watch",
            "device_version": "firmware",
            "start_date": "measured_at",
            "value": "rate",
            "unit": "unit",
        },
        max_rejected=0.01,  # a share: one record in a hundred
    )
