"""JSON lines: blocks of bytes to lines."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat
from airflow_provider_userdata.sources.file_limits import BadFileError
from airflow_provider_userdata.sources.jsonlines import read_lines

LINE = st.binary(max_size=30).map(
    lambda line: line.replace(b"\n", b"").replace(b"\r", b"").removeprefix(b"\xef\xbb\xbf")
)


def text_of(chunk: Chunk) -> bytes | None:
    """Give a chunk's text in one, where it has any."""
    return None if chunk.text is None else b"".join(chunk.text)


def lines_of(data: bytes, block: int = 2**20, longest: int = 2**26) -> list[bytes]:
    """Read all lines: each comes with its end, and is given without."""
    chunks = list(read_lines(io.BytesIO(data), block=block, longest=longest))
    assert all(chunk.form is RowFormat.JSON and chunk.rows for chunk in chunks)
    assert all(text_of(chunk) in (None, b"".join(chunk.rows)) for chunk in chunks)
    rows = [row for chunk in chunks for row in chunk.rows]
    assert all(row.count(b"\n") == 1 and row.endswith(b"\n") for row in rows)
    return [row.removesuffix(b"\n").removesuffix(b"\r") for row in rows]


@given(
    lines=st.lists(LINE, max_size=30),
    end=st.sampled_from([b"\n", b"\r\n"]),
    bom=st.booleans(),
    last_end=st.booleans(),
    block=st.integers(1, 80),
)
def test_the_lines_are_the_same_whatever_the_block(
    lines: list[bytes], end: bytes, bom: bool, last_end: bool, block: int
) -> None:
    """Where a block ends, be it inside a line, a line's end or the byte order mark, is not to be seen."""
    data = b"\xef\xbb\xbf" * bom + end.join(lines) + end * last_end
    assert lines_of(data, block) == [line for line in lines if line.strip()]


def test_lines_come_with_their_text() -> None:
    """Unless a blank one is among them: then the text isn't that of the rows."""
    texts = [text_of(chunk) for chunk in read_lines(io.BytesIO(b"\xef\xbb\xbf1\r\n22\n3\n\n4"), block=8)]
    assert texts == [b"1\r\n", None, b"4\n"]


def test_lines_that_are_no_json_are_passed_on() -> None:
    """Checking rejects them; here a line is a line."""
    assert lines_of(b'{"a": 1}\n\xff\xfe\nnonsense\n') == [b'{"a": 1}', b"\xff\xfe", b"nonsense"]


def test_blank_lines_are_not_counted() -> None:
    """Empty lines and lines of nothing but space are no records."""
    assert lines_of(b"\n\n1\n  \t\n\r\n2\n\n") == [b"1", b"2"]


def test_an_empty_file_has_no_records() -> None:
    """Nothing to read is no error for JSON lines: there is no header to miss."""
    assert lines_of(b"") == []


def test_a_byte_order_mark_inside_the_file_stays() -> None:
    """Only at the start of the file it is none of the data."""
    assert lines_of(b"\xef\xbb\xbf1\n\xef\xbb\xbf2") == [b"1", b"\xef\xbb\xbf2"]


def test_a_line_without_end_is_given_up_soon() -> None:
    """No more of it is read than the limit and a block."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            self.given += size
            assert self.given <= 1200
            return b"x" * size

    with pytest.raises(BadFileError, match="longer than 1000 bytes"):
        list(read_lines(Endless(), block=100, longest=1000))


@given(st.integers(1, 40), st.sampled_from([b"", b"\n", b"\r\n", b"\nx"]))
def test_a_line_over_the_limit_is_refused_wherever_the_blocks_end(block: int, after: bytes) -> None:
    """The limit holds for the line alone, to the byte."""
    assert lines_of(b"1\n" + b"x" * 100 + after, block, longest=100)[1] == b"x" * 100
    with pytest.raises(BadFileError, match="longer than 100 bytes"):
        lines_of(b"1\n" + b"x" * 101 + after, block, longest=100)
