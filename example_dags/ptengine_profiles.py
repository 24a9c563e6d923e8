"""A hundred users a request: a shop's customers from a CSV file to Ptengine.

Needs the connection `ptengine_default`: password is the project's API key.

Ptengine updates a user that it knows and creates one that it doesn't. Thirty customers stand in the file twice: their
later row is sent only when the earlier one has arrived, so that the last word wins. Four rows are bad on purpose.
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
        max_rejected=4,  # one more, and the task is red
    )
