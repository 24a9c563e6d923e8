"""Turns rows into valid records, and sets aside those that the vendor would refuse."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, TextRow, Unreadable
from airflow_provider_userdata.delivery.recording import Rejection
from airflow_provider_userdata.delivery.report import Counters, Fate
from airflow_provider_userdata.delivery.resuming import PositionTracker
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import UNREADABLE, Checked, Vendor, sorted_out
from airflow_provider_userdata.vendors.validation import Fault, Invalid, decoded

_log = logging.getLogger(__name__)
_Check = Callable[[Any], Record | Invalid]
_Items = tuple[tuple[str, str], ...]
"""The vendor's fields, each with its source's column."""


@dataclass(eq=False, repr=False)
class Validator:
    """Checks rows in the source's order, and numbers them.

    :param fields: vendor's field to source's column; only these are taken. None takes all columns.
    :param keep_proven: whether to keep, for `take_proven`, records that an earlier attempt delivered after its last
        checkpoint.
    """

    vendor: Vendor
    fields: Mapping[str, str] | None
    fates: OutcomeLog
    tally: Counters
    progress: PositionTracker
    keep_proven: bool

    def __post_init__(self) -> None:
        self._preparer = Preparer(self.vendor, self.fields)
        self._proven: list[Record] = []
        self._usual = self.vendor.usual_user_characters
        self._first: tuple[int, Fault] | None = None

    def first_fault(self) -> str | None:
        """Return where the first invalid record is and which rule it breaks, in words that may be logged (A6)."""
        if self._first is None:
            return None
        position, fault = self._first
        return f"position {position}, {fault.public_path(self.vendor.known_fields)}, rule {fault.rule}"

    def check(self, chunk: Chunk) -> Sequence[Record]:
        """Return the valid records of a chunk that have no fate yet, and reject the invalid ones."""
        positions, rows = self._without_fate(chunk)
        records, invalid = self._preparer.prepare(chunk, rows, positions)
        if invalid:
            if self._first is None:
                place, first = invalid[0]
                self._first = positions[place], first.faults[0]
            self.fates.record_invalid(
                [(positions[place], rows[place], _rejected(one.faults)) for place, one in invalid]
            )
        if self._usual is not None:
            self._warn_of_length(records, self._usual)
        return records

    def take_proven(self) -> list[Record]:
        """Return the records, since the last call, that an earlier attempt delivered after its last checkpoint."""
        proven, self._proven = self._proven, []
        return proven

    def _without_fate(self, chunk: Chunk) -> tuple[Sequence[int], Sequence[Any]]:
        """Return the positions and rows of a chunk, without those that have their fate from an earlier attempt."""
        first, rows = self.tally.read, chunk.rows
        self.tally.read += len(rows)
        positions = range(first, first + len(rows))
        if first >= self.progress.new_from:
            return positions, rows
        if self.keep_proven:
            known = [position for position in positions if self.progress.is_proven(position)]
            self._proven += self._preparer.prepare(chunk, [rows[position - first] for position in known], known).records
        new = [position for position in positions if not self.progress.has_fate(position)]
        return new, [rows[position - first] for position in new]

    def _warn_of_length(self, records: Sequence[Record], usual: int) -> None:
        """Warn once when a user's label is longer than the vendor usually accepts (T6)."""
        for record in records:
            if len(record.user or "") > usual:
                _log.warning(
                    "Position %d: the user's label has more than %d characters, which %s may not accept; it is sent "
                    "unchanged",
                    record.position,
                    usual,
                    self.vendor.name,
                )
                self._usual = None
                return


@functools.lru_cache(maxsize=32)
def _rejected(faults: tuple[Fault, ...]) -> Rejection:
    """Return the rejection for some faults. Cached: the records of one source tend to have the same faults."""
    fault, *others = faults
    also = "".join([f"; also {other.path} ({other.rule}): {other.reason}" for other in others])
    return Rejection(Fate.REJECTED, fault.rule, fault.reason + also, fault.path)


