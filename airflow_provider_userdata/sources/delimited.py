"""CSV and TSV: a header, then rows of text cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, compress, islice, repeat
from typing import IO, Any, NamedTuple

from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, TableRows, TextRow, Unreadable
from airflow_provider_userdata.sources.file_limits import (
    BOM,
    HEAD,
    LONGEST,
    ROWS,
    BadFileError,
    EmptyFileError,
    Readable,
)
from airflow_provider_userdata.sources.headers import Wanted, checked_header
from airflow_provider_userdata.sources.sniffing import beginning_of
from airflow_provider_userdata.sources.table_cutter import Cutter
from airflow_provider_userdata.sources.table_grammar import Dialect

_BUFFER = 2**17
"""Bytes per read: small enough that the allocator reuses the memory instead of requesting it from the system."""
_ERRORS = "surrogateescape"
"""An invalid byte must reject its own row, not end the file: it becomes a lone surrogate, which every check rejects."""


class Table:
    """A kind of table.

    :param dialect: how cells are separated and quoted.
    :param line: the number of the first line that is read.
    """

    def __init__(self, dialect: Dialect, line: int = 1) -> None:
        self._dialect = dialect
        self._line = line
        self._delimiter = dialect.delimiter
        self._marks = [mark.encode() for mark in (dialect.quote, dialect.escape) if mark]
        self._begins_empty = re.compile(b"\n" + re.escape(self._delimiter.encode()))
        self._text = bytes(set(range(256)) - {*self._delimiter.encode(), *b"\r\n"})

    def check(self, stream: IO[bytes], wanted: Wanted) -> None:
        """Check the beginning.

        :raises BadFileError: if it looks like JSON, or the header or the first record is not valid.
        """
        if re.match(rb'\s*+(?:\[\s*+[{\]]|\{\s*+["}])', beginning_of(stream).removeprefix(BOM)):
            raise BadFileError(
                "it looks like JSON; let its name end in .json, or if it is JSON lines, in .jsonl, or name its format, "
                "as in FileSource(path, format='json')"
            )
        next(self._pieces(stream, wanted, LONGEST, HEAD))

    def read(
        self, stream: Readable, wanted: Wanted, *, longest: int = LONGEST, block: int = _BUFFER
    ) -> Iterator[Chunk]:
        """Yield the rows as `TextRow`, or as `Unreadable` if their width differs from the header's.

        :param longest: about the most bytes of a row.
        :param block: bytes per read.
        :raises BadFileError: if the file is not a valid table; rows before the fault are yielded first.
        """
        for header, piece in self._pieces(stream, wanted, longest, block):
            yield from _chunks_of_columns(header, *piece) if isinstance(piece, _Columns) else _chunks(header, piece)

    def _pieces(
        self, stream: Readable, wanted: Wanted, longest: int, block: int
    ) -> Iterator[tuple[Header, _Piece | _Columns]]:
        """Yield the header with the rows of the next piece of the file.

        Empty rows are skipped. In a table of one column, a row that is only a delimiter is not empty.
        """
        header: Header | None = None
        for line, text in Cutter(stream, self._dialect, longest, block, self._line):
            rows = self._quoted if any(mark in text for mark in self._marks) else self._unquoted
            if header is not None:
                width = len(header.names)
                yield header, self._columns(text, line, width) or rows(text, line, width)
            elif (names := next(_filled(rows(text, line, 0).rows), None)) is not None:
                header = checked_header(names, wanted, self._delimiter)
                piece = rows(text, line, len(names))
                filled = (number for number, cells in enumerate(piece.rows, start=1) if _is_filled(cells))
                yield header, _Piece(piece.lines[next(filled) :], piece.rows)
        if header is None:
            raise EmptyFileError("it is empty: its first line should be a header")

    def _columns(self, text: bytes, line: int, width: int) -> _Columns | None:
        """Split a text at once if no cell is quoted, and all lines are alike: takes half as long as line by line."""
        delimiter = self._delimiter
        if width == 1 or any(mark in text for mark in self._marks) or self._may_have_empty_rows(text):
            return None
        end = "\r\n" if text.endswith(b"\r\n") else "\n"
        count = text.count(b"\n")
        if text.translate(None, self._text) != (delimiter * (width - 1) + end).encode() * count:
            return None
        cells = str(text, "utf-8", _ERRORS).replace(end, delimiter).split(delimiter)
        last = count * width
        return _Columns(range(line, line + count), [cells[place:last:width] for place in range(width)])

    def _unquoted(self, text: bytes, line: int, width: int) -> _Piece:
        """Split lines at the delimiter: takes half as long as `csv`, and the event loop has to wait meanwhile."""
        lines = _lines(text)
        numbers: Sequence[int] = range(line, line + len(lines))
        if width != 1 and self._may_have_empty_rows(text):
            kept = [bool(each.strip(self._delimiter)) for each in lines]
            lines, numbers = list(compress(lines, kept)), list(compress(numbers, kept))
        elif not all(lines):
            numbers = list(compress(numbers, lines))
            lines = list(filter(None, lines))
        return _Piece(numbers, map(str.split, lines, repeat(self._delimiter)))

    def _quoted(self, text: bytes, line: int, width: int) -> _Piece:
        if csv.field_size_limit() < 2 * LONGEST:
            csv.field_size_limit(2 * LONGEST)  # for the whole process: `csv` has no other; never lowered
        lines = io.StringIO(str(text, "utf-8", _ERRORS), newline="").readlines()
        rows = list(self._reader(lines))
        numbers: Sequence[int] = range(line, line + len(rows) + 1)
        if len(rows) < len(lines):  # some cells have more than a line
            numbers = list(accumulate(map(_height, rows), initial=line))
        kept: Sequence[Any] = rows
        if width != 1 and self._may_have_empty_rows(text):
            # A row of empty cells is kept if one is quoted: somebody wrote it.
            quote = self._dialect.quote
            after = [number - line for number in numbers[1:]]
            kept = [
                any(cells) or (quote is not None and quote in lines[end - 1])
                for cells, end in zip(rows, after, strict=True)
            ]
        if not all(kept):
            rows, numbers = list(compress(rows, kept)), list(compress(numbers, kept))
        return _Piece(numbers[: len(rows)], iter(rows))

    def _reader(self, lines: Iterable[str]) -> Any:
        """Return a reader of the `csv` module for this dialect."""
        return csv.reader(
            lines,
            delimiter=self._delimiter,
            quotechar=self._dialect.quote,
            quoting=csv.QUOTE_MINIMAL if self._dialect.quote else csv.QUOTE_NONE,
            escapechar=self._dialect.escape,
            strict=True,
        )

    def _may_have_empty_rows(self, text: bytes) -> bool:
        first_is_empty = text.startswith(self._delimiter.encode()) or self._begins_empty.search(text)
        return bool(first_is_empty) or b"\n" not in text


class _Piece(NamedTuple):
    """Some rows of a table.

    :param lines: for each row, the number of its first line.
    """

    lines: Sequence[int]
    rows: Iterator[list[str]]


class _Columns(NamedTuple):
    """Some rows of a table whose lines are alike.

    :param lines: for each row, the number of its line.
    """

    lines: range
    columns: list[list[str]]


def _height(cells: list[str]) -> int:
    """Return the number of a row's lines."""
    text = "\0".join(cells)
    return 1 + text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)


