"""A digest of a source's first records, as read: tells a changed source from the one that an attempt was reading."""

from __future__ import annotations

import functools
import hashlib
import re
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.chunks import Cells, Header, Unreadable

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_encoder = msgspec.json.Encoder(order="deterministic", enc_hook=lambda value: f"<{type(value).__name__}>")

_NO_JSON = (ValueError, TypeError, RecursionError)
"""What the encoder raises for lone surrogates, odd keys, endless nesting."""


class SourceDigest:
    """Takes rows in the source's order, and remembers its value at the end of each chunk that matters still."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256(usedforsecurity=False)
        self._rows = 0
        self._marks: deque[tuple[int, str]] = deque([(0, self._digest.hexdigest())])

    @property
    def rows(self) -> int:
        """How many rows it has taken."""
        return self._rows

    @property
    def value(self) -> str:
        """The digest of all rows taken."""
        return self._digest.hexdigest()

    def take(self, rows: Sequence[Any]) -> None:
        """Take the rows of a chunk, and make a mark at its end."""
        self._digest.update(_rows_bytes(rows))
        self._rows += len(rows)
        self._marks.append((self._rows, self._digest.hexdigest()))

    def mark_below(self, position: int) -> tuple[int, str]:
        """Give the last mark at or below a position, and forget those before it. Positions must not fall."""
        while len(self._marks) > 1 and self._marks[1][0] <= position:
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
