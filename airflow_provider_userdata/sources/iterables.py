"""Records that are Python values: lists, generators and other iterables, and functions that return these."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import chain, islice
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.arrow import open_table
from airflow_provider_userdata.sources.chunking import AT_ONCE, chunked
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.shapes import holds_many, is_frame, nested, place_of_many, records_of
from airflow_provider_userdata.sources.untemplated import callable_name


def called(call: Callable[[], object], wanted: Wanted) -> Iterator[Chunk]:
    """Call a function with its arguments bound, and yield the records that it returns or yields, also in data frames.

    :param wanted: which columns of a frame are taken.
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
    what = f"what {name} returned"
    if is_frame(result):
        yield from open_table(result, what, wanted).chunks()
    else:
        yield from iterated(records_of(result, f"{what} is"), name, wanted)


def iterated(items: Iterable[Any], name: str, wanted: Wanted) -> Iterator[Chunk]:
    """Yield the records of an iterable in chunks; records before an error are yielded first.

    :param items: the iterable, of records, or of lists or data frames of records.
    :param name: its name in messages.
    :param wanted: which columns of a frame are taken.
    :raises SourceBrokeError: if it raises an exception that isn't an error of this package.
    """
    position = 0
    lists = _lists(items, name, wanted)
    records = chain.from_iterable(lists)

    def take(rows: list[Any], count: int) -> bool:
        nonlocal position
        start = len(rows)
        try:
            rows.extend(islice(records, count))  # keeps the records before an exception, unlike `list()`
        except UserdataError:
            raise
        except BaseException as error:
            place = position + len(rows) - start
            # Only the type: the exception's message may quote a record.
            raise SourceBrokeError(f"source: {name} raised {type(error).__name__} at position {place}") from error
        finally:
            if (wrong := place_of_many(rows[start:])) is not None:
                fault = nested(name, rows[start + wrong], position + wrong)
                del rows[start + wrong :]
                raise fault
            position += len(rows) - start
        return len(rows) - start == count

    with closing(lists):
        yield from chunked(take, AT_ONCE)


def _lists(items: Iterable[Any], name: str, wanted: Wanted) -> Generator[Iterable[Any]]:
    """Yield the records in lists: all in one, or the lists or frames that are yielded. The first one decides which."""
    iterator = None
    try:
        iterator = iter(items)
        head = list(islice(iterator, 1))
        if not head or not holds_many(type(head[0])):
            yield chain(head, iterator)
            return
        for number, one in enumerate(chain(head, iterator), start=1):
            if is_frame(one):
                chunks = open_table(one, f"value {number} that {name} yields", wanted).chunks()
                yield (row.as_dict() for chunk in chunks for row in chunk.rows)
                continue
            rows = iter(records_of(one, f"{name} yields lists of records, and value {number} is"))
            first = list(islice(rows, 1))
            if first and not isinstance(first[0], Mapping) and not holds_many(type(first[0])):
                raise SourceError(
                    f"source: {name} yields values of type {type(one).__name__} that begin with one of type "
                    f"{type(first[0]).__name__}; a record is a dictionary"
                )
            yield chain(first, rows)
    finally:
        close = getattr(iterator, "close", None)
        if callable(close):
            # An error of the generator's cleanup must not replace the reading's own error.
            with suppress(BaseException):
                close()
