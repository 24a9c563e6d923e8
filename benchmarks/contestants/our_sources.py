"""What our operator is given as `source`: files, queries and values of Python, as people have them."""

from __future__ import annotations

import ctypes
import gc
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from airflow_provider_userdata.sources import SqlSource
from benchmarks.contestants.worker import Job
from benchmarks.data import example


def source_of(job: Job) -> Any:
    """Give a job's source, with the libraries loaded that read it, and nothing left of its making."""
    source = _SOURCES[job.form](job)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # or the delivery would find room, and its own memory would not be seen
    return source


def _sqlite(job: Job) -> Any:
    return _query(job, {"conn_type": "sqlite", "host": job.source})


def _postgres(job: Job) -> Any:
    import psycopg  # noqa: F401  # a library's own memory isn't the delivery's
    import psycopg2  # noqa: F401

    return _query(job, job.source)


def _query(job: Job, connection: Any) -> Any:
    os.environ["AIRFLOW_CONN_BENCHMARK"] = connection if isinstance(connection, str) else json.dumps(connection)
    columns = ", ".join(example(job.vendor))
    return SqlSource(f"SELECT {columns} FROM {job.vendor} ORDER BY number", "benchmark")


def _list(job: Job) -> list[dict[str, Any]]:
    with Path(job.source).open(encoding="utf-8") as file:
        return [{sys.intern(name): value for name, value in json.loads(line).items()} for line in file]


def _generator(job: Job) -> Callable[[], Iterator[dict[str, Any]]]:
    rows = _list(job)

    def dictionaries() -> Iterator[dict[str, Any]]:
        yield from rows

    return dictionaries


def _parquet(job: Job) -> str:
    _use_arrow()
    return job.source


def _frame(job: Job) -> Any:
    import pandas as pd

    _use_arrow()
    return pd.read_csv(job.source, dtype={"value": int}, keep_default_na=False)


def _use_arrow() -> None:
    """Read one row of Parquet, so that Arrow's libraries are loaded and have begun to manage memory."""
    import pyarrow as pa
    import pyarrow.compute
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pa.table({"text": ["a"], "number": [1]}), file)
    parquet.read_table(file).to_pylist()


_SOURCES: dict[str, Callable[[Job], Any]] = {
    "file": lambda job: job.source,
    "sqlite": _sqlite,
    "postgres": _postgres,
    "generator": _generator,
    "list": _list,
    "parquet": _parquet,
    "frame": _frame,
}
