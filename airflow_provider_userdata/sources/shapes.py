"""Tells a record from what holds many: a list of records that is counted as one record is a list of records lost."""

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
    """Tell whether values of a type hold records, or give some: lists, generators, frames, functions, queries."""
    if issubclass(kind, _ONE) or (hasattr(kind, "open") and hasattr(kind, "glob")):
        return False
    # Looked up where an instance would find it: any class itself can be called.
    return any(name in vars(base) for base in kind.__mro__ for name in _MANY)


def are_sources(values: Sequence[Any], name: str) -> bool:
    """Tell whether a list is one of sources: some of what is in it holds many, and nothing is a record.

    :param values: the list.
    :param name: what messages call it.
    :raises SourceError: if it holds records and such as hold many.
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
    """Return the index of the first row that holds many and so is no record; None where there is none."""
    if _are_dictionaries(rows):
        return None
    wrong = {kind for kind in set(map(type, rows)) if holds_many(kind)}
    return next(index for index, row in enumerate(rows) if type(row) in wrong) if wrong else None


def check_records(rows: Sequence[Any], name: str, first: int = 0) -> None:
    """See that no row holds many. What else is no record is for the vendor's check to reject, and to count.

    :param rows: what is to be read as records.
    :param name: what messages call their source.
    :param first: the position of the first of them.
    :raises SourceError: if one holds many.
    """
    place = place_of_many(rows)
    if place is not None:
        raise nested(name, rows[place], first + place)


def check_list(rows: Sequence[Any], name: str) -> None:
    """See that a list which is one of several holds records: rows of cells would be counted cell by cell.

    :raises SourceError: if one of its rows holds many, or none of them is a record.
    """
    check_records(rows, name)
    if rows and not any(issubclass(kind, Mapping) for kind in set(map(type, rows))):
        raise SourceError(
            f"source: {name} is a {type(rows).__name__} without a record in it, and begins with one of type "
            f"{type(rows[0]).__name__}; a record is a dictionary"
        )


def nested(name: str, value: object, position: int) -> SourceError:
    """Make the error of a value that holds many and stands among records."""
    return SourceError(
        f"source: {name} has a value of type {type(value).__name__} at position {position}, where a record should be; "
        "a source gives records, which are dictionaries, or lists of records, not both"
    )


def _are_dictionaries(rows: Sequence[Any]) -> bool:
    """Tell whether all rows are dictionaries, as they nearly always are: counting takes half of what a set does."""
    return countOf(map(type, rows), dict) == len(rows)
