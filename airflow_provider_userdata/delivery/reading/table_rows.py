"""A table's rows as columns: an object for a row is made on access, which is rare."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, overload

from airflow_provider_userdata.delivery.reading.source import Header, TextRow, ValueRow

Row = TextRow | ValueRow


class TableRows(Sequence[Row]):
    """Rows of a table with one header.

    :param header: the columns' names.
    :param columns: the values of each column, one for each row.
    :param count: how many rows there are.
    :param texts: whether the rows are `TextRow`; otherwise they are `ValueRow`.
    """

    __slots__ = ("_count", "columns", "header", "texts")

    def __init__(self, header: Header, columns: Sequence[Sequence[Any]], count: int, *, texts: bool = False) -> None:
        self.header = header
        self.columns = columns
        self._count = count
        self.texts = texts

    @classmethod
    def of(cls, header: Header, rows: Sequence[Sequence[Any]], *, texts: bool = False) -> TableRows:
        """Return rows of values; each row has a value for each name of the header."""
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(header.names)
        return cls(header, columns, len(rows), texts=texts)

    def values(self) -> list[tuple[Any, ...]]:
        """Return the values of each row."""
        return list(zip(*self.columns, strict=True)) if self.columns else [()] * self._count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> TableRows: ...
    def __getitem__(self, index: int | slice) -> Row | TableRows:
        if isinstance(index, slice):
            count = len(range(self._count)[index])
            return TableRows(self.header, [column[index] for column in self.columns], count, texts=self.texts)
        place = range(self._count)[operator.index(index)]
        values = [column[place] for column in self.columns]
        return TextRow(self.header, values) if self.texts else ValueRow(self.header, tuple(values))

    def __iter__(self) -> Iterator[Row]:
        if self.texts:
            return map(TextRow, repeat(self.header), map(list, self.values()))
        return map(ValueRow, repeat(self.header), self.values())

    def __add__(self, other: TableRows) -> Sequence[Row]:
        if self.header is not other.header or self.texts is not other.texts:
            return [*self, *other]
        columns = [[*first, *second] for first, second in zip(self.columns, other.columns, strict=True)]
        return TableRows(self.header, columns, self._count + other._count, texts=self.texts)
