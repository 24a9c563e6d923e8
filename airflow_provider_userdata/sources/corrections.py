"""Corrections from a spreadsheet: the table of `userdata rejects export`, after somebody has edited it."""

from __future__ import annotations

import csv
import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.reading import TextRecord
from airflow_provider_userdata.delivery.recording import RejectedLine
from airflow_provider_userdata.errors import SourceError

ABOUT = "userdata: "
"""How the columns begin that are not the record's own."""
WHOLE = "record"
"""The column of records that have no fields."""
_WHOLES = (WHOLE, "$text", "$base64")
"""The columns of such records, and of lines that are not JSON."""
_POSITION = f"{ABOUT}position"
_DELIMITERS = (",", ";", "\t")


def cell_of(value: object) -> str:
    """Return a value as a cell: text as it is, nothing as nothing, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class Corrections:
    """A `fix` for `RejectsSource`: takes each record's cells from the edited table of `userdata rejects export`.

    A value whose cell nobody changed stays as it was. A cell that was changed is a text where a text was or where the
    source has no types, as in a CSV; elsewhere it is what it says as JSON, or else a text. A record whose row was
    removed from the table is left out.

    :param path: the table, which still has the column with the position: of one run's rejects.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).expanduser()

    def __call__(self, record: Any, line: RejectedLine) -> Any:
        """Return a record as the table has it; None if it isn't there."""
        cells = self._rows.get(line.position)
        if cells is None:
            return None
        before = msgspec.json.decode(line.record)
        if not isinstance(record, dict) or not isinstance(before, dict):
            own = {name: _as_json(text) for name, text in cells.items() if name not in _WHOLES and text}
            whole = next((cells[name] for name in _WHOLES if cells.get(name)), cell_of(record))
            return own or (record if whole == cell_of(record) else _as_json(whole))
        changed = {name: text for name, text in cells.items() if text != cell_of(before.get(name))}
        is_text = type(record) is TextRecord
        new = {name: text if is_text else _typed(text, before.get(name)) for name, text in changed.items()}
        return TextRecord({**record, **new}) if is_text else {**record, **new}

    @functools.cached_property
    def _rows(self) -> Mapping[int, dict[str, str]]:
        """The cells of the records' own columns, by position."""
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise self._fault("is not UTF-8; save it as CSV UTF-8") from None
        except OSError as error:
            raise self._fault(f"can't be read: {error.strerror or type(error).__name__}") from None
        for delimiter in _DELIMITERS:
            rows = csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter)
            if _POSITION in (rows.fieldnames or ()):
                return dict(self._row(number, row) for number, row in enumerate(rows, start=2))
        raise self._fault(f"has no column {_POSITION!r}; export the rejects without --records-only")

    def _row(self, number: int, row: Mapping[str, str | None]) -> tuple[int, dict[str, str]]:
        position = row[_POSITION] or ""
        if not position.isdecimal():
            raise self._fault(f"has no position in row {number}")
        own = {name: cell or "" for name, cell in row.items() if name is not None and not name.startswith(ABOUT)}
        return int(position), own

    def _fault(self, what: str) -> SourceError:
        return SourceError(f"source: the corrections in {self._path} can't be used: the table {what}")


def _typed(cell: str, before: object) -> Any:
    """Return a changed cell as a value of the kind that it had."""
    if isinstance(before, str):
        return cell
    return _as_json(cell) if cell else None


def _as_json(cell: str) -> Any:
    try:
        return msgspec.json.decode(cell)
    except msgspec.DecodeError:
        return cell
