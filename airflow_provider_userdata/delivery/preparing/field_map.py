"""Takes the vendor's fields from rows, as the DAG author's `fields` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_userdata.delivery.preparing.words import Column, Unfit, Word, conversion_of, source_of
from airflow_provider_userdata.vendors import UNREADABLE, Table
from airflow_provider_userdata.vendors.validation import Fault, Invalid

_ABSENT = object()


class FieldMap:
    """Where each of the vendor's fields comes from.

    :param fields: vendor's field to word; a text is a column's name.
    """

    def __init__(self, fields: Mapping[str, Word]) -> None:
        self._sources = {field: source_of(word) for field, word in fields.items()}
        self._constants = {field: word.value for field, word in fields.items() if self._sources[field] is None}  # type: ignore[union-attr]  # no source: a `Constant`
        self._conversions = {field: call for field, word in fields.items() if (call := conversion_of(word)) is not None}
        self.columns = tuple(dict.fromkeys(name for name in map(_first_of, self._sources.values()) if name is not None))
        """The columns that are read, without those in nested records."""

    @property
    def names(self) -> frozenset[str]:
        """The vendor's fields, as the DAG's author wrote them: no record's content."""
        return frozenset(self._sources)

    def column_of(self, field: str) -> str | None:
        """Return the column that a field comes from; None if it comes from none."""
        return _first_of(self._sources.get(field))

    def of_row(self, row: Mapping[Any, Any]) -> dict[str, Any] | Invalid:
        """Return the fields that a row has, or why they can't be converted."""
        taken = {field: self._value(field, row) for field in self._sources}
        unfit = [(field, value) for field, value in taken.items() if type(value) is Unfit]
        if unfit:
            return Invalid(tuple(Fault(UNREADABLE, (field,), value.reason) for field, value in unfit))
        return {field: value for field, value in taken.items() if value is not _ABSENT}

    def of_table(self, table: Table) -> tuple[Table, list[int]] | None:
        """Return a table of the vendor's fields, and the indexes of rows with a value that can't be converted.

        :param table: of the columns in `columns` that the rows have.
        :return: None if a nested value is missing in some rows: these are to be taken one by one.
        """
        given = dict(zip(table.names, table.columns, strict=True))
        taken: dict[str, Any] = {}
        unfit: set[int] = set()
        for field, source in self._sources.items():
            if source is None:
                taken[field] = [self._constants[field]] * table.count
                continue
            column = given.get(_first_of(source) or "")
            if column is None:
                continue
            if isinstance(source, Column):
                column = [_within(value, source.path.split(".")[1:]) for value in column]
                if any(value is _ABSENT for value in column):
                    return None
            if (convert := self._conversions.get(field)) is not None:
                column = list(map(convert, column))
                unfit.update(place for place, value in enumerate(column) if type(value) is Unfit)
            taken[field] = column
        return Table(tuple(taken), list(taken.values()), table.count, table.texts), sorted(unfit)

    def _value(self, field: str, row: Mapping[Any, Any]) -> Any:
        source = self._sources[field]
        if source is None:
            return self._constants[field]
        value = row.get(_first_of(source), _ABSENT)
        if isinstance(source, Column):
            value = _within(value, source.path.split(".")[1:])
        convert = self._conversions.get(field)
        return value if convert is None or value is _ABSENT else convert(value)


def _first_of(source: str | Column | None) -> str | None:
    """Return the name of the column that a value stands in."""
    return source.path.partition(".")[0] if isinstance(source, Column) else source


def _within(value: Any, path: list[str]) -> Any:
    """Return what stands at a path within a value; `_ABSENT` if nothing does."""
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part, _ABSENT)
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _ABSENT
    return value
