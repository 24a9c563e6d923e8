"""Records that are Python values already: lists, other iterables, iterators and generators."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.gathering import AT_ONCE, chunks_of, gathered
from airflow_provider_userdata.sources.not_records import records_of
from airflow_provider_userdata.sources.shapes import holds_many, nested, place_of_many


class ItemsSource:
    """An iterable of records, or of lists of records. What isn't a list is a record; checking comes later.

    :param items: what is iterated, once.
    :param name: what messages call it.
    :param checked: whether it is a list that was seen to hold no lists.
    """

    __slots__ = ("_checked", "_items", "_name")

    def __init__(self, items: Iterable[Any], name: str, *, checked: bool = False) -> None:
        self._items = items
        self._name = name
        self._checked = checked

    @property
    def total(self) -> int | None:
        """The length of a list of records; of other iterables it isn't known, or costly to ask."""
        return len(self._items) if self._checked and isinstance(self._items, (list, tuple)) else None

    def chunks(self) -> Iterator[Chunk]:
        """Give the records; a generator is closed when the reading ends, however it ends."""
        if not self._checked or not isinstance(self._items, (list, tuple)):
            yield from iterated(self._items, self._name)
            return
        yield from chunks_of(self._items)


def iterated(items: Iterable[Any], name: str) -> Iterator[Chunk]:
    """Walk an iterable in chunks: what it gave before it broke is handed over first."""
    position = 0
    iterator: Iterator[Any] | None = None
    records: Iterator[Any] = iter(())

    def take(rows: list[Any], count: int) -> bool:
        nonlocal position, iterator, records
        before = len(rows)
        broke: BaseException | None = None
        try:
            if iterator is None:
                iterator = iter(items)
                records = _records(iterator, name)
            rows.extend(islice(records, count))  # keeps what came before an exception, unlike `list()`
        except BaseException as error:  # noqa: BLE001 - whatever the author's code raises; it is raised on below
            broke = error
        if (place := place_of_many(rows[before:])) is not None:
            broke = nested(name, rows[before + place], position + place)
            del rows[before + place :]
        position += len(rows) - before
        if isinstance(broke, UserdataError):
            raise broke
        if broke is not None:
            # Only the type: an author's exception may quote the record that it stumbled over.
            raise SourceBrokeError(f"source: {name} raised {type(broke).__name__} at position {position}") from broke
        return len(rows) - before == count

    try:
        yield from gathered(take, AT_ONCE)
    finally:
        _close(iterator)


def _records(iterator: Iterator[Any], name: str) -> Iterator[Any]:
    """Return the records: what is given, or what the lists hold that are given. The first one tells which."""
    head = list(islice(iterator, 1))
    given = chain(head, iterator)
    return _unpacked(given, name) if head and holds_many(type(head[0])) else given


def _unpacked(lists: Iterator[Any], name: str) -> Iterator[Any]:
    """Give the records of lists, one list at a time."""
    for number, one in enumerate(lists, start=1):
        rows = iter(records_of(one, f"{name} gives lists of records, and number {number} of what it gives is"))
        for first in islice(rows, 1):
            if not isinstance(first, Mapping) and not holds_many(type(first)):
                raise SourceError(
                    f"source: {name} gives values of type {type(one).__name__} that begin with one of type "
                    f"{type(first).__name__}; a record is a dictionary"
                )
            yield first
        yield from rows


def _close(iterator: object) -> None:
    close = getattr(iterator, "close", None)
    if callable(close):
        # How the reading ended matters more than a generator that fails while it tidies up.
        with contextlib.suppress(BaseException):
            close()
