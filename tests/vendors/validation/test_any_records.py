"""Anything at all, drawn at random, ends as a record or as a reject, and what is sent keeps the schemas."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.contract import Vendor, sorted_out
from airflow_provider_userdata.vendors.validation.fault import Invalid
from tests.doubles import table_of_rows

IntervalSet = Callable[[Vendor, Record | Invalid], Record | Invalid]


FIELDS = [
    "device_name",
    "device_version",
    "start_date",
    "end_date",
    "unit",
    "value",
    "user_id",
    "user",
    "userLabel",
    "data",
]


class Kind(enum.Enum):
    """An enumeration of no plain type."""

    ONE = "one"


class Size(enum.IntEnum):
    """An enumeration of numbers."""

    SMALL = 1


OF_LIBRARIES: list[Any] = [
    *[kind(value) for kind in (np.int8, np.uint64, np.float16, np.float32, np.longdouble, np.str_) for value in (0, 7)],
    *[np.float32("nan"), np.longdouble("nan"), np.bool_(1), np.bytes_(b"x"), np.complex64(1), np.void(b"x")],
    *[np.ma.masked, np.datetime64("NaT"), np.datetime64("2023-11-01T08:04:51"), np.datetime64("2023-11")],
    *[np.datetime64(1, "as"), np.timedelta64("NaT"), np.timedelta64(5, "ns"), pd.Timedelta(1), pd.Period("2023-11")],
    *[pd.NaT, pd.NA, pd.Timestamp("2023-11-01T08:04:51.000000001"), pd.Timestamp("2023-11-01T08:04:51Z")],
    *[UUID(int=1), Kind.ONE, Size.SMALL],
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**17, 10**20)
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary(max_size=8)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times()
    | st.uuids()
    | st.sampled_from(OF_LIBRARIES)
    | st.sampled_from(["count", "count/s", "count/min", "2023-11-01T08:04:51Z", "2023-11-01T08:04:51", *FIELDS])
)
KEYS = st.sampled_from(FIELDS) | st.text(max_size=60) | st.integers() | st.none() | st.characters(categories=["Cs"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.dictionaries(KEYS, inner, max_size=6)
        | st.frozensets(st.text())
    ),
    max_leaves=20,
)
NEAR = st.fixed_dictionaries(
    {},
    optional={
        "device_name": VALUES | st.just("iPhone"),
        "device_version": VALUES | st.just("17"),
        "start_date": VALUES | st.just("2023-11-01T08:04:51+04:00"),
        "end_date": VALUES | st.just("2023-11-01T08:04:51Z"),
        "unit": VALUES | st.sampled_from(["count", "count/s", "count/min"]),
        "value": VALUES,
        "user_id": VALUES,
        "user": VALUES | st.fixed_dictionaries({"userLabel": VALUES}),
        "data": VALUES | st.dictionaries(st.text(), VALUES, min_size=1, max_size=3),
    },
)


@settings(deadline=None, max_examples=50)
@given(value=VALUES | NEAR)
@example(value={"device_name": "i", "start_date": "2023-11-01T08:04Z", "unit": "count/s", "value": float("inf")})
def test_any_python_value_is_settled(vendor: Vendor, settled: IntervalSet, value: object) -> None:
    """Whatever a callable or a query gives as a record is a record or a reject."""
    settled(vendor, vendor.prepare_value(value))


def plain(value: Any) -> Any:
    """Make something of any value that `json.dumps` writes, NaN and surrogates too."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [plain(item) for item in value]
    return value if type(value) in (str, int, float, bool, type(None)) else str(value)


@settings(deadline=None, max_examples=40)
@given(value=VALUES | NEAR, cut=st.integers(0, 400), insert=st.binary(max_size=3))
@example(
    value={"device_name": "i", "start_date": "2023-11-01T08:04Z", "unit": "count", "value": 1}, cut=17, insert=b"\xff"
)
def test_any_text_is_settled(vendor: Vendor, settled: IntervalSet, value: object, cut: int, insert: bytes) -> None:
    """JSON, and JSON that was cut or written into, is a record or a reject; the slower way has the same verdict."""
    text = json.dumps(plain(value)).encode()
    found = settled(vendor, vendor.prepare_json(text))
    settled(vendor, vendor.prepare_json(text[:cut]))
    settled(vendor, vendor.prepare_json(text[:cut] + insert + text[cut:]))
    if isinstance(found, Record):
        assert found == vendor.prepare_value(json.loads(text))


