"""Tells a record from a value that contains many, and from one that can't contain any.

A list of records must not be counted as one record. Messages name the type of a refused value, and never quote it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from operator import countOf
from typing import Any

from airflow_provider_userdata.errors import SourceError

_STREAM = "__arrow_c_stream__"
_MANY = ("__iter__", "__call__", "__await__", "__aiter__", "template_fields", _STREAM)
_WHOLE = (str, bytes, bytearray, memoryview, Mapping)
_FRAMES = ("DataFrame", "LazyFrame")


class Parts(list[Any]):
    """A list of sources: what several upstream tasks returned, each of which may be anything that `source` may be."""

    __slots__ = ()


def is_frame(value: object) -> bool:
    """Return whether a value is a table of columns: a data frame, or anything else with an Arrow C stream."""
    # Iterating a data frame yields its column names, or its columns.
    return hasattr(type(value), _STREAM) or type(value).__name__ in _FRAMES


def frame_fault(value: object) -> str | None:
    """Return why a frame can't be read, to follow its name; None if it can be."""
    if hasattr(type(value), _STREAM):
        return None
    if type(value).__name__ == "LazyFrame":
        return "isn't computed yet; pass its `.collect()`"
    return "has no Arrow stream, as a DataFrame of pandas has since 2.2; pass its rows as dictionaries"


def records_of(value: object, what: str) -> Iterable[Any]:
    """Return the value if it can contain records, else refuse it by its type.

    :param what: how the message begins: where the value came from.
    :raises SourceError: if it can't contain records.
    """
    if isinstance(value, Iterable) and not isinstance(value, _WHOLE):
        return value
    raise SourceError(f"source: {what} {_described(value)}")


def holds_many(kind: type) -> bool:
    """Return whether values of a type contain or produce records: lists, generators, frames, functions, queries."""
    if issubclass(kind, (*_WHOLE, os.PathLike)) or (hasattr(kind, "open") and hasattr(kind, "glob")):
        return False
    # Looked up in the classes, as for an instance: `hasattr(kind, "__call__")` is true for every class.
    return kind.__name__ in _FRAMES or any(name in vars(base) for base in kind.__mro__ for name in _MANY)


def are_sources(values: Sequence[Any], name: str) -> bool:
    """Return whether a list is a list of sources: some of its values contain many records, and none is a record.

    :raises SourceError: if it mixes records with values that contain many.
    """
    if isinstance(values, Parts):
        return True
    place = place_of_many(values)
    if place is not None and _has_records(values):
        raise nested(name, values[place], place)
    return place is not None


def place_of_many(rows: Sequence[Any]) -> int | None:
    """Return the index of the first row that contains many records, and so isn't one; None if there is none."""
    if countOf(map(type, rows), dict) == len(rows):  # the usual case: counting takes half as long as a set
        return None
    wrong = {kind for kind in set(map(type, rows)) if holds_many(kind)}
    return next(index for index, row in enumerate(rows) if type(row) in wrong) if wrong else None


def check_list(rows: Sequence[Any], name: str) -> None:
    """Check that one of several lists contains records: the cells of a row would be counted as records.

    Other values that aren't records are rejected by the vendor's check.

    :raises SourceError: if one of its values contains many records, or none is a record.
    """
    place = place_of_many(rows)
    if place is not None:
        raise nested(name, rows[place], place)
    if rows and not _has_records(rows):
        raise SourceError(
            f"source: {name} is a {type(rows).__name__} without a record in it, and begins with one of type "
            f"{type(rows[0]).__name__}; a record is a dictionary"
        )


def nested(name: str, value: object, position: int) -> SourceError:
    """Return the error for a value among records that contains many."""
    return SourceError(
        f"source: {name} has a value of type {type(value).__name__} at position {position}, where a record should be; "
        "a source yields records, which are dictionaries, or lists of records, not both"
    )


def _has_records(rows: Sequence[Any]) -> bool:
    return any(issubclass(kind, Mapping) for kind in set(map(type, rows)))


def _described(value: object) -> str:
    kind = type(value).__name__
    if isinstance(value, Mapping):
        return f"of type {kind}, which isn't a list of records; put a single record into a list"
    if hasattr(value, "__aiter__") or hasattr(value, "__await__"):
        return f"of type {kind}; asynchronous sources aren't read, only what a plain function returns or yields"
    return f"of type {kind}, which isn't a list of records"
