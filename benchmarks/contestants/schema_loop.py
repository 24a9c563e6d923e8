"""The loop of GeroSense's page, with each sample checked by the JSON Schema that this project ships."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from jsonschema import Draft202012Validator

from benchmarks.contestants.records import read, requests_of
from benchmarks.contestants.worker import TOKEN, Clock, Job, serve

SCHEMA = Path(__file__).parents[2] / "airflow_provider_userdata" / "schemas" / "gerosense.sample.json"


def run(job: Job, clock: Clock) -> None:
    """Send the job's samples; the first that isn't valid ends it."""
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    with clock:
        for path, body in requests_of(job, _valid(job, validator)):
            headers = {"Authorization": f"Bearer {TOKEN}"}
            requests.post(job.url + path, json=body, headers=headers, timeout=60).raise_for_status()


def _valid(job: Job, validator: Draft202012Validator) -> Iterator[dict[str, Any]]:
    for record in read(job):
        validator.validate(record)
        yield record


if __name__ == "__main__":
    serve(run)
