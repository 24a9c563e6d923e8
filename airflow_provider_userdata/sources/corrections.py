"""Corrections from a spreadsheet: the table of `userdata rejects export`, after somebody has edited it."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

import msgspec

from airflow_provider_userdata.delivery.reading import TextRecord
from airflow_provider_userdata.delivery.recording import RejectedLine
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources.fix_changes import Changes
from airflow_provider_userdata.sources.fix_table import FixRow, FixTable, read_fix_table, unusable
from airflow_provider_userdata.sources.fix_users import UserCells
from airflow_provider_userdata.sources.lost_form import is_cut, lost_form
from airflow_provider_userdata.sources.reject_cells import MARK, MISFIT, WHOLES, cell_of, fields_of, is_misfit, mark_of

_log = logging.getLogger(__name__)
REFORMATTED = ("refuse", "original", "table")
"""What may be done with values that only lost their form."""
_ADVICE = (
    "Say Corrections(…, reformatted='original') to send those values as they were, or reformatted='table' to send them "
    "as the table has them"
)
_NEXT_TIME = ". Next time, export with --xlsx: in Excel's own file values keep their form"


class Corrections:
    """A `fix` for `RejectsSource`: takes each record's cells from the edited table of `userdata rejects export`.

    A value whose cell nobody changed stays as it was. A cell that was changed is a text where a text was or where the
    source has no types, as in a CSV; elsewhere it is what it says as JSON, or else a text. A record whose row was
    removed from the table is left out.

    Spreadsheets change the form of values by themselves: `000046` becomes `46`. Before anything is sent, the whole
    table is compared with the rejects, and such changes are refused.

    :param path: the table, which still has the column with the position: of one run's rejects.
    :param reformatted: what to do with values that only lost their form: `refuse` them, so that nothing is sent, take
        the `original` values, or those of the `table`. Default: `refuse`.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, reformatted: Literal["refuse", "original", "table"] = "refuse"
    ) -> None:
        self._path = Path(path).expanduser()
        self.reformatted = reformatted
        self.changes: Changes | None = None
        """What the table changes; None before it was compared."""
        self.users: UserCells | None = None
        """Is told what becomes of the cells that name users."""
        self.advice = _ADVICE
        """What to do if values only lost their form, as the refusal says it."""

    @functools.cached_property
    def table(self) -> FixTable:
        """The table."""
        return read_fix_table(self._path)

    def compare(self, lines: Iterable[RejectedLine]) -> None:
        """Find out what the table changes of the rejects that are to be sent again.

        :raises SourceError: if the table can't be used, or values only lost their form.
        """
        if self.reformatted not in REFORMATTED:
            raise SourceError(f"source: Corrections: reformatted must be one of {', '.join(map(repr, REFORMATTED))}")
        changes, columns = Changes(), dict[str, None]()
        self.users = None if self.users is None else self.users.anew()
        for line in lines:
            row = self.table.rows.get(line.position)
            if row is None:
                changes.removed += 1
                continue
            if row.cells.get(MARK, "") not in ("", mark_of(line)):
                raise unusable(
                    self._path,
                    f"has in row {row.number} another record than the run has there. Name the run that it was exported "
                    "of with --run-id, and of a mapped task the instance with --map-index",
                )
            changes.compared += 1
            before = fields_of(line)
            columns.update(dict.fromkeys(before))
            changed = list(self._changed(before, row))
            for name, was, form in changed:
                changes.add(name, row.number, form=form, filled=not was.strip())
            if self.users is not None:
                taken = [name for name, _, form in changed if self._takes(form)]
                self._compare_user(self.users, line, row, taken)
        self._check_columns(columns)
        self.changes = changes
        _log.info("%s changes %s; %d records have no row in it", self.table.name, changes.summary(), changes.removed)
        if changes.reformatted and self.reformatted == "refuse":
            raise self._refused(changes)

    def __call__(self, record: Any, line: RejectedLine) -> Any:
        """Return a record as the table has it; None if it isn't there."""
        row = self.table.rows.get(line.position)
        if row is None:
            return None
        if is_misfit(line):
            return self._fitted(record, line, row)
        before = line.value()
        if not isinstance(record, dict) or not isinstance(before, dict):
            cells = {name: row.cells[name] for name in self.table.columns if row.cells[name]}
            own = {name: _as_json(text) for name, text in cells.items() if name not in WHOLES}
            whole = next((cells[name] for name in WHOLES if name in cells), cell_of(record))
            return own or (record if whole == cell_of(record) else _as_json(whole))
        changed = {name: row.cells[name] for name, _, form in self._changed(before, row) if self._takes(form)}
        is_text = type(record) is TextRecord
        new = {name: text if is_text else _typed(text, before.get(name)) for name, text in changed.items()}
        return TextRecord({**record, **new}) if is_text else {**record, **new}

    def _compare_user(self, users: UserCells, line: RejectedLine, row: FixRow, taken: Sequence[str]) -> None:
        """Tell what becomes of the cell that names the user.

        :param taken: the columns of which the row's cells are sent.
        """
        before = cell_of(fields_of(line).get(users.column))
        after = row.cells[users.column] if users.column in taken else before
        users.add(row.number, before, after, line.path)

    def _takes(self, form: str | None) -> bool:
        """Return whether a changed cell is taken, of which only the form may be another."""
        return form is None or self.reformatted == "table"

    def _fitted(self, record: Any, line: RejectedLine, row: FixRow) -> Any:
        """Return a row of a table whose number of cells was wrong, once somebody says that it is right."""
        if row.cells.get(MISFIT, "?"):
            return record
        names, cells = line.columns or (), getattr(line.row(), "raw", [])
        was = dict(zip_longest(names, cells[: len(names)], fillvalue=""))
        changed = self._changed(fields_of(line), row)
        return TextRecord({**was, **{name: row.cells[name] for name, _, form in changed if self._takes(form)}})

    def _changed(self, before: Mapping[str, Any], row: FixRow) -> Iterator[tuple[str, str, str | None]]:
        """Yield the columns that are changed in a row, what stood there, and what happened to its form alone."""
        for name in self.table.columns:
            was, text = cell_of(before.get(name)), row.cells[name]
            if text != was and not is_cut(was, text):
                yield name, was, lost_form(was, text)

    def _check_columns(self, columns: Mapping[str, None]) -> None:
        """Check that the table has all columns of the records that it corrects."""
        lost = [name for name in columns if name not in self.table.columns and name not in WHOLES]
        if not lost:
            return
        new = [name for name in self.table.columns if name not in columns and name not in WHOLES]
        also = f" and has {_named('a new one', 'new ones', new)}" if new else ""
        raise unusable(
            self._path,
            f"has lost {_named('the column', 'the columns', lost)}{also}. Columns keep their names: leave a value "
            "out by emptying its cell",
        )

    def _refused(self, changes: Changes) -> SourceError:
        found = "; ".join(f"{one.column}: {one.form} ({one.rows})" for one in changes.reformatted)
        return unusable(
            self._path,
            f"has values that only lost their form, as spreadsheets do it by themselves ({found}). Nothing was sent. "
            f"{self.advice}{'' if self.table.is_xlsx else _NEXT_TIME}",
        )


def _named(one: str, several: str, names: list[str]) -> str:
    return f"{one if len(names) == 1 else several} {', '.join(map(repr, names))}"


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
