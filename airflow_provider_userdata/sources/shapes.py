"""Tells a record from a value that contains many: a list of records must not be counted as one record."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from operator import countOf
from typing import Any

from airflow_provider_userdata.errors import SourceError

_MANY = ("__iter__", "__call__", "__await__", "__aiter__", "template_fields")
_ONE = (str, bytes, bytearray, memoryview, Mapping, os.PathLike)


class Parts(list[Any]):
    """A list of sources: what several upstream tasks returned, each of which may be anything that `source` may be."""

    __slots__ = ()


def holds_many(kind: type) -> bool:
    """Return whether values of a type contain or produce records: lists, generators, frames, functions, queries."""
    if issubclass(kind, _ONE) or (hasattr(kind, "open") and hasattr(kind, "glob")):
        return False
    # Looked up in the classes, as for an instance: `hasattr(kind, "__call__")` is true for every class.
    return any(name in vars(base) for base in kind.__mro__ for name in _MANY)


def are_sources(values: Sequence[Any], name: str) -> bool:
    """Return whether a list is a list of sources: some of its values contain many records, and none is a record.

    :param values: the list.
    :param name: its name in messages.
    :raises SourceError: if it mixes records with values that contain many.
    """
    if isinstance(values, Parts):
        return True
    if _are_dictionaries(values):
        return False
    kinds = set(map(type, values))
    if not any(map(holds_many, kinds)):
        return False
    if any(issubclass(kind, Mapping) for kind in kinds):
        check_records(values, name)
    return True


def place_of_many(rows: Sequence[Any]) -> int | None:
    """Return the index of the first row that contains many records, and so isn't one; None if there is none."""
    if _are_dictionaries(rows):
        return None
    wrong = {kind for kind in set(map(type, rows)) if holds_many(kind)}
    return next(index for index, row in enumerate(rows) if type(row) in wrong) if wrong else None


def check_records(rows: Sequence[Any], name: str, first: int = 0) -> None:
    """Check that no row contains many records. Other values that aren't records are rejected by the vendor's check.

    :param rows: the rows to be read as records.
    :param name: the name of their source in messages.
    :param first: the position of the first row.
    :raises SourceError: if one contains many.
    """
    place = place_of_many(rows)
    if place is not None:
        raise nested(name, rows[place], first + place)


def check_list(rows: Sequence[Any], name: str) -> None:
    """Check that one of several lists contains records: the cells of a row would be counted as records.

    :raises SourceError: if one of its values contains many records, or none is a record.
    """
    check_records(rows, name)
    if rows and not any(issubclass(kind, Mapping) for kind in set(map(type, rows))):
        raise SourceError(
            f"source: {name} is a {type(rows).__name__} without a record in it, and begins with one of type "
            f"{type(rows[0]).__name__}; a record is a dictionary"
        )


def nested(name: str, value: object, position: int) -> SourceError:
    """Return the error for a value among records that contains many.

    :param name: the name of the source in messages.
    :param value: the value.
    :param position: its position.
    """
    return SourceError(
        f"source: {name} has a value of type {type(value).__name__} at position {position}, where a record should be; "
        "a source yields records, which are dictionaries, or lists of records, not both"
    )


def _are_dictionaries(rows: Sequence[Any]) -> bool:
    """Return whether all rows are dictionaries, which is the usual case: counting takes half as long as a set."""
    return countOf(map(type, rows), dict) == len(rows)
