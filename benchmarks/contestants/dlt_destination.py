"""dlt's custom destination: records go through its files, typed, and come out in batches on sixteen load workers."""

from __future__ import annotations

import os
import threading
from typing import Any

import dlt
import requests

from benchmarks.contestants.records import batches, read
from benchmarks.contestants.worker import SAMPLES_PATH, TOKEN, Clock, Job, serve

BATCH = 1000
COLUMNS = {name: {"data_type": "text"} for name in ("start_date", "end_date")}
"""Else dlt would make timestamps of them, and send other text than came in."""


def run(job: Job, clock: Clock) -> None:
    """Run a pipeline of one resource, from an empty working folder."""
    os.environ.update(
        RUNTIME__DLTHUB_TELEMETRY="false",
        RUNTIME__LOG_LEVEL="WARNING",
        LOAD__WORKERS=str(job.in_flight),
        DATA_WRITER__BUFFER_MAX_ITEMS=str(5 * BATCH),
        # A file is a load job: as few records in each as keep all workers busy.
        NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS=str(5 * BATCH),
    )
    pipeline = dlt.pipeline("benchmark", pipelines_dir=job.output, destination=_destination(job))
    samples = dlt.resource(batches(read(job), BATCH), name="samples", columns=COLUMNS)
    with clock:
        pipeline.run(samples).raise_on_failed_jobs()


def _destination(job: Job) -> Any:
    sessions = threading.local()

    def send(items: list[dict[str, Any]], table: Any) -> None:  # noqa: ARG001  # dlt gives it
        if not hasattr(sessions, "session"):
            sessions.session = requests.Session()
        sessions.session.post(
            job.url + SAMPLES_PATH,
            json={"data_type": "steps", "data": items},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        ).raise_for_status()

    return dlt.destination(
        send,
        batch_size=BATCH,
        name="gerosense",
        loader_file_format="typed-jsonl",
        naming_convention="direct",
        max_table_nesting=0,
        skip_dlt_columns_and_tables=True,
        max_parallel_load_jobs=job.in_flight,
    )()


if __name__ == "__main__":
    serve(run)
