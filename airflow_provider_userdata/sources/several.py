"""Several sources as one: what several upstream tasks returned, each in its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk, Source
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources.files import FilesSource
from airflow_provider_userdata.sources.gathering import chunks_of
from airflow_provider_userdata.sources.shapes import Parts, check_list
from airflow_provider_userdata.sources.untemplated import are_locations, is_location

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


class SeveralSources:
    """Sources that are read one after the other; positions run on.

    :param sources: each with what messages call it.
    """

    __slots__ = ("_sources",)

    def __init__(self, sources: list[tuple[str, Source]]) -> None:
        self._sources = sources

    def leave_out(self, seen: set[object]) -> None:
        """Have each file read once, wherever it is named first.

        :param seen: what files other sources have.
        """
        for _, source in self._sources:
            if isinstance(source, (FilesSource, SeveralSources)):
                source.leave_out(seen)

    @property
    def total(self) -> int | None:
        """The sum, where each of them knows its own."""
        totals = [source.total for _, source in self._sources]
        known = [total for total in totals if total is not None]
        return sum(known) if len(known) == len(totals) else None

    def chunks(self) -> Iterator[Chunk]:
        """Read the sources."""
        position = 0
        for name, source in self._sources:
            first = position
            try:
                for chunk in source.chunks():
                    yield chunk
                    position += len(chunk.rows)
            except (SourceError, SourceBrokeError) as error:
                after = f"{name}, whose first record is at position {first} of all"
                raise _named(error, after) from error.__cause__


class JoinedLists:
    """Lists of records that are in memory already, as one.

    :param lists: the lists; none is copied.
    """

    __slots__ = ("_lists",)

    def __init__(self, lists: list[Sequence[Any]]) -> None:
        self._lists = lists

    @property
    def total(self) -> int | None:
        """The number of their records."""
        return sum(map(len, self._lists))

    def chunks(self) -> Iterator[Chunk]:
        """Give the records."""
        return chunks_of(chain.from_iterable(self._lists))


def open_several(parts: Sequence[Any], open_one: Callable[[Any], Source]) -> Source:
    """Make one source of several: all are opened before the first is read.

    Neighbours that are records, or lists of them, are joined, as are neighbours that are paths, or lists of them: so a
    file that several of them name is read once.

    :param parts: what each may be is what a source may be; a record alone is one record.
    :param open_one: opens what is no list of records.
    :raises SourceError: naming which of them can't be a source.
    """
    opened: list[tuple[str, Source]] = []
    for way, group in groupby(enumerate(parts), key=lambda each: _way(*each)):
        numbered = list(group)
        name = _name(numbered[0][0], numbered[-1][0], len(parts))
        if way == "records":
            opened.append((name, JoinedLists([_list(part, index, len(parts)) for index, part in numbered])))
            continue
        try:
            opened.append((name, open_one(_paths(numbered) if way == "paths" else numbered[0][1])))
        except (SourceError, SourceBrokeError) as error:
            raise _named(error, name) from error.__cause__
    if len(opened) == 1:
        return opened[0][1]
    several = SeveralSources(opened)
    several.leave_out(set())
    return several


def _way(index: int, part: object) -> str:
    """Tell how a part is opened; what is opened by itself has a way of its own."""
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
