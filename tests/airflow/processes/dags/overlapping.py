"""DAGs of the tests, each run of which reads its own day and the day before: daily, and all in the past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator

MARKER = "zaphod-7f3a"
A_DAY = 20

DAYS: dict[str, Any] = {
    "schedule": "@daily",
    "start_date": datetime(2024, 5, 1, tzinfo=UTC),
    "end_date": datetime(2024, 5, 4, tzinfo=UTC),
    "is_paused_upon_creation": True,
}
# One request at a time: where there are two at a time, two tasks send.
INCREMENTAL: dict[str, Any] = {
    "task_id": "upload",
    "incremental": True,
    "ledger_stream": "{{ dag.dag_id }}",
    "max_in_flight": 1,
}


def numbered(logical_date: datetime) -> Iterator[tuple[datetime, int]]:
    """Give the days and numbers of a run's records."""
    for day in (logical_date - timedelta(days=1), logical_date):
        for number in range(1, A_DAY + 1):
            yield day, number


def samples(logical_date: datetime) -> Iterator[dict[str, Any]]:
    """Give a run's samples."""
    for day, number in numbered(logical_date):
        yield {"device_name": MARKER, "start_date": day.isoformat(), "unit": "count", "value": number}


def moods(logical_date: datetime) -> Iterator[dict[str, Any]]:
    """Give a run's moods."""
    for day, number in numbered(logical_date):
        yield {"user": {"userLabel": f"u{number}"}, "data": {"day": day.isoformat(), "note": MARKER}}


with DAG("backfilled", **DAYS, max_active_runs=1):
    GerosenseSamplesOperator(data_type="steps", source=samples, **INCREMENTAL)

with DAG("caught_up", **DAYS, catchup=True):
    GerosenseSamplesOperator(data_type="steps", source=samples, **INCREMENTAL)

with DAG("caught_up_at_once", **DAYS, catchup=True):
    ThymiaUploadOperator(upload_type="mood", source=moods, max_active_tis_per_dag=None, **INCREMENTAL)
