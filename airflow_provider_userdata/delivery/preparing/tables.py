"""Rows of every form, as dictionaries and as tables: columns, so that a vendor can check many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter, countOf, itemgetter
from typing import Any

from airflow_provider_userdata.delivery.reading import RowFormat, TableRows, TextRecord, TextRow, Unreadable, ValueRow
from airflow_provider_userdata.vendors import Table
from airflow_provider_userdata.vendors.validation import Invalid, decoded

_header = attrgetter("header")


def is_text(row: object) -> bool:
    """Return whether a row's values are text without types, as in a CSV file."""
    return type(row) is TextRow or type(row) is TextRecord


def value_of(row: Any, form: RowFormat) -> Any:
    """Return a row as a value: a dictionary, if it is a record; `Unreadable` if it can't be read."""
    if type(row) is Unreadable:
        return row
    if type(row) is TextRow or type(row) is ValueRow:
        return row.as_dict()
    if form is RowFormat.JSON:
        value = decoded(row)
        return Unreadable(row, value.faults[0].reason) if isinstance(value, Invalid) else value
    return dict(row) if isinstance(row, Mapping) and not isinstance(row, dict) else row


def table_of(form: RowFormat, rows: Sequence[Any], wanted: Sequence[str] | None) -> Table | None:
    """Return the columns of some rows; None if they are not all of one form with the same columns.

    :param rows: at least one.
    :param wanted: the columns to take, None for all. A row of a table may lack some: they are left out.
    """
    if type(rows) is TableRows:
        return _of_columns(rows, wanted)
    kinds = set(map(type, rows))
    if len(kinds) > 1:
        return None
    kind = kinds.pop()
    if kind is TextRow or kind is ValueRow:
        header = rows[0].header
        if countOf(map(_header, rows), header) < len(rows):
            return None
        return _of_columns(TableRows.of(header, [row.values for row in rows], texts=kind is TextRow), wanted)
    if form is RowFormat.JSON and kind is bytes:
        decoded_rows = list(map(decoded, rows))
        return None if Invalid in map(type, decoded_rows) else table_of(RowFormat.OBJECTS, decoded_rows, wanted)
    if not issubclass(kind, Mapping):
        return None
    values: Sequence[Any] = rows if kind is dict or kind is TextRecord else list(map(dict, rows))
    return _of_dictionaries(values, wanted, texts=kind is TextRecord)


def _of_columns(rows: TableRows, wanted: Sequence[str] | None) -> Table:
    columns = dict(zip(rows.header.names, rows.columns, strict=True))
    names = rows.header.names if wanted is None else [name for name in wanted if name in columns]
    return Table(tuple(names), [columns[name] for name in names], len(rows), rows.texts)


def _of_dictionaries(rows: Sequence[dict[Any, Any]], wanted: Sequence[str] | None, *, texts: bool) -> Table | None:
    names = tuple(rows[0] if wanted is None else wanted)
    if wanted is None and (set(map(len, rows)) != {len(names)} or set(map(type, names)) != {str}):
        return None
    try:
        return Table(names, [list(map(itemgetter(name), rows)) for name in names], len(rows), texts)
    except KeyError:
        return None
