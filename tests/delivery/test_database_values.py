"""What a query's values become at each vendor: the types that databases' clients give."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.reading import Source
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import Constant, Number, SqlSource, Timestamp
from airflow_provider_userdata.sources.chunking import LazySource
from airflow_provider_userdata.sources.sql import read_query
from tests.doubles.databases import Hook

Deliver = Callable[..., Result]
ZONED = dt.datetime(2023, 11, 1, 8, 4, 51, 480_000, dt.timezone(dt.timedelta(hours=4)))
LOCAL = ZONED.replace(tzinfo=None)
KEY = uuid.UUID("2f0a1c52-7a54-4c3e-9f5c-8a4f3cbb2d11")
REJECTED = object()
"""Stands for a value that isn't sent."""


class Cursor:
    """Gives rows of any values, as a database's client would."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.description = [(name,) for name in rows[0]]
        self._rows = [tuple(row.values()) for row in rows]

    def execute(self, sql: str) -> None:
        """Do nothing."""

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """Return the next rows."""
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        """Do nothing."""


class Connection:
    """Opens the only cursor that it has."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def cursor(self) -> Cursor:
        """Open a cursor."""
        return Cursor(self._rows)

    def close(self) -> None:
        """Do nothing."""


def query_of(rows: list[dict[str, Any]]) -> Source:
    """Return a query whose result is some rows."""
    return LazySource(lambda: read_query(SqlSource("SELECT", "warehouse"), Hook(lambda: Connection(rows))))


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (Decimal("72.50"), "72.50"),
        (Decimal("1E+3"), "1000"),
        (KEY, str(KEY)),
        (ZONED, "2023-11-01T08:04:51.480000+04:00"),
        (LOCAL, "2023-11-01T08:04:51.480000"),
        (dt.date(2023, 11, 1), "2023-11-01"),
        (None, ""),
        (2**63, "9223372036854775808"),
        (2**100, str(2**100)),
        (0.1, "0.1"),
        (True, "true"),
        ("76", "76"),
        (b"\x00\xff", REJECTED),
        (memoryview(b"x"), REJECTED),
        (dt.timedelta(hours=12), REJECTED),
        (float("nan"), REJECTED),
        (Decimal("NaN"), REJECTED),
        ({"a": 1}, REJECTED),
        ([1], REJECTED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_at_ptengine(value: object, sent: object, deliver: Deliver, sandbox: Sandbox) -> None:
    """Every value is text, as P6 says."""
    report = deliver("ptengine", query_of([{"user_id": KEY, "x": value}])).report

    assert (report.delivered, report.rejected) == ((0, 1) if sent is REJECTED else (1, 0))
    if sent is not REJECTED:
        assert sandbox.ptengine.arrived() == [{"user_id": str(KEY), "x": sent}]


@pytest.mark.parametrize(
    ("column", "value", "sent"),
    [
        ("value", Decimal("72.50"), 72.5),
        ("value", Decimal("72"), 72),
        ("value", 300, 300),
        ("value", 0.1, 0.1),
        ("start_date", ZONED, "2023-11-01T08:04:51.480000+04:00"),
        ("end_date", None, None),
        ("device_version", None, None),
        ("start_date", LOCAL, REJECTED),
        ("start_date", dt.date(2023, 11, 1), REJECTED),
        ("start_date", None, REJECTED),
        ("value", None, REJECTED),
        ("value", "72", REJECTED),
        ("value", True, REJECTED),
        ("value", 2**100, REJECTED),
        ("value", Decimal("NaN"), REJECTED),
        ("device_name", b"x", REJECTED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_at_gerosense(column: str, value: object, sent: object, deliver: Deliver, sandbox: Sandbox) -> None:
    """Numbers are numbers and times have their offset; an optional null is absent."""
    good = {
        "device_name": "x",
        "start_date": ZONED,
        "end_date": None,
        "device_version": "1",
        "unit": "count",
        "value": 1,
    }
    report = deliver("gerosense", query_of([{**good, column: value}, good, good, good])).report

    assert (report.delivered, report.rejected) == ((3, 1) if sent is REJECTED else (4, 0))
    if sent is not REJECTED:
        assert sandbox.gerosense.arrived()[0].get(column) == sent
        assert (sent is None) is (column not in sandbox.gerosense.arrived()[0])


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (Decimal("72.50"), 72.5),
        (KEY, str(KEY)),
        (ZONED, "2023-11-01T08:04:51.480000+04:00"),
        (LOCAL, "2023-11-01T08:04:51.480000"),
        (dt.date(2023, 11, 1), "2023-11-01"),
        (None, None),
        (2**63, 2**63),
        ({"score": [1, None, Decimal("0.5")]}, {"score": [1, None, 0.5]}),
        ('{"a": 1}', '{"a": 1}'),
        (b"\x00\xff", REJECTED),
        (dt.timedelta(hours=12), REJECTED),
        (Decimal("Infinity"), REJECTED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_at_thymia(value: object, sent: object, deliver: Deliver, sandbox: Sandbox) -> None:
    """A JSON column that the client decodes is an object; others give its text, which stays one."""
    rows = [{"user": {"userLabel": "u"}, "data": {"x": value}}]
    report = deliver("thymia", query_of(rows)).report

    assert (report.delivered, report.rejected) == ((0, 1) if sent is REJECTED else (1, 0))
    if sent is not REJECTED:
        assert [body["data"]["x"] for body in sandbox.thymia.arrived()] == [sent]


@pytest.mark.parametrize(
    ("value", "word", "sent"),
    [
        (LOCAL, Timestamp("at", timezone="Asia/Tokyo"), "2023-11-01T08:04:51.480+09:00"),
        (ZONED, Timestamp("at", timezone="Asia/Tokyo"), "2023-11-01T08:04:51.480+04:00"),
        (1698811491.5, Timestamp("at", "epoch_s"), "2023-11-01T04:04:51.500Z"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_times_of_databases_that_have_no_zone(
    value: object, word: Timestamp, sent: str, deliver: Deliver, sandbox: Sandbox
) -> None:
    """A local time gets its zone, and seconds become a time: in `fields`, as the author says."""
    fields = {"device_name": Constant("x"), "start_date": word, "unit": Constant("count"), "value": Number("steps")}
    deliver("gerosense", query_of([{"at": value, "steps": "1.50"}] * 3), fields=fields)

    assert [sample["start_date"] for sample in sandbox.gerosense.arrived()] == [sent] * 3
