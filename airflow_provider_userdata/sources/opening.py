"""Turns an operator's `source` argument into a source that can be read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, cast

from airflow_provider_userdata.delivery.reading import Source
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources.airflow_lookups import database_hook
from airflow_provider_userdata.sources.arrow import open_table
from airflow_provider_userdata.sources.chunking import LazySource, chunks_of
from airflow_provider_userdata.sources.file_source import FileSource
from airflow_provider_userdata.sources.files import open_files
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.iterables import called, iterated
from airflow_provider_userdata.sources.rejects import open_rejects
from airflow_provider_userdata.sources.rejects_source import RejectsSource
from airflow_provider_userdata.sources.several import open_several
from airflow_provider_userdata.sources.shapes import Parts, are_sources, is_frame, records_of
from airflow_provider_userdata.sources.sql import SqlSource, read_query
from airflow_provider_userdata.sources.untemplated import are_locations, is_location, is_mapped_result, unhold


class Surroundings(NamedTuple):
    """What a source may have to know of the task that reads it.

    :param replay: is told which rejects are sent again.
    :param output: where the task writes; None for Airflow's setting.
    """

    replay: Replay
    output: Any = None


def open_source(
    value: object, *, columns: Collection[str] = (), only: bool = False, of: Surroundings | None = None
) -> Source:
    """Return the source that a value describes, after checking everything that can be checked before reading.

    May ask Airflow for a connection or for XComs: call it from the task's main thread.

    :param value: records, paths, files, a query or a callable, wrapped by `hold` or not.
    :param columns: the columns that a table or a query must have.
    :param only: whether other columns are ignored, whatever their names.
    :param of: the task that reads it; None where nobody marks which rejects are sent again.
    :raises SourceError: if it can't be a source.
    :raises SourceBrokeError: if looking it up fails for a reason that may pass.
    """
    return _opened(value, Wanted(columns, only), set(), of or Surroundings(Replay("", "")))


def _opened(value: object, wanted: Wanted, seen: set[object], of: Surroundings) -> Source:
    """Return the source that a value describes.

    :param seen: the identities of files that earlier parts of the same source read; changed.
    """
    value = unhold(value)
    if is_mapped_result(value):
        value = _fetched(value)
    if value is None:
        raise SourceError("source: it is None: the upstream task returned nothing")
    if isinstance(value, SqlSource | RejectsSource):
        return _queried(value, wanted, of)
    if is_frame(value):
        return open_table(value, f"the {type(value).__name__}", wanted)
    if is_location(value) or are_locations(value):
        value = FileSource(value)
    if isinstance(value, FileSource):
        return open_files(_located(value), wanted, seen)
    if isinstance(value, (list, tuple)):
        if are_sources(value, "the list"):
            return open_several(value, lambda part: _opened(part, wanted, seen, of))
        return LazySource(partial(chunks_of, value), len(value))
    if callable(value):
        return LazySource(partial(called, value, wanted))
    return LazySource(partial(iterated, records_of(value, "it is"), f"the {type(value).__name__}", wanted))


def _queried(value: SqlSource | RejectsSource, wanted: Wanted, of: Surroundings) -> Source:
    if isinstance(value, RejectsSource):
        return open_rejects(value, of.replay, of.output)
    return LazySource(partial(read_query, value, database_hook(value.conn_id), wanted))


def _located(files: FileSource) -> FileSource:
    """Return a `FileSource` with its path or list of paths, which mapped tasks may have returned."""
    path = list(_fetched(files.path)) if is_mapped_result(files.path) else files.path
    if not is_location(path) and not are_locations(path) and path != []:
        raise SourceError(
            f"source: FileSource: path must be a path, or a list of paths; it is of type {type(path).__name__}"
        )
    return replace(files, path=path)


def _fetched(results: object) -> Parts:
    """Return the results of mapped tasks: each may be a record, a list of records, or any other source."""
    sequence = cast("Any", results)
    try:
        # A slice is one call to Airflow instead of one for each task. Only Airflow's plain lazy sequence supports it;
        # those of `.map()`, `.zip()` and `.concat()` return wrong results.
        return Parts(sequence[:] if type(results).__name__.startswith("Lazy") else list(sequence))
    except Exception as error:
        raise SourceBrokeError(f"source: the mapped tasks' results can't be fetched: {type(error).__name__}") from error
