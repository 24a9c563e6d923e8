"""Records that were rejected are corrected by a function, and sent again: each once, however often this runs.

Needs the connection `ptengine_default`: password is the API token.

The first task uploads customers, of whom some have no plan that Ptengine takes. The second one reads the rejects of
that task's last run, and corrects them. It finds nothing if they were sent before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sources import RejectsSource

CUSTOMERS = [{"user_id": f"customer-{number}", "plan": "pro" if number % 4 else "x" * 200} for number in range(20)]


def shortened(customer: dict[str, Any]) -> dict[str, Any]:
    """Return a customer whose plan is short enough."""
    return {**customer, "plan": customer["plan"][:8]}


with DAG(
    "send_rejects_again",
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["userdata"],
) as dag:
    upload = PtengineProfilesOperator(task_id="upload", source=CUSTOMERS, max_rejected=5)
    again = PtengineProfilesOperator(
        task_id="send_again",
        source=RejectsSource(run=("send_rejects_again", "upload", "{{ run_id }}"), rules=["P4"], fix=shortened),
    )
    upload >> again
