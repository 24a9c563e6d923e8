"""What a source returns: rows, in chunks."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

Buffer = bytes | memoryview


class RowFormat(enum.Enum):
    """How the rows of a chunk are written."""

    JSON = "json"
    """Each row is the bytes of one JSON text, not parsed yet; a line end may follow."""
    OBJECTS = "objects"
    """Each row is a Python value from a list, a callable or a query."""
    CELLS = "cells"
    """Each row is a `TextRow`: the source has text without types."""
    VALUES = "values"
    """Each row is a `ValueRow`: the source is a table of Python values."""


class Header(msgspec.Struct, frozen=True, eq=False):
    """A table's columns, without duplicates. All rows share one object, so that it can be compared by identity."""

    names: tuple[str, ...]


class TextRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a table, a value for each column. A dictionary for each row would cost more than all its processing."""

    header: Header
    values: list[str]

    def as_dict(self) -> dict[str, str]:
        """Return the values by their columns' names."""
        return dict(zip(self.header.names, self.values, strict=True))


class ValueRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a table whose values have types.

    :param values: one for each name of the header.
    """

    header: Header
    values: tuple[Any, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the values by their columns' names."""
        return dict(zip(self.header.names, self.values, strict=True))


class TextRecord(dict[str, Any]):
    """A row of text without types as a dictionary, for a DAG author's function, which may change it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that the source could not read as a record; it is rejected like any other.

    :param raw: what was read, for the private rejects file.
    :param reason: why it is not a record, without its content.
    :param header: the columns of the table that it is a row of, if it has another number of cells.
    """

    raw: object
    reason: str
    header: Header | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a source, in its order. A row of any format may be `Unreadable` instead.

    :param form: how the rows are written.
    :param rows: a list, or the `TableRows` of a table.
    :param carried_in: whether an earlier run held them: they have the vendor's field names, not their source's.
    :param text: the same rows as text, each with a line end, if the source has that at hand.
    :param file: the path of the file that the rows are from.
    :param lines: for each row, its line in that file, from 1; in an array or in Parquet, its number.
    """

    form: RowFormat
    rows: Sequence[Any]
    carried_in: bool = False
    text: Sequence[Buffer] | None = None
    file: str | None = None
    lines: Sequence[int] | None = None

    def parts(self, size: Callable[[], int]) -> Iterator[Chunk]:
        """Split the rows into chunks, each of as many rows at most as `size` returns before it."""
        start = 0
        while len(self.rows) - start > (count := size()):
            yield self._part(start, start + count)
            start += count
        yield self._part(start, len(self.rows)) if start else self

    def _part(self, start: int, end: int) -> Chunk:
        lines = None if self.lines is None else self.lines[start:end]
        return Chunk(self.form, self.rows[start:end], self.carried_in, file=self.file, lines=lines)


class Source(Protocol):
    """Where records come from: read once, from one thread, front to back."""

    @property
    def total(self) -> int | None:
        """The number of records; None if it isn't known before reading."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in chunks. Blocks.

        :raises SourceError: if the source can't be read.
        """
