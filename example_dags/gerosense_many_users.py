"""Step counts of many users, mixed in one file, to GeroSense's direct API.

Needs the connection `gerosense_direct`: login and password are those that GeroSense gave you, and the extra is
`{"api": "direct"}`. `userdata sandbox` prints one to try it with.

Each request has the samples of one user, who is registered before the first one. Two members have only one sample: a
request takes no fewer than 3, so these are held, and the task's next run sends them first, together with what these
members have then. Three samples are invalid on purpose; they are written to the rejects file that the task's report
names.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import dag

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.sources import Constant, Number

DATA = Path(__file__).parent / "data"


@dag(schedule=None, default_args={"retries": 2, "retry_delay": timedelta(minutes=1)}, tags=["userdata"])
def gerosense_many_users() -> None:
    """Upload each member's steps."""
    GerosenseSamplesOperator(
        task_id="upload_members_steps",
        gerosense_conn_id="gerosense_direct",
        data_type="steps",
        source=str(DATA / "members_steps.csv"),
        user_id="member",  # the column that says whose a sample is
        register={"biological_sex": "sex", "year_of_birth": "born"},  # leave it out if all users are registered
        calculate=True,  # ask for each user's biological age once the samples are delivered
        fields={
            "device_name": "watch",
            "start_date": "counted_at",
            "value": Number("steps"),
            "unit": Constant("count"),
        },
        max_rejected=3,
    )


gerosense_many_users()