def _lines(text: bytes) -> list[str]:
    # `str.splitlines` also splits at characters that are not line ends to `csv`; `bytes.splitlines` doesn't.
    if b"\r" in text:
        return [str(line, "utf-8", _ERRORS) for line in text.splitlines()]
    return str(text, "utf-8", _ERRORS).split("\n")[:-1]


def _chunks(header: Header, piece: _Piece) -> Iterator[Chunk]:
    width = len(header.names)
    lines, first = piece.lines, 0
    while part := list(islice(piece.rows, ROWS)):
        numbers = lines[first : first + len(part)]
        first += len(part)
        if set(map(len, part)) == {width}:
            yield Chunk(RowFormat.CELLS, TableRows.of(header, part, texts=True), lines=numbers)
            continue
        kept = [len(cells) == width or not _is_blank(cells) for cells in part]
        numbers = list(compress(numbers, kept))
        rows = [
            TextRow(header, cells) if len(cells) == width else _misfit(cells, header) for cells in compress(part, kept)
        ]
        if rows:
            yield Chunk(RowFormat.CELLS, rows, lines=numbers)


def _chunks_of_columns(header: Header, lines: range, columns: list[list[str]]) -> Iterator[Chunk]:
    rows = TableRows(header, columns, len(lines), texts=True)
    for first in range(0, len(lines), ROWS):
        yield Chunk(RowFormat.CELLS, rows[first : first + ROWS], lines=lines[first : first + ROWS])


def _filled(table: Iterable[list[str]]) -> Iterator[list[str]]:
    return filter(_is_filled, table)


def _is_filled(cells: list[str]) -> bool:
    return any(map(str.strip, cells))


def _is_blank(cells: list[str]) -> bool:
    return len(cells) == 1 and not cells[0].strip()


def _misfit(cells: list[str], header: Header) -> Unreadable:
    noun = "cell" if len(cells) == 1 else "cells"
    return Unreadable(cells, f"has {len(cells)} {noun} where the header has {len(header.names)}", header)
