"""Frames and Parquet files that a second attempt reads again, in other batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.errors import StoppedError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import open_source

Attempt = Callable[..., Result]
PRIVATE = "geheim"


@pytest.mark.parametrize("kind", ["frame", "parquet"])
def test_an_attempt_goes_on_where_the_last_one_ended(
    kind: str, attempt: Attempt, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Whatever the batches that the second one reads: its rows are known to be the same."""
    count = 9000
    table = pa.table(
        {
            "device_name": [f"{PRIVATE}-{number}" for number in range(count)],
            "start_date": pa.array(range(count), pa.timestamp("ms", "UTC")),
            "unit": ["count"] * count,
            "value": [1 + number % 7 for number in range(count)],
        }
    )
    sources: list[Any] = [table.to_pandas(), pa.concat_tables([table.slice(0, 777), table.slice(777)])]
    if kind == "parquet":
        sources = [tmp_path / "x.parquet", tmp_path / "x.parquet"]
        pq.write_table(table, sources[0], row_group_size=1500)

    class Stopping:
        total = None

        def __init__(self) -> None:
            self.inner = open_source(sources[0])

        def chunks(self) -> Any:
            for number, chunk in enumerate(self.inner.chunks()):
                if number == 1:
                    raise StoppedError("told to")
                yield chunk

    first = attempt("gerosense", Stopping(), more_attempts=True)
    assert isinstance(first.error, StoppedError)
    assert 0 < first.report.delivered < count
    second = attempt("gerosense", sources[1])

    assert second.error is None
    assert (second.report.delivered, second.report.read) == (count, count)
    counts = sandbox.vendors["gerosense"].counts
    assert (counts.records, counts.repeated) == (count, 0)
