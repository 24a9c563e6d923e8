"""Rows are checked together, also where some of them are not valid."""

from __future__ import annotations

import pytest

from airflow_provider_userdata.delivery.preparing import Preparer
from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, ValueRow
from airflow_provider_userdata.vendors.gerosense import GeroSense

NAMES = ("device_name", "start_date", "unit", "value")


def test_a_bad_unit_or_text_is_rejected_among_others(caplog: pytest.LogCaptureFixture) -> None:
    """Without the way of one by one for those beside it, which takes five times as long."""
    good = ["Watch", "2023-11-01T08:04:51Z", "count", 500]
    rows = [good, ["Watch", good[1], "bad", 7], ["\ud800", *good[1:]], good]
    header = Header(NAMES)  # the same for all, as a table has it: else they are not checked together
    chunk = Chunk(RowFormat.VALUES, [ValueRow(header, tuple(row)) for row in rows])

    checked = Preparer(GeroSense("steps"), None).prepare(chunk, chunk.rows, range(4))

    assert [place for place, _ in checked.invalid] == [1, 2]
    assert not caplog.messages
