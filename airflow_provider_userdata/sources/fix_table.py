"""Reads the table of `userdata rejects export` after somebody has edited it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources.file_limits import LONGEST
from airflow_provider_userdata.sources.reject_cells import ABOUT, POSITION

_DELIMITERS = (",", ";", "\t")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


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
    """

    name: str
    columns: Sequence[str]
    rows: Mapping[int, FixRow]


def read_fix_table(path: Path) -> FixTable:
    """Read a table.

    :raises SourceError: if it can't be used.
    """
    try:
        rows = _csv_rows(path)
        header = next((cells for _, cells in rows if any(cells)), [])
        _check_header(header)
        return FixTable(
            path.name, [name for name in header if name and not name.startswith(ABOUT)], _rows(header, rows)
        )
    except UnicodeDecodeError:
        raise unusable(path, "is not UTF-8; save it as CSV UTF-8") from None
    except OSError as error:
        raise unusable(path, f"can't be read: {error.strerror or type(error).__name__}") from None
    except (_TableError, csv.Error) as error:
        raise unusable(path, str(error)) from None


def unusable(path: Path, what: str) -> SourceError:
    """Return the error of a table that can't be used.

    :param what: is wrong with it, without content of its cells.
    """
    return SourceError(f"source: the corrections in {path} can't be used: the table {what}")


class _TableError(Exception):
    """What is wrong with a table."""


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Return an iterator of rows, each with its number."""
    raw = path.read_bytes()
    text = raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig")
    if csv.field_size_limit() < LONGEST:
        csv.field_size_limit(LONGEST)  # for the whole process: `csv` has no other
    for delimiter in _DELIMITERS:
        rows = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1)
        if any(POSITION in cells for _, cells in rows):
            return enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1)
    raise _TableError(
        f"has no column {POSITION!r}, which says whose row is whose; export the rejects without --records-only, and "
        "leave that column in"
    )


def _check_header(header: Sequence[str]) -> None:
    if POSITION not in header:
        raise _TableError(f"has no column {POSITION!r} in its first row: leave the header where it was")
    twice = [name for name, count in Counter(filter(None, header)).items() if count > 1]
    if twice:
        raise _TableError(f"has the column {twice[0]!r} twice")


def _rows(header: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> dict[int, FixRow]:
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
