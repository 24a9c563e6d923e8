"""What a source hands over: rows, a chunk at a time."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

Buffer = bytes | memoryview


class RowFormat(enum.Enum):
    """How the rows of a chunk are written."""

    JSON = "json"
    """Each row is the bytes of one JSON text, not yet parsed; a line's end may follow."""
    OBJECTS = "objects"
    """Each row is a Python value, as a list, a callable or a query gave it."""
    CELLS = "cells"
    """Each row is `TextRow`, of text: the source knows no types."""


class Header(msgspec.Struct, frozen=True, eq=False):
    """A table's columns. All its rows have one and the same object, so that it is looked up by identity.

    :param names: the columns' names, each once.
    """

    names: tuple[str, ...]


class TextRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a table: hardly ever made a dictionary, which would cost more than all that is done with it.

    :param values: one for each name of the header.
    """

    header: Header
    values: list[str]

    def as_dict(self) -> dict[str, str]:
        """Give each cell with its column's name, as people know a row."""
        return dict(zip(self.header.names, self.values, strict=True))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that the source could not make a record of, kept so that it is rejected like any other.

    :param raw: what stood there, for the private rejects file.
    :param reason: why it is no record, without its content.
    """

    raw: object
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a source, in its order. A row may be `Unreadable`, whatever the form of the others.

    :param carried_in: whether they were held by an earlier run, and have the vendor's shape already.
    :param text: the rows one after the other, each with its line's end, where the source has that at hand.
    """

    form: RowFormat
    rows: list[Any]
    carried_in: bool = False
    text: Sequence[Buffer] | None = None

    def parts(self, size: Callable[[], int]) -> Iterator[Chunk]:
        """Give the rows in chunks.

        :param size: says how many the next one has at most.
        """
        start = 0
        while len(self.rows) - start > (count := size()):
            yield Chunk(self.form, self.rows[start : start + count], self.carried_in)
            start += count
        yield Chunk(self.form, self.rows[start:], self.carried_in) if start else self


class Source(Protocol):
    """Where records come from: read once, from one thread, front to back."""

    @property
    def total(self) -> int | None:
        """How many records there are, where that is known before reading."""

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows. Blocks; raises `SourceError` where the source breaks."""
