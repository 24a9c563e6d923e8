"""Reads records and groups them, as the loops that people write do."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.contestants.worker import PROFILES_PATH, SAMPLES_PATH, USER_DATA_PATH, Job


def read_lines(source: str) -> Iterator[dict[str, Any]]:
    """Read a file of JSON lines."""
    with Path(source).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def read_cells(source: str) -> Iterator[dict[str, str]]:
    """Read a CSV file."""
    with Path(source).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def batches(records: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Group records, in their order."""
    batch = []
    for record in records:
        batch.append(record)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def requests_of(job: Job, records: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Give the path and the body, not yet encoded, of each request that a vendor's page asks for."""
    for batch in batches(records, job.batch):
        if job.vendor == "gerosense":
            yield SAMPLES_PATH, {"data_type": "steps", "data": batch}
        elif job.vendor == "ptengine":
            yield PROFILES_PATH, {"field_name": list(batch[0]), "values": [list(record.values()) for record in batch]}
        else:
            yield USER_DATA_PATH, batch[0]


def read(job: Job) -> Iterator[dict[str, Any]]:
    """Read a job's records."""
    return read_cells(job.source) if job.vendor == "ptengine" else read_lines(job.source)
