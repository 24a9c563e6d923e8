"""Has the vendor check rows: many at once where they have the same columns, otherwise one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from airflow_provider_userdata.delivery.preparing.field_map import FieldMap
from airflow_provider_userdata.delivery.preparing.tables import is_text, table_of, value_of
from airflow_provider_userdata.delivery.reading import Chunk, RowFormat, Unreadable
from airflow_provider_userdata.records import Record, without
from airflow_provider_userdata.vendors import UNREADABLE, Checked, Table, Vendor, sorted_out
from airflow_provider_userdata.vendors.validation import Fault, Invalid

_log = logging.getLogger(__name__)
_Check = Callable[[Any], Record | Invalid]


class Preparer:
    """Takes the vendor's fields from rows, and has the vendor check them.

    :param fields: the fields that are taken. None takes all columns.
    """

    def __init__(self, vendor: Vendor, fields: FieldMap | None) -> None:
        self._vendor = vendor
        self._fields = fields
        self._warned = False

    def prepare(self, chunk: Chunk, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        """Check rows of a chunk, whatever they contain.

        :param positions: one for each row.
        """
        try:
            checked = self._prepare_together(chunk, rows, positions) if rows else Checked([], [])
        except BaseException as error:  # noqa: BLE001  # one row can't be checked: the check one by one finds it
            checked = None
            if Unreadable not in map(type, rows) and not self._warned:  # an `Unreadable` row is expected to fail here
                self._warned = True
                _log.warning("%d rows can't be checked together, only one by one: %s", len(rows), type(error).__name__)
        if checked is not None:
            return checked
        return self._prepare_one_by_one(self._check_of(chunk.form, self._fields), rows, positions)

    def _prepare_together(self, chunk: Chunk, rows: Sequence[Any], positions: Sequence[int]) -> Checked | None:
        """Check all rows at once; return None, or raise, if they are not all of one form that allows it."""
        form, fields = chunk.form, self._fields
        if form is RowFormat.JSON and fields is None:
            return self._vendor.prepare_texts(rows, positions)  # raises if one is `Unreadable`
        table = table_of(form, rows, None if fields is None else fields.columns)
        if table is None or fields is None:
            return None if table is None else self._vendor.prepare_table(table, rows, positions)
        if (taken := fields.of_table(table)) is None:
            return None
        table, unfit = taken
        if not unfit:
            return self._vendor.prepare_table(table, rows, positions)
        return self._prepare_fitting(self._check_of(form, fields), table, unfit, rows, positions)

    def _prepare_fitting(
        self, check: _Check, table: Table, unfit: list[int], rows: Sequence[Any], positions: Sequence[int]
    ) -> Checked:
        """Check the rows whose values could be converted together, and reject the others."""
        fitting = without(range(len(rows)), unfit)
        columns = [without(column, unfit) for column in table.columns]
        checked = self._vendor.prepare_table(
            Table(table.names, columns, len(fitting), table.texts), without(rows, unfit), without(positions, unfit)
        )
        rejected = [(place, one) for place in unfit if isinstance(one := check(rows[place]), Invalid)]
        if len(rejected) < len(unfit):
            raise ValueError("a row that doesn't fit fits alone")  # then each is checked alone, and none is lost
        invalid = [(fitting[place], one) for place, one in checked.invalid] + rejected
        return Checked(checked.records, sorted(invalid, key=lambda pair: pair[0]))

    def _prepare_one_by_one(self, check: _Check, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        try:
            return sorted_out(map(check, rows), rows, positions)
        except BaseException:  # noqa: BLE001  # one row made its check raise: only that one is rejected for it
            return sorted_out([_prepare_alone(check, row) for row in rows], rows, positions)

    def _check_of(self, form: RowFormat, fields: FieldMap | None) -> _Check:
        """Return the check of a single row."""
        vendor = self._vendor

        def check(row: Any) -> Record | Invalid:
            if form is RowFormat.JSON and fields is None and type(row) is not Unreadable:
                return vendor.prepare_json(row)
            value = value_of(row, form)
            if type(value) is Unreadable:
                return Invalid((Fault(UNREADABLE, (), value.reason),))
            if fields is not None and isinstance(value, dict):
                value = fields.of_row(value)
            if isinstance(value, Invalid):
                return value
            if is_text(row):
                return vendor.prepare_cells(tuple(value), list(value.values()))
            return vendor.prepare_value(value)

        return check


def _prepare_alone(check: _Check, row: Any) -> Record | Invalid:
    """Check one row, and reject it if the check raises, as with an object whose methods raise."""
    try:
        return check(row)
    except BaseException as error:  # noqa: BLE001  # only the type: the message may quote the row
        return Invalid((Fault(UNREADABLE, (), f"can't be checked: {type(error).__name__}"),))