class Preparer:
    """Has the vendor check rows: many at once where their format allows it, otherwise one by one."""

    def __init__(self, vendor: Vendor, fields: Mapping[str, str] | None) -> None:
        self._vendor = vendor
        self._items = None if fields is None else tuple(fields.items())

    def prepare(self, chunk: Chunk, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        """Check rows of a chunk, each with its position, whatever they contain."""
        items = None if chunk.carried_in else self._items
        try:
            checked = self._prepare_together(chunk.form, items, rows, positions)
        except BaseException as error:  # noqa: BLE001  # one row can't be checked: the check one by one finds it
            checked = None
            if Unreadable not in map(type, rows):  # an `Unreadable` row is expected to fail here, others are not
                _log.warning("%d rows can't be checked together, only one by one: %s", len(rows), type(error).__name__)
        return checked or self._prepare_one_by_one(self._check_of(chunk.form, items), rows, positions)

    def _prepare_together(
        self, form: RowFormat, items: _Items | None, rows: Sequence[Any], positions: Sequence[int]
    ) -> Checked | None:
        """Check all rows at once; return None, or raise, if they are not all of one kind that allows it."""
        if form is RowFormat.JSON and items is None:
            return self._vendor.prepare_texts(rows, positions)  # raises if one is `Unreadable`
        if form is RowFormat.CELLS and set(map(type, rows)) == {TextRow} and len({id(row.header) for row in rows}) == 1:
            names, taken = _columns(items, rows[0].header)
            cells = [taken(row.values) for row in rows]
            return self._vendor.prepare_table(names, cells, rows, positions)
        return None

    def _prepare_one_by_one(self, vendor_check: _Check, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        def check(row: Any) -> Record | Invalid:
            if type(row) is Unreadable:
                return Invalid((Fault(UNREADABLE, (), row.reason),))
            return vendor_check(row)

        try:
            return sorted_out(map(check, rows), rows, positions)
        except BaseException:  # noqa: BLE001  # one row made its check raise: only that one is rejected for it
            return sorted_out([self._prepare_alone(check, row) for row in rows], rows, positions)

    def _check_of(self, form: RowFormat, items: _Items | None) -> _Check:
        vendor = self._vendor
        if form is RowFormat.CELLS:
            return lambda row: vendor.prepare_cells(*_taken_cells(items, row))
        if items is None:
            return vendor.prepare_json if form is RowFormat.JSON else vendor.prepare_value
        if form is RowFormat.JSON:
            return lambda row: self._from_json(items, row)
        return lambda row: vendor.prepare_value(_taken(items, row))

    def _from_json(self, items: _Items, text: bytes) -> Record | Invalid:
        value = decoded(text)
        return value if isinstance(value, Invalid) else self._vendor.prepare_value(_taken(items, value))

    def _prepare_alone(self, check: _Check, row: Any) -> Record | Invalid:
        """Check one row, and reject it if the check raises, as with an object whose methods raise."""
        try:
            return check(row)
        except BaseException as error:  # noqa: BLE001  # only the type: the message may quote the row
            return Invalid((Fault(UNREADABLE, (), f"can't be checked: {type(error).__name__}"),))


def _taken(items: _Items, row: Any) -> Any:
    """Return the named columns that a row has; what is not a dictionary is left for the vendor's check to refuse."""
    return {field: row[column] for field, column in items if column in row} if isinstance(row, dict) else row


def _taken_cells(items: _Items | None, row: TextRow) -> tuple[tuple[str, ...], Sequence[str]]:
    """Return the vendor's names and the values of the named columns of a row."""
    names, taken = _columns(items, row.header)
    return names, taken(row.values)


@functools.lru_cache(maxsize=16)
def _columns(items: _Items | None, header: Header) -> tuple[tuple[str, ...], Callable[[list[str]], Sequence[str]]]:
    """Return the vendor's names of the columns that are taken, and a function that picks their cells from a row."""
    if items is None:
        return header.names, lambda cells: cells
    places = {field: header.names.index(column) for field, column in items if column in header.names}
    wanted = tuple(places.values())
    return tuple(places), lambda cells: [cells[place] for place in wanted]
