"""DAGs of the tests, whose sources somebody corrects after a run was red."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator


def lines(params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Tell which process reads, and yield the records of a file."""
    if "pid_file" in params:
        Path(params["pid_file"]).write_text(str(os.getpid()))
    with Path(params["path"]).open() as file:
        yield from map(json.loads, file)


@task
def paths(params: dict[str, Any] | None = None) -> list[str]:
    """Return the files that the run names."""
    return list((params or {})["paths"])


with DAG("corrected", schedule=None, params={"path": ""}):
    GerosenseSamplesOperator(task_id="upload", data_type="steps", source="{{ params.path }}")

with DAG("corrected_incremental", schedule=None, params={"path": ""}):
    GerosenseSamplesOperator(
        task_id="upload", data_type="steps", source="{{ params.path }}", incremental=True, ledger_stream="corrected"
    )

with DAG("corrected_mapped", schedule=None):
    GerosenseSamplesOperator.partial(task_id="upload", data_type="steps").expand(source=paths())

with DAG("corrected_slowly", schedule=None):
    ThymiaUploadOperator(
        task_id="upload",
        upload_type="mood",
        source=lines,
        max_in_flight=1,
        retries=1,
        retry_delay=timedelta(seconds=1),
    )
