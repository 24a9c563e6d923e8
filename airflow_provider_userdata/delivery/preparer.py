"""Has rows checked by the vendor, in the way that their form asks for: many at once where that can be."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, TextRow, Unreadable
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import Checked, Vendor, sorted_out
from airflow_provider_userdata.vendors.validation import UNREADABLE, Fault, Invalid, decoded

_log = logging.getLogger(__name__)
Prepare = Callable[[Any], Record | Invalid]
_Items = tuple[tuple[str, str], ...] | None


class Preparer:
    """Prepares rows for one vendor.

    :param fields: vendor's field to source's column; only these are taken. None takes a row as it is.
    """

    def __init__(self, vendor: Vendor, fields: Mapping[str, str] | None) -> None:
        self._vendor = vendor
        self._fields = fields

    def prepare(self, chunk: Chunk, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        """Check rows of a chunk, whatever they hold; their positions are given."""
        fields = None if chunk.carried_in else self._fields
        try:
            checked = self._prepared_together(chunk.form, fields, rows, positions)
        except BaseException as error:  # noqa: BLE001  # one of them can't be checked in that way: which?
            checked = None
            if Unreadable not in map(type, rows):  # then nobody knew that this could happen
                _log.warning("%d rows can't be checked together, only one by one: %s", len(rows), type(error).__name__)
        return checked or self._prepared_one_by_one(self._way(chunk.form, fields), rows, positions)

    def _prepared_together(
        self, form: RowFormat, fields: Mapping[str, str] | None, rows: Sequence[Any], positions: Sequence[int]
    ) -> Checked | None:
        """Check rows that are all of one kind; None, or an exception, where they aren't, or are of another."""
        if form is RowFormat.JSON and fields is None:
            return self._vendor.prepare_texts(rows, positions)  # raises where one is `Unreadable`
        if form is RowFormat.CELLS and set(map(type, rows)) == {TextRow} and len({id(row.header) for row in rows}) == 1:
            names, taken = _columns(_items(fields), rows[0].header)
            cells = [taken(row.values) for row in rows]
            return self._vendor.prepare_table(names, cells, rows, positions)
        return None

    def _prepared_one_by_one(self, way: Prepare, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        try:
            return sorted_out(map(way, rows), rows, positions)
        except BaseException:  # noqa: BLE001  # one of them can't even be checked: which?
            return sorted_out([self._prepared_alone(way, row) for row in rows], rows, positions)

    def _way(self, form: RowFormat, fields: Mapping[str, str] | None) -> Prepare:
        """Give the check that rows of a form pass one by one."""
        prepare = self._vendor_way(form, fields)
        return lambda row: _unreadable(row) if type(row) is Unreadable else prepare(row)

    def _vendor_way(self, form: RowFormat, fields: Mapping[str, str] | None) -> Prepare:
        vendor = self._vendor
        if form is RowFormat.CELLS:
            items = _items(fields)
            return lambda row: vendor.prepare_cells(*_taken_cells(items, row))
        if fields is None:
            return vendor.prepare_json if form is RowFormat.JSON else vendor.prepare_value
        if form is RowFormat.JSON:
            return lambda row: self._from_json(fields, row)
        return lambda row: vendor.prepare_value(_taken(fields, row))

    def _from_json(self, fields: Mapping[str, str], text: bytes) -> Record | Invalid:
        value = decoded(text)
        if isinstance(value, Invalid):
            return value
        return self._vendor.prepare_value(_taken(fields, value))

    def _prepared_alone(self, way: Prepare, row: Any) -> Record | Invalid:
        """Check one row; one that can't even be checked, such as an object with methods that raise, is rejected too."""
        try:
            return way(row)
        except BaseException as error:  # noqa: BLE001  # only the type: the message may quote the row
            return Invalid((Fault(UNREADABLE, (), f"can't be checked: {type(error).__name__}"),))


def _unreadable(row: Unreadable) -> Invalid:
    return Invalid((Fault(UNREADABLE, (), row.reason),))


def _taken(fields: Mapping[str, str], row: Any) -> Any:
    """Take the named columns that a row has; what is no row of columns is left for the vendor's check to refuse."""
    if not isinstance(row, dict):
        return row
    return {field: row[column] for field, column in fields.items() if column in row}


def _taken_cells(items: _Items, row: TextRow) -> tuple[tuple[str, ...], Sequence[str]]:
    """Take the named columns of a table's row, and name them as the vendor does."""
    names, taken = _columns(items, row.header)
    return names, taken(row.values)


def _items(fields: Mapping[str, str] | None) -> _Items:
    return None if fields is None else tuple(fields.items())


@functools.lru_cache(maxsize=16)
def _columns(items: _Items, header: Header) -> tuple[tuple[str, ...], Callable[[list[str]], Sequence[str]]]:
    """Give the vendor's names of the columns that are taken, and what takes their cells from a row's."""
    if items is None:
        return header.names, lambda cells: cells
    places = {field: header.names.index(column) for field, column in items if column in header.names}
    wanted = tuple(places.values())
    return tuple(places), lambda cells: [cells[place] for place in wanted]
