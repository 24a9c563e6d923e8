"""DAGs of the tests that OpenLineage is told of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow.providers.common.compat.sdk import DAG
from airflow.providers.openlineage.utils.selective_enable import enable_lineage

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator

MARKER = "zaphod-7f3a"
ALLOWED = 2


def samples(params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give as many samples as the run asks for, and as many with a unit that there is not."""
    for number in range(params["count"] + params["faults"]):
        unit = "count" if number < params["count"] else MARKER
        yield {"device_name": MARKER, "start_date": "2024-05-01T08:00:00Z", "unit": unit, "value": number + 1}


with DAG("monitored", schedule=None) as dag:
    enable_lineage(GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples, max_rejected=ALLOWED))
