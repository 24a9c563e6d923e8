"""Puts Python values together to chunks: of many small ones, or of few large ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk, RowFormat, text_of

ROWS = 1000
"""The most rows in a chunk of what gives them one by one: more may be long in coming."""
MOST_BYTES = 8 * 2**20
"""A chunk of so many bytes, as JSON, takes no more rows."""
PIECE = 2**18
"""Bytes that are taken at once, as far as the rows before tell."""

AT_ONCE = 32
"""How many values of an iterable are taken at once at most: so many may be large though those before were not."""

Take = Callable[[list[Any], int], bool]
"""Adds at most so many rows to a list, and says whether there may be more. It may raise after it has added some."""


def chunks_of(records: Iterable[Any]) -> Iterator[Chunk]:
    """Return the records of an iterable that can't break, such as a list, in chunks."""
    left = iter(records)

    def take(rows: list[Any], count: int) -> bool:
        before = len(rows)
        rows.extend(islice(left, count))
        return len(rows) - before == count

    return gathered(take, AT_ONCE)


def gathered(take: Take, at_once: int) -> Iterator[Chunk]:
    """Return rows in chunks, with their text, which tells their size; what came before an error comes first.

    :param take: gives the rows.
    :param at_once: how many it is asked for at once at most; few at first, and few where they are large.
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
                texts.append(text_of(rows[start:]))
                size += len(texts[-1])
                count = min(2 * count, at_once, 1 + PIECE * (len(rows) - start) // (len(texts[-1]) + 1))
        if rows:
            chunk = [Chunk(RowFormat.OBJECTS, rows, text=texts)]
            del rows, texts  # large ones aren't kept here while others are read
            yield chunk.pop()
    if error is not None:
        raise error
