"""A DAG that an upload starts: it adds up what arrived, and fails if a tenth or more did not.

Needs the connection `gerosense_default`: host is your API proxy, password is the bearer token.

The upload's task has an outlet asset, `userdata://<connection>/<kind>`. If it succeeds, Airflow's event of that asset
has the counts as its extra, and starts every DAG that is scheduled on the asset. Started by hand, this one has no
events.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, task

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator

DATA = Path(__file__).parent / "data"
STEPS = Asset("userdata://gerosense_default/steps")

with DAG(
    "steps_to_gerosense",
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["userdata"],
):
    GerosenseSamplesOperator(
        task_id="upload",
        data_type="steps",
        source=str(DATA / "steps.jsonl"),
        max_rejected=7,  # with one more, the task fails, and starts nothing
        outlets=[STEPS],
    )

with DAG("after_an_upload", schedule=[STEPS], tags=["userdata"]):

    @task
    def add_up(triggering_asset_events: Any = None) -> dict[str, int]:
        """Add up the counts of the uploads that started this run: there may be several since the last one."""
        extras = [event.extra for events in triggering_asset_events.values() for event in events]
        return {name: sum(extra[name] for extra in extras) for name in ("read", "delivered", "rejected")}

    @task
    def check(counts: Any) -> None:
        """Fail if too much was rejected, before anybody computes with what has arrived."""
        if counts["rejected"] * 10 >= counts["read"] > 0:
            raise ValueError(f"{counts['rejected']} of {counts['read']} samples were rejected")

    check(add_up())
