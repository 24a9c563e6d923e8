"""CSV and TSV: a header, then rows of text cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from airflow_provider_userdata.delivery.chunks import Cells, Chunk, Form, Header, Unreadable
from airflow_provider_userdata.sources.streams import BLOCK, LONGEST, ROWS, BadFileError, Meter

_BUFFER = 2**18


class Table:
    """A kind of table.

    :param dialect: how its cells are separated and quoted, as the `csv` module names it.
    """

    __slots__ = ("_dialect",)

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect

    def look(self, stream: IO[bytes]) -> list[str]:
        """Give the header.

        :param stream: the file.
        """
        return _Rows(stream, self._dialect, LONGEST).header

    def read(self, stream: IO[bytes], *, longest: int = LONGEST) -> Iterator[Chunk]:
        """Give the rows as `Cells`; a row of another width than the header's is `Unreadable`.

        :param stream: the file.
        :param longest: about the most bytes of a row.
        """
        source = _Rows(stream, self._dialect, longest)
        more = True
        while more:
            rows: list[Any] = []
            fault: BadFileError | None = None
            try:
                more = source.read_into(rows)
            except BadFileError as error:
                fault = error
            if rows:
                yield Chunk(Form.CELLS, rows)
            if fault is not None:
                raise fault


class _Rows:
    """The rows of one file, behind its header."""

    def __init__(self, stream: IO[bytes], dialect: str, longest: int) -> None:
        if csv.field_size_limit() < LONGEST:
            csv.field_size_limit(LONGEST)  # the process's, for `csv` has no other; never lowered
        self._meter = Meter(stream, longest)
        # A bad byte must reject its own row, not end the file: it becomes a lone surrogate, which no check lets pass.
        text = io.TextIOWrapper(
            io.BufferedReader(self._meter, _BUFFER), encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
        self._reader = csv.reader(text, dialect)
        self.header = self._read_header()
        self._header = Header(tuple(self.header))

    def read_into(self, rows: list[Any]) -> bool:
        """Add the rows of one chunk to a list, and say whether there may be more."""
        header, width, meter = self._header, len(self.header), self._meter
        meter.next_record()
        begun = count = meter.count
        with self._long_cells_refused():
            for cells in self._reader:
                if len(cells) == width:
                    rows.append(Cells(header, cells))
                elif not _is_blank(cells):
                    noun = "cell" if len(cells) == 1 else "cells"
                    rows.append(Unreadable(cells, f"has {len(cells)} {noun} where the header has {width}"))
                if meter.count != count:
                    meter.next_record()
                    count = meter.count
                # By bytes too: a thousand rows may be large.
                if len(rows) == ROWS or count - begun > BLOCK:
                    return True
        return False

    def _read_header(self) -> list[str]:
        with self._long_cells_refused():
            for header in self._reader:
                self._meter.next_record()
                if not _is_blank(header):
                    _check_header(header)
                    return header
        raise BadFileError("it is empty: its first line should be a header")

    @contextmanager
    def _long_cells_refused(self) -> Iterator[None]:
        try:
            yield
        except csv.Error:
            # Of what `csv` raises for text, only this is left: it is told to be lenient, and the text has no odd ends.
            raise BadFileError(f"line {self._reader.line_num} has a cell longer than {LONGEST // 2**20} MiB") from None


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
