"""The text of a table's rows is that of dictionaries, so that a checkpoint of an earlier version goes on."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading import Header, TableRows, table_text, text_of
from airflow_provider_userdata.delivery.reading.digest import SourceDigest

NAMES = st.lists(st.text(st.characters(), max_size=5), min_size=1, max_size=6, unique=True)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(st.characters(), max_size=5),
    st.binary(max_size=5),
    st.datetimes(),
    st.uuids(),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def dictionaries(names: list[str], rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Make a dictionary of each row."""
    return [dict(zip(names, row, strict=True)) for row in rows]


@given(data=st.data())
def test_it_is_the_text_of_dictionaries(data: st.DataObject) -> None:
    """Whatever the columns are called, in whatever order, and whatever is in them."""
    names = data.draw(NAMES)
    rows = data.draw(st.lists(st.tuples(*[VALUES] * len(names)), min_size=1, max_size=4))

    assert table_text(Header(tuple(names)), rows) == text_of(dictionaries(names, rows))


@pytest.mark.parametrize("names", [["b", "a"], ["a", "b"], ["a"], ['a"', "b"], ["a\n"], ["\udc80", "b"], ["ä", "z"]])
@pytest.mark.parametrize("value", [1, "x", Decimal("0.10"), uuid.UUID(int=1), dt.date(2023, 11, 1), object(), "\udc80"])
def test_odd_names_and_values_have_it_too(names: list[str], value: object) -> None:
    """Names that have to be escaped, and values that aren't JSON, are written as in a dictionary."""
    rows: list[tuple[Any, ...]] = [tuple([value] * len(names)), tuple(range(len(names)))]

    assert table_text(Header(tuple(names)), rows) == text_of(dictionaries(names, rows))


@pytest.mark.parametrize("ends", [(), (3,), (1, 2, 7), (10,)])
def test_marks_within_a_chunk_are_those_of_dictionaries(ends: tuple[int, ...]) -> None:
    """An attempt that resumes compares digests at any row."""
    names, rows = ["b", "a"], [(number, "x") for number in range(10)]
    header = Header(tuple(names))

    text = [table_text(header, rows[:4]), table_text(header, rows[4:])]
    marks = SourceDigest().take(TableRows.of(header, rows), ends, text)

    assert marks == SourceDigest().take(dictionaries(names, rows), ends)
