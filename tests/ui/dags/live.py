"""The DAGs that the tests run, whose records come as the run asks for."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator


def moods(params: dict[str, Any]) -> list[dict[str, Any]]:
    """Return as many records as the run asks for, every tenth without a label."""
    return [
        {"user": {"userLabel": f"u{number}" if number % 10 else ""}, "data": {"score": number}}
        for number in range(params["count"])
    ]


with DAG("live", schedule=None, params={"count": 300}):
    ThymiaUploadOperator(
        task_id="upload", upload_type="mood", source=moods, max_in_flight=2, max_rejected=0.5, max_wait=600.0
    )
