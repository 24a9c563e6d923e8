"""Rows are checked together where they can be, and each alone where not."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_userdata.delivery.preparing import Preparer
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat, Unreadable
from airflow_provider_userdata.vendors.gerosense import GeroSense

GOOD = b'{"device_name": "a", "start_date": "2023-11-01T08:04:51Z", "unit": "count", "value": 1}'


class Mistaken(GeroSense):
    """A vendor whose way for many rows is broken."""

    def prepare_texts(self, texts: Any, positions: Any) -> Any:
        """Fail."""
        raise KeyError


def prepared(vendor: GeroSense, rows: list[Any]) -> tuple[int, int]:
    """Check rows, and count the valid ones and the others."""
    records, invalid = Preparer(vendor, None).prepare(Chunk(RowFormat.JSON, rows), rows, range(len(rows)))
    return len(records), len(invalid)


def test_rows_that_a_source_could_not_read_are_expected() -> None:
    """They are rejected, and the others checked."""
    assert prepared(GeroSense("steps"), [GOOD, Unreadable("x", "has another width"), GOOD]) == (2, 1)


def test_a_mistake_of_our_own_costs_time_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Each row is checked alone then, and the log names what happened."""
    assert prepared(Mistaken("steps"), [GOOD, b"{"]) == (1, 1)
    assert "2 rows can't be checked together, only one by one: KeyError" in caplog.text
    caplog.clear()
