"""A digest of a source's first rows: the same for the same rows, however they come, and for no others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading.digest import Marks, SourceDigest
from airflow_provider_userdata.delivery.reading.source import Header, TextRow, Unreadable
from tests.doubles import Odd

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(VALUES | st.builds(Unreadable, VALUES, st.text()), max_size=12)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES | st.just("\ud800"), max_size=3), max_size=12)
AB = Header(("a", "b"))
HEADERS = st.sampled_from([AB, Header(("a", "b")), Header(("a", "c"))])
CELL = st.text() | st.sampled_from(["", "a", "ab", "\ud800", "\ud83d\ude00", "\U0001f600"])
TABLE = st.lists(
    st.builds(TextRow, HEADERS, st.lists(CELL, min_size=2, max_size=2))
    | st.builds(Unreadable, st.lists(st.text(), max_size=3), st.just("has another width")),
    max_size=40,
)


def digest(rows: list[Any], sizes: list[int] | None = None) -> str:
    """Take rows in chunks of given sizes."""
    made = SourceDigest()
    for size in sizes or []:
        made.take(rows[:size])
        rows = rows[size:]
    made.take(rows)
    return made.mark.digest


@given(ROWS | OBJECTS | TABLE | st.lists(st.binary(), max_size=12), st.lists(st.integers(0, 5), max_size=6))
@example([TextRow(AB, ["1", "2"]), TextRow(AB, ["\ud800", "2"])], [1])
def test_chunks_do_not_matter(rows: list[Any], sizes: list[int]) -> None:
    """The same rows have the same digest, wherever their chunks end."""
    assert digest(rows, sizes) == digest(rows)


@pytest.mark.parametrize("size", [15, 16, 17, 2**16 - 1, 2**16])
def test_a_table_of_any_size_is_taken_as_its_rows_are(size: int) -> None:
    """How many rows come at once leaves no trace."""
    rows = [TextRow(AB, [str(number), "x"]) for number in range(size)]
    assert digest(rows, [7, size - 14]) == digest(rows)


def contents(rows: list[Any]) -> list[Any]:
    """Give what there is to tell the rows of a table by."""
    return [(row.header.names, row.values) if isinstance(row, TextRow) else row.raw for row in rows]


@given(TABLE, TABLE, st.integers(0, 40))
def test_a_table_has_the_digest_of_no_other(one: list[Any], tail: list[Any], kept: int) -> None:
    """Rows, cells, columns and what is unreadable among them are told apart, whatever the cells hold."""
    other = one[:kept] + tail
    assert (digest(one) == digest(other)) == (contents(one) == contents(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1], [2]),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ([1], ["1"]),
        ([1], [True]),
        ([14], [14.0]),
        ([None], [""]),
        ([{"a": 1}], [{"a": 2}]),
        ([{"a": 1}], [{"b": 1}]),
        ([b'{"a":1}'], [b'{"a":2}']),
        (["a"], ["a", None]),
        ([Decimal("1.0")], [Decimal("1.00")]),
        ([date(2024, 1, 1)], [date(2024, 1, 2)]),
        (["\ud800"], ["\ud801"]),
        ([{"a": np.int64(1)}], [{"a": np.int64(2)}]),
        ([{"a": pd.Timestamp("2024-05-01")}], [{"a": pd.Timestamp("2024-05-02")}]),
        ([{"a": np.datetime64("2024-05-01")}], [{"a": np.datetime64("NaT")}]),
        ([TextRow(Header(("a",)), ["1"])], [TextRow(Header(("a",)), ["2"])]),
        ([TextRow(Header(("a",)), ["1"])], [TextRow(Header(("b",)), ["1"])]),
        ([TextRow(Header(("a", "b")), ["12", ""])], [TextRow(Header(("a", "b")), ["1", "2"])]),
        ([TextRow(Header(("a",)), ["1"])], [Unreadable(["1"], "")]),
        ([TextRow(Header(("a",)), ["\ud83d\ude00"])], [TextRow(Header(("a",)), ["\U0001f600"])]),
        (
            [TextRow(Header(("a",)), ["1"]), Unreadable(["b"], ""), TextRow(Header(("a",)), ["2"])],
            [TextRow(Header(("a",)), ["1"]), TextRow(Header(("b",)), ["2"])],
        ),
    ],
)
def test_other_rows_have_another_digest(one: list[Any], other: list[Any]) -> None:
    """Another value, kind, key, order or number of rows shows."""
    assert digest(one) != digest(other)


def test_the_order_of_a_rows_keys_does_not_matter() -> None:
    """A source may give the columns of a row in any order."""
    assert digest([{"a": 1, "b": [2]}]) == digest([{"b": [2], "a": 1}])


def test_a_table_read_again_has_the_same_digest() -> None:
    """The header of another attempt is another object, of the same names."""
    assert digest([TextRow(Header(("a",)), ["1"])]) == digest([TextRow(Header(("a",)), ["1"])])


def endless() -> list[Any]:
    """Make a list that is in itself."""
    made: list[Any] = []
    made.append(made)
    return made


def deep() -> list[Any]:
    """Make a list that is nested deeper than anybody looks."""
    made: list[Any] = []
    for _ in range(100_000):
        made = [made]
    return made


@pytest.mark.parametrize(
    "make",
    [
        endless,
        deep,
        Odd,
        lambda: {(1, 2): Odd()},
        lambda: {(1, 2): object()},
        lambda: "\ud800",
        lambda: math.nan,
        lambda: {1: 1, "1": 2},
        object,
    ],
)
def test_any_row_has_a_digest(make: Any) -> None:
    """Whatever a source gives has a digest, the same each time it gives it."""
    assert digest([make()]) == digest([make()])


def positions() -> Iterator[int]:
    """Give positions that don't fall."""
    yield from (0, 0, 3, 9, 10, 11, 19, 25, 40)


def test_the_last_mark_at_or_below_a_position() -> None:
    """Marks are the ends of chunks; those that are passed are forgotten."""
    source, marks = SourceDigest(), Marks()
    made = {source.mark}
    for size in (10, 5, 10):
        for mark in source.take([b"row"] * size):
            marks.add(mark)
            made.add(mark)

    found = [marks.last_below(position) for position in positions()]

    assert [mark.rows for mark in found] == [0, 0, 0, 0, 10, 10, 15, 25, 25]
    assert made.issuperset(found)


@given(sizes=st.lists(st.integers(0, 9), max_size=5), ends=st.lists(st.integers(0, 40), max_size=5).map(sorted))
def test_marks_within_chunks(sizes: list[int], ends: list[int]) -> None:
    """A mark that is wanted within a chunk is the one that a chunk which ended there would have had."""
    cut, whole, with_text, with_ends = SourceDigest(), SourceDigest(), SourceDigest(), SourceDigest()
    total = sum(sizes)
    every = {0: whole.mark, **{mark.rows: mark for _ in range(total) for mark in whole.take([b"row"])}}

    marks = [mark for size in sizes for mark in cut.take([b"row"] * size, ends)]

    assert marks == [every[mark.rows] for mark in marks]
    assert marks == [mark for size in sizes for mark in with_text.take([b"row"] * size, ends, [b"row\n"] * size)]
    assert marks == [mark for size in sizes for mark in with_ends.take([b"row\n"] * size, ends)]
    assert {mark.rows for mark in marks} >= {end for end in ends if 0 < end <= total}
