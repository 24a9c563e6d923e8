"""Turns rows into valid records, and sets those aside that the vendor would refuse."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_userdata.delivery.chunks import Cells, Chunk, Form, Header, Unreadable
from airflow_provider_userdata.delivery.fates import Fates, Why
from airflow_provider_userdata.delivery.progress import Progress
from airflow_provider_userdata.delivery.report import Fate, Tally
from airflow_provider_userdata.vendors.contract import Fault, Invalid, Record, Vendor, numbered
from airflow_provider_userdata.vendors.json_values import decoded

_log = logging.getLogger(__name__)


class Checker:
    """Checks rows in the source's order, and numbers them.

    :param fields: vendor's field to source's column; only these are taken. None takes a row as it is.
    :param keep_proven: whether the records are kept that an attempt before has delivered after its last checkpoint.
    """

    def __init__(
        self,
        vendor: Vendor,
        fields: Mapping[str, str] | None,
        fates: Fates,
        tally: Tally,
        progress: Progress,
        *,
        keep_proven: bool = False,
    ) -> None:
        self._vendor = vendor
        self._fields = fields
        self._fates = fates
        self._tally = tally
        self._progress = progress
        self._keep_proven = keep_proven
        self._proven: list[Record] = []
        self._usual = vendor.usual_user_characters
        self._first: tuple[int, Fault] | None = None

    def first_fault(self) -> str | None:
        """Say where the first invalid record is and which rule it breaks, in words that may be logged (A6)."""
        if self._first is None:
            return None
        position, fault = self._first
        return f"position {position}, {fault.public_path(self._vendor.known_fields)}, rule {fault.rule}"

    def check(self, chunk: Chunk) -> list[Record]:
        """Give the valid records of a chunk that have no fate yet; the fates of the others are written."""
        positions, rows = self._without_fate(chunk)
        found = self._prepared(chunk, rows, positions)
        records = [one for one in found if type(one) is Record]
        if len(records) < len(found):
            self._fates.not_delivered(
                [
                    (position, row, self._why(position, one))
                    for one, row, position in zip(found, rows, positions, strict=True)
                    if type(one) is Invalid
                ]
            )
        if self._usual is not None:
            self._warn_of_length(records, self._usual)
        return records

    def take_proven(self) -> list[Record]:
        """Give the records since the last call that an attempt before has delivered after its last checkpoint."""
        proven, self._proven = self._proven, []
        return proven

    def _without_fate(self, chunk: Chunk) -> tuple[Sequence[int], Sequence[Any]]:
        """Give a chunk's rows with their numbers, and leave out those that an attempt before has settled."""
        first, rows = self._tally.read, chunk.rows
        self._tally.read += len(rows)
        if first >= self._progress.new_from:
            return range(first, first + len(rows)), rows
        positions = range(first, first + len(rows))
        if self._keep_proven:
            known = [position for position in positions if self._progress.is_proven(position)]
            proven = self._prepared(chunk, [rows[position - first] for position in known], known)
            self._proven += [one for one in proven if isinstance(one, Record)]
        new = [position for position in positions if self._progress.is_new(position)]
        return new, [rows[position - first] for position in new]

    def _prepared(self, chunk: Chunk, rows: Sequence[Any], positions: Sequence[int]) -> list[Record | Invalid]:
        prepare = self._preparation(chunk)
        try:
            if prepare == self._vendor.prepare_json:
                return self._vendor.prepare_texts(rows, positions)
            return numbered(map(prepare, rows), rows, positions)
        except Exception:  # noqa: BLE001  # one of them can't even be checked: which?
            return numbered([self._prepared_alone(prepare, row) for row in rows], rows, positions)

    def _prepared_alone(self, prepare: Callable[[Any], Record | Invalid], row: Any) -> Record | Invalid:
        """Check one row; one that can't even be checked, such as an object with methods that raise, is rejected too."""
        try:
            return prepare(row)
        except Exception as error:  # noqa: BLE001  # only the type: the message may quote the row
            return Invalid((Fault(self._vendor.json_rule, (), f"can't be checked: {type(error).__name__}"),))

    def _warn_of_length(self, records: Sequence[Record], usual: int) -> None:
        """Say once that a user's name is longer than the vendor usually takes (T6)."""
        for record in records:
            if len(record.user or "") > usual:
                _log.warning(
                    "Position %d: the user's label has more than %d characters, which %s may not take; it is sent as "
                    "it is",
                    record.position,
                    usual,
                    self._vendor.name,
                )
                self._usual = None
                return

    def _preparation(self, chunk: Chunk) -> Callable[[Any], Record | Invalid]:
        prepare = self._by_form(chunk.form, None if chunk.carried_in else self._fields)
        if Unreadable not in map(type, chunk.rows):
            return prepare
        return lambda row: self._unreadable(row) if isinstance(row, Unreadable) else prepare(row)

    def _by_form(self, form: Form, fields: Mapping[str, str] | None) -> Callable[[Any], Record | Invalid]:
        vendor = self._vendor
        if form is Form.CELLS:
            if fields is None:
                return lambda row: vendor.prepare_cells(row.header.names, row.values)
            columns = tuple(fields.items())
            return lambda row: vendor.prepare_cells(*_taken_cells(columns, row))
        if fields is None:
            return vendor.prepare_json if form is Form.JSON else vendor.prepare_value
        if form is Form.JSON:
            return lambda row: self._from_json(fields, row)
        return lambda row: vendor.prepare_value(_taken(fields, row))

    def _from_json(self, fields: Mapping[str, str], text: bytes) -> Record | Invalid:
        value = decoded(text, self._vendor.json_rule)
        if isinstance(value, Invalid):
            return value
        return self._vendor.prepare_value(_taken(fields, value))

    def _unreadable(self, row: Unreadable) -> Invalid:
        return Invalid((Fault(self._vendor.json_rule, (), row.reason),))

    def _why(self, position: int, invalid: Invalid) -> Why:
        if self._first is None:
            self._first = (position, invalid.faults[0])
        return _rejected(invalid.faults)


@functools.lru_cache(maxsize=32)
def _rejected(faults: tuple[Fault, ...]) -> Why:
    """Say why a record is rejected. The records of one source tend to have the same faults."""
    fault, *others = faults
    also = "".join([f"; also {other.path} ({other.rule}): {other.reason}" for other in others])
    return Why(Fate.REJECTED, fault.rule, fault.reason + also, fault.path)


def _taken(fields: Mapping[str, str], row: Any) -> Any:
    """Take the named columns that a row has; what is no row of columns is left for the vendor's check to refuse."""
    if not isinstance(row, dict):
        return row
    return {field: row[column] for field, column in fields.items() if column in row}


def _taken_cells(fields: tuple[tuple[str, str], ...], row: Cells) -> tuple[tuple[str, ...], list[str]]:
    """Take the named columns of a table's row, and name them as the vendor does."""
    names, places = _columns(fields, row.header)
    return names, [row.values[place] for place in places]


@functools.lru_cache(maxsize=16)
def _columns(fields: tuple[tuple[str, str], ...], header: Header) -> tuple[tuple[str, ...], list[int]]:
    places = {field: header.names.index(column) for field, column in fields if column in header.names}
    return tuple(places), list(places.values())
