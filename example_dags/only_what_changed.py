"""Overlapping time windows: every night the samples of the last days to GeroSense, each sample once.

Needs the connection `gerosense_default`: host is your API proxy, password is the bearer token.

Sources may be late: a watch that was offline for two days sends its samples on the third. So each night's task reads
more than one day, and with `incremental=True` sends only what no run has delivered yet. The second task here represents
the next night: its window contains the same samples, and all of them are unchanged.
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
            ledger_stream="steps of {{ dag_run.run_id }}",  # a new name per run, so that the example can be repeated
            max_rejected=7,  # with one more, the task fails
        )
        for task_id in ("tonight", "tomorrow")
    )
    tonight >> tomorrow
