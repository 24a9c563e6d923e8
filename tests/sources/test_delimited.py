"""CSV and TSV."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading import RowFormat, TableRows, TextRow, Unreadable
from airflow_provider_userdata.sources.delimited import Table
from airflow_provider_userdata.sources.file_limits import ROWS, BadFileError
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.table_grammar import Dialect

DIALECTS = {"excel": Dialect(), "excel-tab": Dialect("\t")}
HEADERS = st.sampled_from(["a,b\n", "a\n", "\n \r\na\tb\r\n", "\ufeffa,b\n", "\udcef\udcbb\n", '"a",b\n', "a,", ""])
ENDS = ["\n", "\n", "\n\n", "\r\n", "\r", "\r\r\n", "\v", "\f", "\x1c", "\x85", "\u2028"]
PIECES = [*ENDS, ",", "\t", '"', " ", "\0", "\ufeff", "\udcff", "é", "😀", "x" * 30, "1,2\n", "1\t2\r\n"]
TEXTS = st.builds(
    str.__add__, HEADERS, st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join)
)
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\"), max_size=12)


def rows_of(text: str | bytes, dialect: str = "excel", **options: Any) -> list[Any]:
    """Read all rows."""
    data = text.encode() if isinstance(text, str) else text
    chunks = list(Table(DIALECTS[dialect]).read(io.BytesIO(data), Wanted(), **options))
    assert all(chunk.form is RowFormat.CELLS and 0 < len(chunk.rows) <= ROWS for chunk in chunks)
    return [row.as_dict() if isinstance(row, TextRow) else row for chunk in chunks for row in chunk.rows]


class ParsedTable(Table):
    """A table that the `csv` module parses, whether it is quoted or not."""

    _unquoted = Table._quoted

    def _columns(self, *_: object) -> None:
        """Never split a text at once."""


def outcome(stream: io.BytesIO | gzip.GzipFile, table: Table, block: int = 2**17) -> tuple[list[Any], str]:
    """Give what is read of a stream, with each row's columns, and what is wrong with it."""
    rows: list[Any] = []
    try:
        for chunk in table.read(stream, Wanted(), block=block):
            assert 0 < len(chunk.rows) <= ROWS
            rows += [(row.header.names, row.values) if isinstance(row, TextRow) else row for row in chunk.rows]
    except BadFileError as error:
        return rows, str(error)
    return rows, ""


@pytest.mark.parametrize(
    ("line", "columns"), [(b"1,2\n", True), (b"1,2\r\n", True), (b'"1",2\n', True), (b"1\n", False)]
)
def test_rows_that_are_alike_are_columns(line: bytes, columns: bool) -> None:
    """No object is made for each row; of others, each is looked at alone."""
    ends = b"\r\n" if line.endswith(b"\r\n") else b"\n"
    chunks = list(Table(Dialect()).read(io.BytesIO(b"a,b" + ends + line * 40_000), Wanted()))

    assert {isinstance(chunk.rows, TableRows) for chunk in chunks} == {columns}


@given(TEXTS, st.sampled_from(["excel", "excel-tab"]), st.integers(1, 60), st.booleans())
@example(text="a,b\n\ufeff1,2\n\ufeff3,4", dialect="excel", block=4, packed=False)  # only the first is no data
def test_what_is_not_quoted_is_read_as_csv_would(text: str, dialect: str, block: int, packed: bool) -> None:
    """The quick way and the `csv` module give the same rows and the same fault for any text, wherever blocks end."""
    data = text.encode("utf-8", "surrogateescape")

    def opened() -> io.BytesIO | gzip.GzipFile:
        return gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data))) if packed else io.BytesIO(data)

    assert outcome(opened(), Table(DIALECTS[dialect]), block) == outcome(opened(), ParsedTable(DIALECTS[dialect]))


@given(
    st.lists(st.tuples(CELL, CELL, CELL), max_size=20), st.sampled_from(["excel", "excel-tab", "unix"]), st.booleans()
)
def test_cells_come_back_as_they_were_written(rows: list[tuple[str, str, str]], dialect: str, bom: bool) -> None:
    """Quotes, separators and line ends inside cells are data."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, "excel-tab" if dialect == "excel-tab" else dialect, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c d"])
    writer.writerows(rows)
    data = b"\xef\xbb\xbf" * bom + text.getvalue().encode()
    got = rows_of(data, "excel-tab" if dialect == "excel-tab" else "excel")
    assert got == [dict(zip(("a", "b", "c d"), row, strict=True)) for row in rows]


def test_blank_lines_are_not_counted() -> None:
    """Empty lines, before the header, between rows or at the end, are no records."""
    assert rows_of("\n\na,b\r\n\r\n1,2\n   \n3,4\n\n") == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_an_empty_cell_of_a_single_column_is_a_record() -> None:
    """It is written with quotes, unlike a blank line."""
    assert rows_of('a\n""\n\nx\n') == [{"a": ""}, {"a": "x"}]


def test_a_row_of_another_width_is_kept_to_be_rejected() -> None:
    """It takes its position, with its cells and the widths as the reason."""
    assert rows_of("a,b\n1\n1,2\n1,2,3\n") == [
        Unreadable(["1"], "has 1 cell where the header has 2"),
        {"a": "1", "b": "2"},
        Unreadable(["1", "2", "3"], "has 3 cells where the header has 2"),
    ]


def test_a_bad_byte_spoils_its_own_row_only() -> None:
    """It comes as a lone surrogate, which no check lets pass; the rows around are whole."""
    assert rows_of(b"a,b\n1,2\n\xff,4\n5,6\n") == [
        {"a": "1", "b": "2"},
        {"a": "\udcff", "b": "4"},
        {"a": "5", "b": "6"},
    ]


def test_a_header_alone_is_no_records() -> None:
    """A table of nothing is a table."""
    assert rows_of("a,b\n") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "it is empty: its first line should be a header"),
        (b"\n\n", "it is empty"),
        (b"a,,c\n", "column 2 of its header has no name"),
        (b"id,alice,x,alice\n", "columns 2 and 4 of its header have the same name"),
        (b"a,\xff\n", "its header isn't UTF-8"),
        ("a,b\n".encode("utf-16"), "its header isn't UTF-8"),
    ],
)
def test_a_header_that_names_no_columns_is_refused(text: bytes, message: str) -> None:
    """Columns are told by number, for a missing header means that this is somebody's data."""
    with pytest.raises(BadFileError, match=message) as caught:
        Table(Dialect()).check(io.BytesIO(text), Wanted())
    assert "alice" not in str(caught.value)


