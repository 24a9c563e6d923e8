"""Airflow's own `HttpHook`, run for each batch. Its connection stands in the environment, where it costs nothing."""

from __future__ import annotations

import json
import os

from airflow.providers.http.hooks.http import HttpHook

from benchmarks.contestants.records import read, requests_of
from benchmarks.contestants.worker import TOKEN, Clock, Job, serve

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


def run(job: Job, clock: Clock) -> None:
    """Send the job's records."""
    os.environ["AIRFLOW_CONN_BENCHMARK"] = json.dumps({"conn_type": "http", "host": job.url})
    hook = HttpHook(method="POST", http_conn_id="benchmark")
    with clock:
        for path, body in requests_of(job, read(job)):
            hook.run(path, data=json.dumps(body), headers=HEADERS)


if __name__ == "__main__":
    serve(run)
