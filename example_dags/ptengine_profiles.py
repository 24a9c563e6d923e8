"""A hundred users per request: a shop's customers from a CSV file to Ptengine.

Needs the connection `ptengine_default`: password is the project's API key.

Ptengine updates a known user and creates a new one. Thirty customers occur twice in the file: the later row is sent
only after the earlier one has arrived, so that the later row wins. Four rows are invalid on purpose.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator

DATA = Path(__file__).parent / "data"

with DAG(
    "ptengine_profiles",
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["userdata"],
):
    PtengineProfilesOperator(
        task_id="upload_customers",
        source=str(DATA / "users.csv"),
        max_rejected=4,  # with one more, the task fails
    )