def test_a_cell_may_have_a_million_characters() -> None:
    """The csv module's own limit, 131,072, is too low for people's data."""
    assert rows_of(f"a,b\n1,{'x' * 1_000_000}\n") == [{"a": "1", "b": "x" * 1_000_000}]


@pytest.mark.slow
def test_a_cell_over_64_mib_is_refused_by_its_line() -> None:
    """A quote that never closes must not fill the memory; what came before is handed over."""
    got: list[Any] = []
    data = b'a,b\n1,2\n3,"' + b"x" * (66 * 2**20)
    with pytest.raises(
        BadFileError, match="a record is longer than 64 MiB: the quote that opens on line 3 isn't closed before"
    ):
        got.extend(row.as_dict() for chunk in Table(Dialect()).read(io.BytesIO(data), Wanted()) for row in chunk.rows)
    assert got == [{"a": "1", "b": "2"}]


@pytest.mark.slow
@pytest.mark.parametrize("block", [16, 2**17])
def test_the_line_of_a_cell_that_is_too_long_is_counted_from_the_files_beginning(block: int) -> None:
    """Blank ones among them, however they were read."""
    data = b'a,b\r\n\n1,2\n3,"' + b"x" * (64 * 2**20 + 1)
    with pytest.raises(BadFileError, match="longer than 64 MiB: the quote that opens on line 4"):
        list(Table(Dialect()).read(io.BytesIO(data), Wanted(), block=block))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("after", ["", "half a no", "7\n8,9", "7\n\n8,9\n"])
@pytest.mark.parametrize("table", [Table, ParsedTable])
@pytest.mark.parametrize("block", [4, 2**17])
def test_a_quote_that_never_closes_is_a_fault_of_the_file(end: str, after: str, table: type[Table], block: int) -> None:
    """What it swallowed are other rows: none of it is a record, and the line says where to look."""
    text = f'a,b\n1,2\n"3\n3",4\n5,"{after}'.replace("\n", end)
    rows, fault = outcome(io.BytesIO(text.encode()), table(Dialect()), block)

    assert fault.startswith("the quote that opens on line 5 is never closed; if all quotes in it are text, ")
    assert [values for _, values in rows] == [["1", "2"], [f"3{end}3", "4"]]


@pytest.mark.parametrize("count", [ROWS - 1, ROWS, ROWS + 1])
@pytest.mark.parametrize("header", ["a", "a,b"])
def test_a_table_may_end_where_a_chunk_does(header: str, count: int) -> None:
    """Nothing comes after the last row, however many there are, and a quote that is open is found all the same."""
    row = '"1"' + ",2" * header.count(",") + "\n"
    rows, fault = outcome(io.BytesIO(f"{header}\n{row * count}".encode()), ParsedTable(Dialect()))
    assert (len(rows), rows[-1], fault) == (count, rows[0], "")

    rows, fault = outcome(io.BytesIO(f'{header}\n{row * count}"'.encode()), ParsedTable(Dialect()))
    assert len(rows) == count
    assert fault.startswith(f"the quote that opens on line {count + 2} is never closed")


def test_a_quote_that_never_closes_in_the_header_is_a_fault_of_the_file() -> None:
    """The header would be all that the file has."""
    with pytest.raises(BadFileError, match="the quote that opens on line 2 is never closed"):
        Table(Dialect()).check(io.BytesIO(b'\n"a,b\n1,2\n'), Wanted())


def test_a_file_may_end_in_a_quoted_cell_that_is_closed() -> None:
    """With a line end after it, or without."""
    assert rows_of('a,b\n1,"2"') == rows_of('a,b\n1,"2"\n') == [{"a": "1", "b": "2"}]


def test_an_endless_line_is_refused_in_time() -> None:
    """Of a line that is not quoted, no more is read than of one that is."""
    stream = io.BytesIO(b"a,b\n1,2\n3," + b"x" * (8 * 2**20))
    with pytest.raises(BadFileError, match="a record is longer than 1 MiB"):
        list(Table(Dialect()).read(stream, Wanted(), longest=2**20))
    assert stream.tell() < 3 * 2**20


def test_a_cell_of_many_lines_is_measured_as_a_whole() -> None:
    """The limit is for a record, not for a line."""
    with pytest.raises(BadFileError, match="longer than 1 MiB"):
        rows_of('a,b\n1,"' + "x,y\n" * 2_000_000, longest=2**20)


@pytest.mark.slow
def test_a_table_may_be_much_longer_than_its_longest_row() -> None:
    """The limit starts anew at each row."""
    assert len(rows_of("a,b\n" + "1,2\n" * 400_000, longest=2**20)) == 400_000


def test_large_rows_come_in_small_chunks() -> None:
    """A thousand rows of any size don't pile up in memory."""
    text = "a,b\n" + f"1,{'x' * 100_000}\n" * 100
    assert max(len(chunk.rows) for chunk in Table(Dialect()).read(io.BytesIO(text.encode()), Wanted())) < 30
