"""The loop of the vendors' pages: a request a batch, one after the other, nothing checked."""

from __future__ import annotations

import requests

from benchmarks.contestants.records import read, requests_of
from benchmarks.contestants.worker import TOKEN, Clock, Job, serve


def run(job: Job, clock: Clock) -> None:
    """Send the job's records."""
    headers = {"x-api-key": TOKEN} if job.vendor == "thymia" else {"Authorization": f"Bearer {TOKEN}"}
    with clock:
        for path, body in requests_of(job, read(job)):
            response = requests.post(job.url + path, json=body, headers=headers, timeout=60)
            response.raise_for_status()


if __name__ == "__main__":
    serve(run)
