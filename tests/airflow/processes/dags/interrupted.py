"""DAGs of the tests, whose tasks don't get to their end at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG, Context

from airflow_provider_userdata.delivery import engine
from airflow_provider_userdata.delivery.sending import sender
from airflow_provider_userdata.operators import planning
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator

MARKER = "zaphod-7f3a"
ALLOWED = Path(__file__).with_name("allowed.txt")
SOON: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(seconds=1)}

# What takes a minute takes seconds here.
engine.PROGRESS_SECONDS = 0.5
planning.LONGEST_SLEEP = 1.0
sender.MAINTENANCE_PAUSE = 4.0


def moods(params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Tell which process reads, and give as many records as the run asks for."""
    if "pid_file" in params:
        Path(params["pid_file"]).write_text(str(os.getpid()))
    for number in range(params["count"]):
        yield {"user": {"userLabel": f"u{number}"}, "data": {"score": number, "note": MARKER}}


def samples(params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give as many samples as the run asks for."""
    for number in range(params["count"]):
        yield {"device_name": MARKER, "start_date": "2024-05-01T08:00:00Z", "unit": "count", "value": number + 1}


def people(params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give as many people as the run asks for, and one that nobody can upload."""
    for number in range(params["count"]):
        yield {"user_id": f"{MARKER}-{number}", "plan": "free"}
    if params.get("fault"):
        yield {"plan": MARKER}


class KilledAtTheEnd(PtengineProfilesOperator):
    """Its process is killed after the last record, before Airflow learns of it, on the first attempt."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Deliver, and come to an end."""
        report = super().execute(context)
        if context["ti"].try_number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return report


with DAG("retried", schedule=None):
    ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods, max_in_flight=4, **SOON)

with DAG("not_retried", schedule=None):
    ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods, max_in_flight=1, max_attempts=1)

with DAG("killed_at_the_end", schedule=None):
    KilledAtTheEnd(task_id="upload", source=people, **SOON)

with DAG("with_rejects", schedule=None):
    PtengineProfilesOperator(
        task_id="upload", source=people, max_rejected=int(ALLOWED.read_text()) if ALLOWED.exists() else 0
    )

with DAG("deferred_by_a_limit", schedule=None):
    ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods, max_in_flight=1, deferrable=True, **SOON)

with DAG("deferred_by_maintenance", schedule=None):
    GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples, deferrable=True, **SOON)
