"""A digest of a source's first records, as read: tells a changed source from the one that an attempt was reading."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from xxhash import xxh3_128

from airflow_provider_userdata.delivery.reading.source import Buffer, TextRow, Unreadable
from airflow_provider_userdata.vendors.validation import encodable

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def _known(value: object) -> object:
    """Return as plain what the encoder doesn't know by its type, such as NumPy's numbers; else the type's name."""
    own = encodable(value)
    return f"<{type(value).__name__}>" if own is value else own


_json = msgspec.json.Encoder(order="deterministic", enc_hook=_known)
_msgpack = msgspec.msgpack.Encoder()


class Mark(NamedTuple):
    """How many rows were read, and their digest."""

    rows: int
    digest: str


class SourceDigest:
    """Takes rows in the source's order."""

    def __init__(self) -> None:
        self._digest = xxh3_128()
        self._rows = 0
        self.size = 0
        """How many bytes were taken: about those of the rows as JSON."""
        self._columns: tuple[str, ...] = ()

    @property
    def mark(self) -> Mark:
        """The digest of all rows taken."""
        return Mark(self._rows, self._digest.hexdigest())

    def take(self, rows: Sequence[Any], ends: Sequence[int] = (), text: Sequence[Buffer] | None = None) -> list[Mark]:
        """Take the rows of a chunk, and give the marks at its end, and within it where they are wanted.

        :param ends: numbers of rows in all, rising.
        :param text: the rows one after the other, each with its line's end, where that is at hand.
        """
        marks: list[Mark] = []
        for end in ends:
            head = end - self._rows
            if 0 < head < len(rows):
                marks.append(self._taken(rows[:head]))
                rows, text = rows[head:], None
        return [*marks, self._taken(rows, text)]

    def _taken(self, rows: Sequence[Any], text: Sequence[Buffer] | None = None) -> Mark:
        if text is not None:
            for piece in text:
                self._update(piece)
        elif set(map(type, rows)) == {bytes}:  # nearly always, of files
            self._update(_rows_bytes(bytes, rows))
        else:
            for kind, run in groupby(rows, type):
                if kind is TextRow:
                    self._take_cells(run)
                else:
                    self._update(_rows_bytes(kind, list(run)))
        self._rows += len(rows)
        return self.mark

    def _update(self, text: Buffer) -> None:
        self._digest.update(text)
        self.size += len(text)

    def _take_cells(self, rows: Iterable[TextRow]) -> None:
        for header, run in groupby(rows, attrgetter("header")):
            if header.names != self._columns:
                self._columns = header.names
                self._update(_columns_bytes(header.names))
            self._update(_cells_bytes([row.values for row in run]))


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


def text_of(rows: Sequence[Any]) -> bytes:
    """Write rows that are Python values as the digest takes them: as JSON, each with its line's end."""
    kinds = set(map(type, rows))
    if len(kinds) == 1:  # nearly always
        return _rows_bytes(kinds.pop(), rows)
    return b"".join([_rows_bytes(kind, list(run)) for kind, run in groupby(rows, type)])


def _rows_bytes(kind: type, rows: Sequence[Any]) -> bytes:
    """Write each row on a line: all at once where one call can, and in any case as if each came alone."""
    if kind is dict:
        with suppress(BaseException):  # one of them can't be encoded: which?
            return _json.encode_lines(rows)
    lines = rows if kind is bytes else map(_row_bytes, rows)
    return b"".join([line if line.endswith(b"\n") else line + b"\n" for line in lines])


def _row_bytes(row: Any) -> bytes:
    if type(row) is bytes:
        return row
    if type(row) is Unreadable:
        row = row.raw
    try:
        return _json.encode(row)
    except BaseException:  # noqa: BLE001  # a lone surrogate, an odd key, endless nesting, a value's own method
        return _shown(row).encode()


def _columns_bytes(names: tuple[str, ...]) -> bytes:
    """Write what begins like no row: rows of cells are arrays, and all others text."""
    return _msgpack.encode({"columns": _as_bytes(names)})


def _cells_bytes(rows: list[list[str]]) -> bytes:
    """Write rows with their cells' lengths, so that they need no ends: all at once, as if each came alone."""
    try:
        array = _msgpack.encode(rows)
    except UnicodeEncodeError:
        return b"".join(map(_row_of_cells_bytes, rows))
    return array[1 if len(rows) < 2**4 else 3 if len(rows) < 2**16 else 5 :]  # without the number of rows


def _row_of_cells_bytes(cells: list[str]) -> bytes:
    try:
        return _msgpack.encode(cells)
    except UnicodeEncodeError:  # a lone surrogate
        return _msgpack.encode(_as_bytes(cells))


def _as_bytes(texts: Iterable[str]) -> list[bytes]:
    return [text.encode("utf-8", "surrogatepass") for text in texts]


def _shown(row: Any) -> str:
    """Show a row that is no JSON, without the addresses of objects: they are others in the next attempt."""
    try:
        return _ADDRESS.sub("", ascii(row)[:100_000])
    except BaseException:  # noqa: BLE001  # nesting without end, or an object that can't be shown: its check rejects it
        return type(row).__name__
