"""Gathers Python values into chunks: many small values, or few large ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk, RowFormat, text_of

ROWS = 1000
"""The most rows in a chunk: an iterator may be slow, and more rows would delay those that are there."""
MOST_BYTES = 8 * 2**20
"""A chunk that has reached this size, in bytes of JSON, gets no more rows."""
PIECE = 2**18
"""Bytes that are taken at a time, estimated from the size of the previous rows."""

AT_ONCE = 32
"""The most values that are taken from an iterable at a time: they may be large even if the previous ones were not."""

Take = Callable[[list[Any], int], bool]
"""Adds up to the given number of rows to a list, and returns whether there may be more. May raise after adding some."""


@dataclass(frozen=True, repr=False, slots=True)
class LazySource:
    """A source that a function reads.

    :param chunks: yields the rows in chunks.
    :param total: the number of rows; None if it isn't known before reading.
    :param files: the number of files that they are in; None if they are in none.
    """

    chunks: Callable[[], Iterator[Chunk]]
    total: int | None = None
    files: int | None = None


def chunks_of(records: Iterable[Any]) -> Iterator[Chunk]:
    """Yield the records of an iterable that can't fail, such as a list, in chunks."""
    left = iter(records)

    def take(rows: list[Any], count: int) -> bool:
        before = len(rows)
        rows.extend(islice(left, count))
        return len(rows) - before == count

    return chunked(take, AT_ONCE)


def _objects(rows: list[Any]) -> Chunk:
    return Chunk(RowFormat.OBJECTS, rows)


def chunked(
    take: Take,
    at_once: int,
    write: Callable[[list[Any]], bytes] = text_of,
    make: Callable[[list[Any]], Chunk] = _objects,
) -> Iterator[Chunk]:
    """Yield rows in chunks, with their text, which shows their size. Rows before an error are yielded first.

    :param at_once: the most rows to take at a time; fewer are taken at first, and while they are large.
    :param write: returns the text of rows, each with a line end.
    :param make: makes a chunk of rows, without its text.
    """
    more, count = True, 1
    error: BaseException | None = None
    while more:
        rows: list[Any] = []
        texts: list[bytes] = []
        size = 0
        while more and len(rows) < ROWS and size < MOST_BYTES:
            start = len(rows)
            try:
                more = take(rows, min(count, ROWS - start))
            except BaseException as raised:  # noqa: BLE001  # raised on below
                more, error = False, raised
            if len(rows) > start:
                texts.append(write(rows[start:]))
                size += len(texts[-1])
                count = min(2 * count, at_once, 1 + PIECE * (len(rows) - start) // (len(texts[-1]) + 1))
        if rows:
            chunk = [replace(make(rows), text=texts)]
            del rows, texts  # so that large rows are freed while the next ones are read
            yield chunk.pop()
    if error is not None:
        raise error
