"""Rows of a table as columns are in all ways a list of its rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.preparing.tables import table_of
from airflow_provider_userdata.delivery.reading import Header, RowFormat, TableRows, TextRow, ValueRow
from airflow_provider_userdata.delivery.reading.digest import SourceDigest
from airflow_provider_userdata.records import without

TEXT = st.text(max_size=3) | st.sampled_from(["", "\ud800", "ä"])
VALUE = TEXT | st.none() | st.floats() | st.integers(-(2**70), 2**70) | st.binary(max_size=3) | st.decimals()
AB, OTHER = Header(("a", "b")), Header(("b", "a"))


@st.composite
def tables(draw: st.DrawFn) -> tuple[TableRows, list[TextRow | ValueRow]]:
    """Draw a table, and the list of its rows."""
    texts, width = draw(st.booleans()), draw(st.integers(0, 3))
    header = Header(tuple("abc"[:width]))
    rows = draw(st.lists(st.tuples(*[TEXT if texts else VALUE] * width), max_size=20))
    made = [TextRow(header, list(row)) if texts else ValueRow(header, row) for row in rows]
    return TableRows.of(header, rows, texts=texts), made


def shown(rows: Any) -> list[str]:
    """Say all there is of rows: NaN is not equal to itself."""
    return [repr((type(row), row.header.names, row.values)) for row in rows]


@given(tables(), st.slices(20))
def test_each_row_and_each_part_is_that_of_the_list(made: Any, part: slice) -> None:
    """By number from either end, in parts, and one after the other."""
    table, rows = made
    assert shown(table) == shown(rows)
    assert len(table) == len(rows)
    assert shown(map(table.__getitem__, range(-len(rows), len(rows)))) == shown([*rows, *rows])
    assert shown(table[part]) == shown(rows[part])
    assert len(table[part]) == len(rows[part])
    with pytest.raises(IndexError):
        table[len(rows)]


@given(tables(), tables())
def test_joined_they_are_the_rows_of_both(first: Any, second: Any) -> None:
    """Tables with other columns, too, as where the next file begins."""
    assert shown(first[0] + second[0]) == shown(first[1] + second[1])
    assert shown(first[0] + first[0]) == shown(first[1] + first[1])


def test_tables_of_one_header_stay_columns() -> None:
    """A batch across two chunks makes no object for each row."""
    one, two = TableRows.of(AB, [(1, 2)]), TableRows.of(AB, [(3, 4), (5, 6)])

    assert isinstance(one + two, TableRows)
    assert isinstance(one + TableRows.of(OTHER, [(1, 2)]), list)
    assert isinstance(one + TableRows.of(AB, [("1", "2")], texts=True), list)


@given(tables(), st.lists(st.integers(0, 19), unique=True))
def test_without_some_rows_the_others_are_left(made: Any, places: list[int]) -> None:
    """As after a check, without the invalid ones."""
    table, rows = made
    chosen = sorted(place for place in places if place < len(rows))
    assert shown(without(table, chosen)) == shown(without(rows, chosen))


@given(tables(), st.lists(st.integers(1, 19), unique=True).map(sorted))
def test_they_have_the_digest_of_the_list(made: Any, ends: list[int]) -> None:
    """A checkpoint of an earlier version, whose rows were a list, has the same marks."""
    table, rows = made
    if rows:
        assert SourceDigest().take(table, ends) == SourceDigest().take(rows, ends)


@given(tables(), st.none() | st.lists(st.sampled_from("cabx"), unique=True))
def test_they_are_checked_as_the_same_table(made: Any, wanted: list[str] | None) -> None:
    """The same columns are taken of them, with the same values in the same order."""
    table, rows = made
    if rows:
        form = RowFormat.CELLS if table.texts else RowFormat.VALUES
        one, other = table_of(form, table, wanted), table_of(form, rows, wanted)
        assert one is not None
        assert other is not None
        assert (one.names, one.count, one.texts) == (other.names, other.count, other.texts)
        assert repr([list(column) for column in one.columns]) == repr([list(column) for column in other.columns])
