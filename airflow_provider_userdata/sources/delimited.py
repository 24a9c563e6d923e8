"""CSV and TSV: a header, then rows of text cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice, repeat
from typing import IO, Any

from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, TextRow, Unreadable
from airflow_provider_userdata.sources.file_limits import BOM, LONGEST, ROWS, BadFileError, EmptyFileError, Readable
from airflow_provider_userdata.sources.headers import Wanted, checked_header
from airflow_provider_userdata.sources.sniffing import beginning_of
from airflow_provider_userdata.sources.table_cutter import Cutter

_BUFFER = 2**17
"""Bytes per read: small enough that the allocator reuses the memory instead of requesting it from the system."""
_ERRORS = "surrogateescape"
"""An invalid byte must reject its own row, not end the file: it becomes a lone surrogate, which every check rejects."""


class Table:
    """A kind of table, CSV or TSV.

    :param dialect: the name of the dialect in the `csv` module: how cells are separated and quoted.
    """

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._delimiter = csv.get_dialect(dialect).delimiter
        self._begins_empty = re.compile(b"\n" + self._delimiter.encode())

    def check(self, stream: IO[bytes], wanted: Wanted) -> None:
        """Check the beginning.

        :raises BadFileError: if it looks like JSON, or the header or the first record is not valid.
        """
        if re.match(rb'\s*+(?:\[\s*+[{\]]|\{\s*+["}])', beginning_of(stream).removeprefix(BOM)):
            raise BadFileError("it looks like JSON; let its name end in .json, or if it is JSON lines, in .jsonl")
        next(self._tables(stream, wanted, LONGEST, _BUFFER))

    def read(
        self, stream: Readable, wanted: Wanted, *, longest: int = LONGEST, block: int = _BUFFER
    ) -> Iterator[Chunk]:
        """Yield the rows as `TextRow`, or as `Unreadable` if their width differs from the header's.

        :param longest: about the most bytes of a row.
        :param block: bytes per read.
        :raises BadFileError: if the file is not a valid table; rows before the fault are yielded first.
        """
        for header, table in self._tables(stream, wanted, longest, block):
            yield from _chunks(header, table)

    def _tables(
        self, stream: Readable, wanted: Wanted, longest: int, block: int
    ) -> Iterator[tuple[Header, Iterator[list[str]]]]:
        """Yield the header with the rows of the next piece of the file.

        Empty rows are skipped. In a table of one column, a row that is only a delimiter is not empty.
        """
        header: Header | None = None
        for text in Cutter(stream, self._delimiter, longest, block):
            rows = self._quoted if b'"' in text else self._unquoted
            if header is not None:
                yield header, iter(rows(text, len(header.names)))
            elif (names := next(_filled(rows(text, 0)), None)) is not None:
                header = checked_header(names, wanted, self._delimiter)
                table = iter(rows(text, len(names)))
                next(_filled(table))  # the header
                yield header, table
        if header is None:
            raise EmptyFileError("it is empty: its first line should be a header")

    def _unquoted(self, text: bytes, width: int) -> Iterable[list[str]]:
        """Split lines at the delimiter: takes half as long as `csv`, and the event loop has to wait meanwhile."""
        lines: Iterable[str] = _lines(text)
        if width != 1 and self._may_have_empty_rows(text):
            lines = [line for line in lines if line.strip(self._delimiter)]
        return map(str.split, filter(None, lines), repeat(self._delimiter))

    def _quoted(self, text: bytes, width: int) -> Iterable[list[str]]:
        if csv.field_size_limit() < 2 * LONGEST:
            csv.field_size_limit(2 * LONGEST)  # for the whole process: `csv` has no other; never lowered
        lines = io.StringIO(str(text, "utf-8", _ERRORS), newline="").readlines()
        reader = csv.reader(lines, self._dialect, strict=True)
        if width != 1 and self._may_have_empty_rows(text):
            # A row of empty cells is kept if one is quoted: somebody wrote it.
            return [cells for cells in reader if any(cells) or '"' in lines[reader.line_num - 1]]
        return filter(None, reader)

    def _may_have_empty_rows(self, text: bytes) -> bool:
        first_is_empty = text.startswith(self._delimiter.encode()) or self._begins_empty.search(text)
        return bool(first_is_empty) or b"\n" not in text


def _lines(text: bytes) -> list[str]:
    # `str.splitlines` also splits at characters that are not line ends to `csv`; `bytes.splitlines` doesn't.
    if b"\r" in text:
        return [str(line, "utf-8", _ERRORS) for line in text.splitlines()]
    return str(text, "utf-8", _ERRORS).split("\n")[:-1]


def _chunks(header: Header, table: Iterator[list[str]]) -> Iterator[Chunk]:
    width = len(header.names)
    while part := list(islice(table, ROWS)):
        rows: list[Any] = [TextRow(header, cells) for cells in part if len(cells) == width]
        if len(rows) < len(part):
            rows = [
                TextRow(header, cells) if len(cells) == width else _misfit(cells, width)
                for cells in part
                if len(cells) == width or not _is_blank(cells)
            ]
        if rows:
            yield Chunk(RowFormat.CELLS, rows)


def _filled(table: Iterable[list[str]]) -> Iterator[list[str]]:
    return (cells for cells in table if any(map(str.strip, cells)))


def _is_blank(cells: list[str]) -> bool:
    return len(cells) == 1 and not cells[0].strip()


def _misfit(cells: list[str], width: int) -> Unreadable:
    noun = "cell" if len(cells) == 1 else "cells"
    return Unreadable(cells, f"has {len(cells)} {noun} where the header has {width}")
