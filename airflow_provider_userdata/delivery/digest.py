"""A digest of a source's first records, as read: tells a changed source from the one that an attempt was reading."""

from __future__ import annotations

import functools
import hashlib
import re
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from airflow_provider_userdata.delivery.chunks import Cells, Header, Unreadable

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_encoder = msgspec.json.Encoder(order="deterministic", enc_hook=lambda value: f"<{type(value).__name__}>")

_NO_JSON = (ValueError, TypeError, RecursionError)
"""What the encoder raises for lone surrogates, odd keys, endless nesting."""


class Mark(NamedTuple):
    """How many rows were read, and their digest."""

    rows: int
    digest: str


class SourceDigest:
    """Takes rows in the source's order."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256(usedforsecurity=False)
        self._rows = 0

    @property
    def mark(self) -> Mark:
        """The digest of all rows taken."""
        return Mark(self._rows, self._digest.hexdigest())

    def take(self, rows: Sequence[Any], ends: Sequence[int] = ()) -> list[Mark]:
        """Take the rows of a chunk, and give the marks at its end, and within it where they are wanted.

        :param ends: numbers of rows in all, rising.
        """
        marks: list[Mark] = []
        for end in ends:
            head = end - self._rows
            if 0 < head < len(rows):
                marks.append(self._taken(rows[:head]))
                rows = rows[head:]
        return [*marks, self._taken(rows)]

    def _taken(self, rows: Sequence[Any]) -> Mark:
        self._digest.update(_rows_bytes(rows))
        self._rows += len(rows)
        return self.mark


class Marks:
    """The marks of a source as it is read: those that matter still."""

    def __init__(self) -> None:
        self._marks = deque([SourceDigest().mark])

    @property
    def last(self) -> Mark:
        """What was read so far."""
        return self._marks[-1]

    def add(self, mark: Mark) -> None:
        """Note how far the source was read."""
        self._marks.append(mark)

    def last_below(self, position: int) -> Mark:
        """Give the last mark at or below a position, and forget those before it. Positions must not fall."""
        while len(self._marks) > 1 and self._marks[1].rows <= position:
            self._marks.popleft()
        return self._marks[0]


def _rows_bytes(rows: Sequence[Any]) -> bytes:
    """Write each row on a line: all at once where one call can, and in any case as if each came alone."""
    kinds = set(map(type, rows))
    if kinds == {dict} or kinds == {Cells}:
        with suppress(*_NO_JSON):
            return _encoder.encode_lines(rows if dict in kinds else [_cells_form(row) for row in rows])
    lines = rows if kinds == {bytes} else map(_row_bytes, rows)
    return b"\n".join([*lines, b""])


def _row_bytes(row: Any) -> bytes:
    if isinstance(row, bytes):
        return row
    if isinstance(row, Unreadable):
        row = row.raw
    elif isinstance(row, Cells):
        row = _cells_form(row)
    try:
        return _encoder.encode(row)
    except _NO_JSON:
        return _shown(row).encode()


def _cells_form(row: Cells) -> tuple[str, list[str]]:
    return _short(row.header), row.values


@functools.lru_cache(maxsize=16)
def _short(header: Header) -> str:
    """Give something short to stand for a table's columns in each of its rows."""
    return hashlib.blake2b(_row_bytes(header.names), digest_size=8).hexdigest()


def _shown(row: Any) -> str:
    """Show a row that is no JSON, without the addresses of objects: they are others in the next attempt."""
    try:
        return _ADDRESS.sub("", ascii(row)[:100_000])
    except Exception:  # noqa: BLE001  # nesting without end, or an object that can't be shown: its check rejects it
        return type(row).__name__
