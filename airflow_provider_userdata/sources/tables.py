"""CSV and TSV: a header, then rows of text cells."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice, repeat
from typing import Any

from airflow_provider_userdata.delivery.chunks import Cells, Chunk, Form, Header, Unreadable
from airflow_provider_userdata.sources.streams import BLOCK, LONGEST, ROWS, BadFileError, Meter, Readable
from airflow_provider_userdata.sources.unquoted import ERRORS, UnquotedLines

_BUFFER = 2**17
"""How many bytes are read at once: few enough that the memory for them is not fetched from the system each time."""
_END = f"\0{uuid.uuid4().hex}"
"""Both cells of a line after the last: `csv` says nothing of a quote that is open at the end, which makes them one."""


class Table:
    """A kind of table.

    :param dialect: how its cells are separated and quoted, as the `csv` module names it.
    """

    __slots__ = ("_dialect",)

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect

    def look(self, stream: Readable) -> list[str]:
        """Give the header.

        :param stream: the file.
        """
        return list(_CsvRows(stream, self._dialect, LONGEST).header.names)

    def read(self, stream: Readable, *, longest: int = LONGEST, block: int = _BUFFER) -> Iterator[Chunk]:
        """Give the rows as `Cells`; a row of another width than the header's is `Unreadable`.

        :param stream: the file.
        :param longest: about the most bytes of a row.
        :param block: how many bytes are read at once where nothing is quoted; 0 leaves all to the `csv` module.
        """
        unquoted = UnquotedLines(stream, block)
        delimiter = csv.get_dialect(self._dialect).delimiter
        header: Header | None = None
        for lines in unquoted:
            # Half of what `csv` takes, and the loop has to wait meanwhile.
            table = map(str.split, filter(None, lines), repeat(delimiter))
            header = header or _find_header(table)
            if header is not None:
                yield from _chunks(header, table)
        yield from _CsvRows(unquoted, self._dialect, longest, header, unquoted.count).chunks()


class _CsvRows:
    """The rows that the `csv` module reads, of a file or of what is left of one.

    The header is read too, unless it was among the lines before.
    """

    def __init__(
        self, stream: Readable, dialect: str, longest: int, header: Header | None = None, lines_before: int = 0
    ) -> None:
        if csv.field_size_limit() < LONGEST:
            csv.field_size_limit(LONGEST)  # the process's, for `csv` has no other; never lowered
        self._lines_before = lines_before
        self._meter = Meter(stream, longest)
        encoding = "utf-8" if lines_before else "utf-8-sig"
        buffered = io.BufferedReader(self._meter, _BUFFER)
        text = io.TextIOWrapper(buffered, encoding, ERRORS, newline="")
        self._reader = csv.reader(chain(text, (csv.get_dialect(dialect).delimiter.join((_END, _END)),)), dialect)
        self.header = header or self._read_header()

    def chunks(self) -> Iterator[Chunk]:
        more = True
        while more:
            rows: list[Any] = []
            fault: BadFileError | None = None
            try:
                more = self._read_into(rows)
            except BadFileError as error:
                fault = error
            if rows:
                yield Chunk(Form.CELLS, rows)
            if fault is not None:
                raise fault

    def _read_into(self, rows: list[Any]) -> bool:
        """Add the rows of one chunk to a list, and say whether there may be more.

        :raises BadFileError: if the file ends within a quoted cell.
        """
        header, width, meter = self.header, len(self.header.names), self._meter
        meter.next_record()
        begun = count = meter.count
        cells: list[str] = []
        with self._long_cells_refused():
            for cells in self._reader:
                if len(cells) == width:
                    rows.append(Cells(header, cells))
                elif not _is_blank(cells):
                    rows.append(_misfit(cells, width))
                if meter.count != count:
                    meter.next_record()
                    count = meter.count
                # By bytes too: a thousand rows may be large.
                if len(rows) == ROWS or count - begun > BLOCK:
                    break
        if not (cells and cells[-1].endswith(_END)):
            return True
        rows.pop()
        self._check_end(cells)
        return False

    def _check_end(self, last: list[str]) -> None:
        """See that the line after the last is a row of its own.

        :raises BadFileError: if it isn't: whatever came after the quote that is open may be other people's rows.
        """
        if last == [_END, _END]:
            return
        text = last[-1].partition(_END)[0].replace("\r\n", "\n").replace("\r", "\n")
        line = self._lines_before + self._reader.line_num - 1 - text.removesuffix("\n").count("\n")
        raise BadFileError(f"the quote that opens on line {line} is never closed")

    def _read_header(self) -> Header:
        with self._long_cells_refused():
            header = _find_header(self._measured())
        if header is None:
            raise BadFileError("it is empty: its first line should be a header")
        return header

    def _measured(self) -> Iterator[list[str]]:
        for cells in self._reader:
            self._meter.next_record()
            if cells and cells[-1].endswith(_END):
                self._check_end(cells)
                return
            yield cells

    @contextmanager
    def _long_cells_refused(self) -> Iterator[None]:
        try:
            yield
        except csv.Error:
            # Of what `csv` raises for text, only this is left: it is told to be lenient, and the text has no odd ends.
            line = self._lines_before + self._reader.line_num
            raise BadFileError(f"line {line} has a cell longer than {LONGEST // 2**20} MiB") from None


def _chunks(header: Header, table: Iterator[list[str]]) -> Iterator[Chunk]:
    width = len(header.names)
    while part := list(islice(table, ROWS)):
        rows = [
            Cells(header, cells) if len(cells) == width else _misfit(cells, width)
            for cells in part
            if len(cells) == width or not _is_blank(cells)
        ]
        if rows:
            yield Chunk(Form.CELLS, rows)


def _find_header(table: Iterable[list[str]]) -> Header | None:
    for cells in table:
        if not _is_blank(cells):
            _check_header(cells)
            return Header(tuple(cells))
    return None


def _check_header(header: list[str]) -> None:
    # By number, not by name: where the header is missing, the first line is somebody's data.
    seen: dict[str, int] = {}
    for number, name in enumerate(header, start=1):
        if not name.strip():
            raise BadFileError(f"column {number} of its header has no name")
        if name in seen:
            raise BadFileError(f"columns {seen[name]} and {number} of its header have the same name")
        if not name.isascii() and any("\udc80" <= letter <= "\udcff" for letter in name):
            raise BadFileError("its header isn't UTF-8")
        seen[name] = number


def _is_blank(cells: list[str]) -> bool:
    return not cells or (len(cells) == 1 and not cells[0].strip())


def _misfit(cells: list[str], width: int) -> Unreadable:
    noun = "cell" if len(cells) == 1 else "cells"
    return Unreadable(cells, f"has {len(cells)} {noun} where the header has {width}")
