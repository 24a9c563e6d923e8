"""Records that are Python values: lists, generators and other iterables, and functions that return these."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.chunking import AT_ONCE, chunked
from airflow_provider_userdata.sources.shapes import holds_many, nested, place_of_many, records_of
from airflow_provider_userdata.sources.untemplated import callable_name


def called(call: Callable[[], object]) -> Iterator[Chunk]:
    """Call a function with its arguments bound, and yield the records that it returns or yields.

    :raises SourceError: if it returns no records.
    :raises SourceBrokeError: if it raises an exception that isn't an error of this package.
    """
    name = f"the callable {callable_name(call)}"
    try:
        result = call()
    except UserdataError:
        raise
    except BaseException as error:  # also SystemExit, which would end the process without a report
        raise SourceBrokeError(f"source: {name} raised {type(error).__name__}") from error
    if result is None:
        raise SourceError(f"source: {name} returned nothing; return or yield the records, or an empty list")
    yield from iterated(records_of(result, f"what {name} returned is"), name)


def iterated(items: Iterable[Any], name: str) -> Iterator[Chunk]:
    """Yield the records of an iterable in chunks; records before an error are yielded first.

    :param items: the iterable, of records or of lists of records.
    :param name: its name in messages.
    :raises SourceBrokeError: if it raises an exception that isn't an error of this package.
    """
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
            rows.extend(islice(records, count))  # keeps the records before an exception, unlike `list()`
        except BaseException as error:  # noqa: BLE001 - whatever the author's code raises; raised again below
            broke = error
        if (place := place_of_many(rows[before:])) is not None:
            broke = nested(name, rows[before + place], position + place)
            del rows[before + place :]
        position += len(rows) - before
        if isinstance(broke, UserdataError):
            raise broke
        if broke is not None:
            # Only the type: the exception's message may quote a record.
            raise SourceBrokeError(f"source: {name} raised {type(broke).__name__} at position {position}") from broke
        return len(rows) - before == count

    try:
        yield from chunked(take, AT_ONCE)
    finally:
        _close(iterator)


def _records(iterator: Iterator[Any], name: str) -> Iterator[Any]:
    """Return the values, or if they are lists of records, the records in them. The first value decides which."""
    head = list(islice(iterator, 1))
    values = chain(head, iterator)
    return _flattened(values, name) if head and holds_many(type(head[0])) else values


def _flattened(lists: Iterator[Any], name: str) -> Iterator[Any]:
    """Yield the records of lists, one list after the other."""
    for number, one in enumerate(lists, start=1):
        rows = iter(records_of(one, f"{name} yields lists of records, and value {number} is"))
        for first in islice(rows, 1):
            if not isinstance(first, Mapping) and not holds_many(type(first)):
                raise SourceError(
                    f"source: {name} yields values of type {type(one).__name__} that begin with one of type "
                    f"{type(first).__name__}; a record is a dictionary"
                )
            yield first
        yield from rows


def _close(iterator: object) -> None:
    close = getattr(iterator, "close", None)
    if callable(close):
        # An error of the generator's cleanup must not replace the reading's own error.
        with contextlib.suppress(BaseException):
            close()
