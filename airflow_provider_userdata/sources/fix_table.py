"""Reads the table of `userdata rejects export` after somebody has edited it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources.file_limits import LONGEST
from airflow_provider_userdata.sources.reject_cells import ABOUT, POSITION
from airflow_provider_userdata.sources.xlsx import XlsxError, is_xlsx, xlsx_sheets

_DELIMITERS = (",", ";", "\t")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
Rows = Sequence[tuple[int, Sequence[str]]]
"""A table's rows, each with its number."""


@dataclass(frozen=True)
class FixRow:
    """A record as the table has it.

    :param number: of its row, as spreadsheets count: the header is row 1.
    :param cells: by column.
    """

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class FixTable:
    """An edited table of rejects.

    :param name: of its file.
    :param columns: the records' own.
    :param rows: by position.
    :param is_xlsx: whether it is a file of Excel's.
    """

    name: str
    columns: Sequence[str]
    rows: Mapping[int, FixRow]
    is_xlsx: bool


def read_fix_table(path: Path) -> FixTable:
    """Read a table.

    :raises SourceError: if it can't be used.
    """
    try:
        excels = is_xlsx(path)
        header, rows = _first_table(xlsx_sheets(path) if excels else _csv_tables(path))
        _check_header(header)
        own = [name for name in header if name and not name.startswith(ABOUT)]
        return FixTable(path.name, own, _rows(header, rows), excels)
    except UnicodeDecodeError:
        raise unusable(path, "is not UTF-8; save it as CSV UTF-8") from None
    except OSError as error:
        raise unusable(path, f"can't be read: {error.strerror or type(error).__name__}") from None
    except (_TableError, XlsxError, csv.Error) as error:
        raise unusable(path, str(error)) from None


def unusable(path: Path, what: str) -> SourceError:
    """Return the error of a table that can't be used.

    :param what: is wrong with it, without content of its cells.
    """
    return SourceError(f"source: the corrections in {path} can't be used: the table {what}")


class _TableError(Exception):
    """What is wrong with a table."""


def _csv_tables(path: Path) -> Iterator[Iterable[list[str]]]:
    """Yield the rows of a CSV, by each of the delimiters that spreadsheets write."""
    raw = path.read_bytes()
    text = raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig")
    if csv.field_size_limit() < LONGEST:
        csv.field_size_limit(LONGEST)  # for the whole process: `csv` has no other
    for delimiter in _DELIMITERS:
        yield csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _first_table(tables: Iterable[Iterable[Sequence[str]]]) -> tuple[Sequence[str], Rows]:
    """Return the header of the first table that has one, and the rows below, each with its number."""
    for table in tables:
        rows = enumerate(table, start=1)
        header = next((cells for _, cells in rows if any(cells)), [])
        if POSITION in header:
            return header, list(rows)
    raise _TableError(
        f"has no column {POSITION!r} in its first row, which says whose row is whose; export the rejects without "
        "--records-only, and leave that column in"
    )


def _check_header(header: Sequence[str]) -> None:
    twice = [name for name, count in Counter(filter(None, header)).items() if count > 1]
    if twice:
        raise _TableError(f"has the column {twice[0]!r} twice")


def _rows(header: Sequence[str], rows: Rows) -> dict[int, FixRow]:
    found: dict[int, FixRow] = {}
    for number, cells in rows:
        if not any(cells):
            continue
        if any(cells[len(header) :]):
            raise _TableError(f"has {len(cells)} cells in row {number} where the header has {len(header)}")
        row = dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=False))
        position = row[POSITION].strip()
        if not (position.isascii() and position.isdecimal()):
            raise _TableError(
                f"has no position in row {number}: only exported records can be corrected. Remove the row, or upload a "
                "new record with the source"
            )
        if (before := found.get(int(position))) is not None:
            raise _TableError(f"has the record of row {before.number} again in row {number}: remove one of them")
        found[int(position)] = FixRow(number, row)
    return found
