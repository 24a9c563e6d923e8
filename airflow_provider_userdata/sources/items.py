"""Records that are Python values already: lists, other iterables, iterators and generators."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from airflow_provider_userdata.delivery.chunks import Chunk, Form
from airflow_provider_userdata.errors import SourceBrokeError, UserdataError

ROWS = 1000
"""The most rows in a chunk of what gives them one by one: more may be long in coming."""


class ItemsSource:
    """An iterable of records. An element is a record whatever its type: checking comes later.

    :param items: what is iterated, once.
    :param name: what messages call it.
    """

    __slots__ = ("_items", "_name")

    def __init__(self, items: Iterable[Any], name: str) -> None:
        self._items = items
        self._name = name

    @property
    def total(self) -> int | None:
        """The length of a list or tuple; of other iterables it isn't known, or costly to ask."""
        return len(self._items) if isinstance(self._items, (list, tuple)) else None

    def chunks(self) -> Iterator[Chunk]:
        """Give the elements; a generator is closed when the reading ends, however it ends."""
        if isinstance(self._items, (list, tuple)):
            for start in range(0, len(self._items), ROWS):
                yield Chunk(Form.OBJECTS, list(self._items[start : start + ROWS]))
            return
        yield from iterated(self._items, self._name)


def iterated(items: Iterable[Any], name: str) -> Iterator[Chunk]:
    """Walk an iterable in chunks: what it gave before it broke is handed over first."""
    position = 0
    iterator: Iterator[Any] | None = None
    try:
        while True:
            rows: list[Any] = []
            broke: BaseException | None = None
            try:
                iterator = iter(items) if iterator is None else iterator
                rows.extend(islice(iterator, ROWS))  # keeps what came before an exception, unlike `list()`
            except BaseException as error:  # noqa: BLE001 - whatever the author's code raises; it is raised on below
                broke = error
            if rows:
                yield Chunk(Form.OBJECTS, rows)
                position += len(rows)
            if isinstance(broke, UserdataError):
                raise broke
            if broke is not None:
                # Only the type: an author's exception may quote the record that it stumbled over.
                raise SourceBrokeError(
                    f"source: {name} raised {type(broke).__name__} at position {position}"
                ) from broke
            if len(rows) < ROWS:
                return
    finally:
        _close(iterator)


def _close(iterator: object) -> None:
    close = getattr(iterator, "close", None)
    if callable(close):
        # How the reading ended matters more than a generator that fails while it tidies up.
        with contextlib.suppress(BaseException):
            close()
