"""A `.json` file: its array cut into elements."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading.source import RowFormat
from airflow_provider_userdata.sources import json_cutter
from airflow_provider_userdata.sources.file_limits import ROWS, BadFileError
from airflow_provider_userdata.sources.jsonfile import read_json

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
RECORD = st.dictionaries(st.text(), VALUE, max_size=4)


def rows_of(data: bytes, block: int = 2**20, longest: int = 2**26) -> list[bytes]:
    """Read all elements."""
    chunks = list(read_json(io.BytesIO(data), block=block, longest=longest))
    assert all(chunk.form is RowFormat.JSON and 0 < len(chunk.rows) <= ROWS for chunk in chunks)
    return [row for chunk in chunks for row in chunk.rows]


@pytest.mark.slow
@given(
    values=st.lists(VALUE | RECORD, max_size=20),
    indent=st.sampled_from([None, 0, 2]),
    comma=st.sampled_from([",", ", ", " ,", ",\r\n\t"]),
    ascii_only=st.booleans(),
    bom=st.booleans(),
    block=st.integers(1, 300),
)
def test_an_array_is_cut_into_its_elements(
    values: list[Any], indent: int | None, comma: str, ascii_only: bool, bom: bool, block: int
) -> None:
    """However it is laid out and wherever the blocks end, each element's own text comes out."""
    text = json.dumps(values, indent=indent, separators=(comma, ": "), ensure_ascii=ascii_only)
    rows = rows_of(b"\xef\xbb\xbf" * bom + b" \n" + text.encode(errors="surrogatepass") + b"\n ", block)
    assert [json.loads(row) for row in rows] == values
    assert [row.strip() for row in rows] == rows


@pytest.mark.slow
@given(st.lists(RECORD, min_size=1, max_size=60), st.integers(20, 3000))
def test_both_ways_of_cutting_agree(values: list[Any], window: int) -> None:
    """Windows cut at once and elements cut by hand give the same."""
    data = json.dumps(values).encode()
    kept = json_cutter._WINDOW
    try:
        json_cutter._WINDOW = window
        at_once = rows_of(data)
        json_cutter._WINDOW = 0
        by_hand = rows_of(data)
    finally:
        json_cutter._WINDOW = kept
    assert at_once == by_hand
    assert [json.loads(row) for row in at_once] == values


def test_values_keep_their_text() -> None:
    """Numbers of any size and precision, and odd escapes, come out as they stand."""
    rows = [b"123456789012345678901234567890", b"0.1234567890123456789", b"1E400", rb'"\ud800"', b'{"a":1,"a":2}']
    assert rows_of(b"[" + b",".join(rows) + b"]") == rows


def test_an_element_that_is_no_json_is_passed_on() -> None:
    """It is rejected as one record; the others are delivered."""
    rows = [b'{"a": NaN}', b"{'a': 1}", b"nul", b'{"a": 1}']
    assert rows_of(b"[" + b",".join(rows) + b"]") == rows


def test_many_records_are_handed_over_in_chunks() -> None:
    """An array of any length is read in bounded pieces."""
    values = [{"n": n, "nested": [{"a": "},"}, {}]} for n in range(30_000)]
    assert [json.loads(row) for row in rows_of(json.dumps(values).encode())] == values


def test_an_object_is_one_record() -> None:
    """A file that holds one record needs no array around it."""
    assert rows_of(b' {"a": [1]}\n', block=2) == [b'{"a": [1]}\n']


@pytest.mark.parametrize(
    ("text", "message", "before"),
    [
        (b"", "it is empty", 0),
        (b" \n", "it is empty", 0),
        (b'"text"', "neither a JSON array nor a JSON object", 0),
        (b"12", "neither", 0),
        (b'{"a": 1}\n{"b": 2}\n', "more than one JSON text", 0),
        (b'{"a": ', "isn't valid JSON", 0),
        (b"[", "incomplete", 0),
        (b"[1", "incomplete", 1),
        (b"[1,", "incomplete", 1),
        (b'[1, "alice', "incomplete", 1),
        (b'[{"a": 1}, {"b": ', "incomplete", 1),
        (b"[1,]", "isn't valid JSON", 1),
        (b"[,1]", "isn't valid JSON", 0),
        (b"[1 2]", "isn't valid JSON", 1),
        (b"[1}", "isn't valid JSON", 1),
        (b'[1] ["alice"]', "more text after its array", 1),
    ],
)
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_a_broken_file_is_refused_after_what_came_before(text: bytes, message: str, before: int, block: int) -> None:
    """The elements ahead of the fault are handed over, and the message has nothing of the file in it."""
    got: list[bytes] = []
    with pytest.raises(BadFileError, match=message) as caught:
        got.extend(row for chunk in read_json(io.BytesIO(text), block=block) for row in chunk.rows)
    assert len(got) == before
    assert "alice" not in str(caught.value)


@pytest.mark.parametrize("text", [b'["%b"]', b'[{"a": "%b"}]', b"[[%b]]", b"[%b]", b'{"a": "%b"}'])
@pytest.mark.parametrize("block", [10, 4000])
def test_a_record_over_the_limit_is_refused(text: bytes, block: int) -> None:
    """An element that doesn't end must not fill the memory."""
    with pytest.raises(BadFileError, match="longer than 500 bytes"):
        rows_of(text % (b"1" * 1000), block, longest=500)
