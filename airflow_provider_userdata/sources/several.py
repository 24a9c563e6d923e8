"""Several sources as one: a list of what several upstream tasks returned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, groupby
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk, Source
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources.chunking import LazySource, chunks_of
from airflow_provider_userdata.sources.shapes import Parts, check_list
from airflow_provider_userdata.sources.untemplated import are_locations, is_location

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def open_several(parts: Sequence[Any], open_one: Callable[[Any], Source]) -> Source:
    """Return one source for several: all are opened before the first one is read.

    Neighbours that are records or lists of records are joined, and so are neighbours that are paths or lists of paths.
    A file that several of them name is read once.

    :param parts: each is anything that a source may be, or a single record.
    :param open_one: opens a part that isn't a list of records.
    :raises SourceError: if a part can't be a source; the message says which.
    """
    opened: list[tuple[str, Source]] = []
    for way, group in groupby(enumerate(parts), key=lambda each: _way(*each)):
        numbered = list(group)
        name = _name(numbered[0][0], numbered[-1][0], len(parts))
        if way == "records":
            lists = [_list(part, index, len(parts)) for index, part in numbered]
            opened.append((name, LazySource(partial(_joined, lists), sum(map(len, lists)))))
            continue
        try:
            opened.append((name, open_one(_paths(numbered) if way == "paths" else numbered[0][1])))
        except (SourceError, SourceBrokeError) as error:
            raise _named(error, name) from error.__cause__
    if len(opened) == 1:
        return opened[0][1]
    totals = [source.total for _, source in opened if source.total is not None]
    return LazySource(partial(_one_by_one, opened), sum(totals) if len(totals) == len(opened) else None)


def _joined(lists: list[Sequence[Any]]) -> Iterator[Chunk]:
    return chunks_of(chain.from_iterable(lists))


def _one_by_one(sources: list[tuple[str, Source]]) -> Iterator[Chunk]:
    position = 0
    for name, source in sources:
        first = position
        try:
            for chunk in source.chunks():
                yield chunk
                position += len(chunk.rows)
        except (SourceError, SourceBrokeError) as error:
            after = f"{name}, whose first record is at position {first} of all"
            raise _named(error, after) from error.__cause__


def _way(index: int, part: object) -> str:
    """Return how a part is opened: neighbours with the same result are opened together."""
    if is_location(part) or are_locations(part):
        return "paths"
    if isinstance(part, (Mapping, list, tuple)) and not isinstance(part, Parts):
        return "records"
    return str(index)


def _paths(parts: list[tuple[int, Any]]) -> list[Any]:
    return [path for _, part in parts for path in ([part] if is_location(part) else part)]


def _list(part: Any, index: int, count: int) -> Sequence[Any]:
    if isinstance(part, Mapping):
        return [part]
    check_list(part, _name(index, index, count))
    return part  # type: ignore[no-any-return]


def _name(first: int, last: int, count: int) -> str:
    if first == last:
        return f"the {_ORDINALS[first]} of {count}" if first < len(_ORDINALS) else f"number {first + 1} of {count}"
    return f"numbers {first + 1} to {last + 1} of {count}"


def _named(error: SourceError | SourceBrokeError, name: str) -> SourceError | SourceBrokeError:
    return type(error)(f"source: {name}: {str(error).removeprefix('source: ')}")
