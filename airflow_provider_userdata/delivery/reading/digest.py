"""A digest of a source's first rows, as read: shows whether the source has changed since an earlier attempt."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from xxhash import xxh3_128

from airflow_provider_userdata.delivery.reading.source import Buffer, Header, TextRow, Unreadable, ValueRow
from airflow_provider_userdata.delivery.reading.table_rows import TableRows
from airflow_provider_userdata.vendors.validation import encodable

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def _known(value: object) -> object:
    """Return a plain value for a type that the encoder doesn't know, such as NumPy's numbers, or else its name."""
    if isinstance(value, Mapping):
        return dict(value)
    own = encodable(value)
    return f"<{type(value).__name__}>" if own is value else own


_json = msgspec.json.Encoder(order="deterministic", enc_hook=_known)
_msgpack = msgspec.msgpack.Encoder(enc_hook=_known)


class Cells(NamedTuple):
    """A row of a table as the digest reads it.

    :param header: its header; None if it is that of the row before.
    """

    header: Header | None
    text: bytes


class Mark(NamedTuple):
    """The number of rows read, and their digest."""

    rows: int
    digest: str


class SourceDigest:
    """Computes the digest of rows in the source's order."""

    def __init__(self) -> None:
        self._digest = xxh3_128()
        self._rows = 0
        self.size = 0
        """The bytes digested: about those of the rows as JSON."""
        self._columns: tuple[str, ...] = ()

    @property
    def mark(self) -> Mark:
        """The digest of all rows so far."""
        return Mark(self._rows, self._digest.hexdigest())

    def take(self, rows: Sequence[Any], ends: Sequence[int] = (), text: Sequence[Buffer] | None = None) -> list[Mark]:
        """Add the rows of a chunk, and return the mark at its end, after those wanted within it.

        :param ends: numbers of rows in all, rising, after which a mark is wanted.
        :param text: the same rows as text, each with a line end, if the source has that at hand. It is digested; that
            of a `ValueRow` is the text of its dictionary.
        """
        marks: list[Mark] = []
        for end in ends:
            head = end - self._rows
            if 0 < head < len(rows):
                if text is not None:
                    rows = [row.as_dict() if type(row) is ValueRow else row for row in rows]
                marks.append(self._taken(rows[:head]))
                rows, text = rows[head:], None
        return [*marks, self._taken(rows, text)]

    def _taken(self, rows: Sequence[Any], text: Sequence[Buffer] | None = None) -> Mark:
        if text is not None:
            for piece in text:
                self._update(piece)
        elif type(rows) is TableRows:
            self._take_cells(rows.header, rows.values())
        elif set(map(type, rows)) == {bytes}:  # the usual case for files
            self._update(_rows_bytes(bytes, rows))
        else:
            for kind, run in groupby(rows, type):
                if kind is TextRow or kind is ValueRow:
                    for header, rows_of_one in groupby(run, attrgetter("header")):
                        self._take_cells(header, [row.values for row in rows_of_one])
                elif kind is Cells:
                    self._take_originals(run)
                else:
                    self._update(_rows_bytes(kind, list(run)))
        self._rows += len(rows)
        return self.mark

    def _update(self, text: Buffer) -> None:
        self._digest.update(text)
        self.size += len(text)

    def _take_cells(self, header: Header, rows: Sequence[Sequence[Any]]) -> None:
        self._take_header(header)
        self._update(cells_text(rows))

    def _take_originals(self, rows: Iterable[Cells]) -> None:
        for header, text in rows:
            if header is not None:
                self._take_header(header)
            self._update(text)

    def _take_header(self, header: Header) -> None:
        if header.names != self._columns:
            self._columns = header.names
            # A map, which no row is mistaken for: rows of cells are arrays, and all other rows are text.
            self._update(_msgpack.encode({"columns": _as_bytes(header.names)}))


class Marks:
    """The marks of a source as it is read: those that are still needed."""

    def __init__(self) -> None:
        self._marks = deque([SourceDigest().mark])

    @property
    def last(self) -> Mark:
        """The mark of all that was read so far."""
        return self._marks[-1]

    def add(self, mark: Mark) -> None:
        """Add the mark of what was read."""
        self._marks.append(mark)

    def last_below(self, position: int) -> Mark:
        """Return the last mark at or below a position, and drop those before it. Positions must not fall."""
        while len(self._marks) > 1 and self._marks[1].rows <= position:
            self._marks.popleft()
        return self._marks[0]


def text_of(rows: Sequence[Any]) -> bytes:
    """Return rows that are Python values as the digest reads them: as JSON, each with a line end."""
    kinds = set(map(type, rows))
    if len(kinds) == 1:  # the usual case
        return _rows_bytes(kinds.pop(), rows)
    return b"".join([_rows_bytes(kind, list(run)) for kind, run in groupby(rows, type)])


def encoded_lines(rows: Sequence[Any]) -> bytes | None:
    """Return rows as JSON, each on a line, with keys in order; None if one can't be encoded."""
    with suppress(BaseException):  # also what a value's own methods raise
        return _json.encode_lines(rows)
    return None


def _rows_bytes(kind: type, rows: Sequence[Any]) -> bytes:
    """Return each row on a line. The bytes are the same whether rows are encoded together or one by one."""
    if issubclass(kind, dict) and (text := encoded_lines(rows)) is not None:
        return text
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


def cells_text(rows: Sequence[Sequence[Any]]) -> bytes:
    """Return rows in MessagePack, the same bytes whether together or one by one."""
    try:
        array = _msgpack.encode(rows)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError):
        return b"".join(map(_row_of_cells_bytes, rows))
    return array[1 if len(rows) < 2**4 else 3 if len(rows) < 2**16 else 5 :]  # without the number of rows


def _row_of_cells_bytes(cells: Sequence[Any]) -> bytes:
    try:
        return _msgpack.encode(cells)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError):
        # A lone surrogate, an integer of more than 64 bits, endless nesting.
        return _msgpack.encode(_as_bytes([cell if isinstance(cell, str) else _shown(cell) for cell in cells]))


def _as_bytes(texts: Iterable[str]) -> list[bytes]:
    return [text.encode("utf-8", "surrogatepass") for text in texts]


def _shown(row: Any) -> str:
    """Return a row that is not JSON as text, without object addresses, which differ in the next attempt."""
    try:
        return _ADDRESS.sub("", ascii(row)[:100_000])
    except BaseException:  # noqa: BLE001  # endless nesting, or a `__repr__` that raises: validation rejects the row
        return type(row).__name__