@settings(deadline=None, max_examples=40)
@given(values=st.lists(VALUES | NEAR, max_size=5), first=st.integers(0, 10**9))
@example(values=[{"device_name": " ", "start_date": "2023-11-01T08:04:51Z", "unit": "count", "value": 1}], first=0)
@example(values=[{"device_name": "i", "start_date": "2023-11-01T08:04Z", "unit": "count", "value": 1}] * 2, first=0)
@example(values=[{"device_name": "i", "start_date": "2023-11-01T08:04:51", "unit": "count", "value": 1}], first=0)
@example(
    values=[{"device_name": "i", "start_date": "2023-11-01T08:04:51Z", "end_date": "", "unit": "count", "value": 1}],
    first=0,
)
def test_texts_of_a_chunk_are_settled_as_each_alone(vendor: Vendor, values: list[object], first: int) -> None:
    """A chunk's texts have the verdicts that each has alone, and records know their positions and rows."""
    sound = {"device_name": "i", "start_date": "2023-11-01T08:04:51Z", "unit": "count/s", "value": 2}
    texts = [json.dumps(plain(value)).encode() for value in [sound, *values, sound]]
    positions = range(first, first + len(texts))

    found = vendor.prepare_texts(texts, positions)

    alone = sorted_out(map(vendor.prepare_json, texts), texts, positions)
    assert (list(found.records), found.invalid) == (alone.records, alone.invalid)


SAMPLES: list[Any] = [
    "iPhone",
    "2023-11-01T08:04:51+04:00",
    "count",
    "count/min",
    "76",
    "7.5",
    "",
    None,
    76,
    2.5,
    10**30,
]
TYPED = st.sampled_from(SAMPLES) | LEAVES


@settings(deadline=None, max_examples=60)
@given(
    names=st.permutations(["device_name", "start_date", "end_date", "unit", "value", "user_id"]),
    width=st.integers(0, 6),
    cells=st.lists(TYPED, max_size=30),
    texts=st.booleans(),
)
@example(
    names=["device_name", "start_date", "end_date", "unit", "value", "user_id"],
    width=5,
    cells=["i", "2023-11-01T08:04:51Z", "", "count", 7, "i", "2023-11-01T08:04:51Z", None, "count", float("nan")],
    texts=False,
)
def test_rows_of_values_are_settled_as_each_alone(
    vendor: Vendor, names: list[str], width: int, cells: list[Any], texts: bool
) -> None:
    """A table of values of any types, as of a query or a frame, has the verdicts that each row has alone."""
    taken = tuple(names[:width])
    rows = [cells[start : start + width] for start in range(0, len(cells) // width * width, width)] if width else []
    sound: dict[str, Any] = {"device_name": "i", "start_date": "2023-11-01T08:04:51Z", "unit": "count/s", "value": 2}
    rows = [row for row in [[sound.get(name) for name in taken], *rows] if taken]

    table = table_of_rows(taken, rows, texts=texts)
    found = vendor.prepare_table(table, rows, range(len(rows)))

    alone = sorted_out([vendor.prepare_row(table, place) for place in range(len(rows))], rows, range(len(rows)))
    assert (list(found.records), found.invalid) == (alone.records, alone.invalid)


@settings(deadline=None, max_examples=50)
@given(text=st.binary(max_size=200))
def test_any_bytes_are_settled(vendor: Vendor, settled: IntervalSet, text: bytes) -> None:
    """Bytes that nobody meant as JSON are a reject."""
    settled(vendor, vendor.prepare_json(text))


@settings(deadline=None, max_examples=30)
@given(
    cells=st.dictionaries(
        st.sampled_from(FIELDS) | st.text(), st.text() | st.from_regex(r"-?[0-9]+(\.[0-9]+)?([eE][0-9]+)?")
    )
)
def test_any_cells_are_settled(vendor: Vendor, settled: IntervalSet, cells: dict[str, str]) -> None:
    """A CSV's row of any columns and cells is a record or a reject."""
    settled(vendor, vendor.prepare_cells(tuple(cells), list(cells.values())))


@settings(deadline=None, max_examples=40)
@given(
    names=st.lists(st.sampled_from(FIELDS) | st.text(max_size=60), unique=True, max_size=4),
    cells=st.lists(st.text(max_size=150) | st.sampled_from(["1", "count", "2023-11-01T08:04:51Z"]), max_size=24),
    first=st.integers(0, 10**9),
)
@example(names=["user_id", "plan"], cells=["u1", "free", "u2", "\ud800", "u3", "x" * 129, " ", "", "u4", ""], first=7)
@example(names=["plan", "user_id"], cells=["free", "u1", "free", "u2"], first=7)
def test_rows_of_a_table_are_settled_as_each_alone(
    vendor: Vendor, names: list[str], cells: list[str], first: int
) -> None:
    """A table's rows have the verdicts that each has alone, and records know their positions and rows."""
    width = len(names) or 1
    table = [cells[start : start + width] for start in range(0, len(cells) // width * width, width)] if names else []
    positions = range(first, first + len(table))

    found = vendor.prepare_table(table_of_rows(tuple(names), table, texts=True), table, positions)

    alone = sorted_out([vendor.prepare_cells(tuple(names), row) for row in table], table, positions)
    assert (list(found.records), found.invalid) == (alone.records, alone.invalid)
