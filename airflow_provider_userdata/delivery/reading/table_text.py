"""Writes a table's rows as the JSON texts of their dictionaries, without making the dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import starmap
from operator import itemgetter
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.reading.digest import encoded_lines, text_of
from airflow_provider_userdata.delivery.reading.source import Header

_Structs = Callable[[Iterable[tuple[Any, ...]]], list[Any]]


def table_text(header: Header, rows: Sequence[tuple[Any, ...]]) -> bytes:
    """Return each row on a line: the same bytes that `text_of` returns for the rows' dictionaries.

    :param header: the columns' names.
    :param rows: the values of each row, at least one.
    """
    structs = _structs_of(header)
    text = None if structs is None else encoded_lines(structs(rows))
    return text_of([dict(zip(header.names, row, strict=True)) for row in rows]) if text is None else text


@lru_cache(maxsize=8)
def _structs_of(header: Header) -> _Structs | None:
    """Return what makes structs of rows, with a field for each column, in the order of the keys in a row's text.

    The columns are sorted once this way, not for each row. None if a name can't be a field's.
    """
    names = sorted(header.names)
    fields = {f"column_{number}": name for number, name in enumerate(names)}
    try:
        kind: Any = msgspec.defstruct("Row", list(fields), rename=fields, gc=False)
    except (ValueError, UnicodeEncodeError):  # a name that has to be escaped
        return None
    if names == list(header.names):
        return lambda rows: list(starmap(kind, rows))
    ordered = itemgetter(*map(header.names.index, names))
    return lambda rows: list(starmap(kind, map(ordered, rows)))
