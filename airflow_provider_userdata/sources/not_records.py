"""Refuses values that can't be a source of records, and says what to use instead. Messages never quote the value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_userdata.errors import SourceError

_WHOLE = (str, bytes, bytearray, memoryview, Mapping)


def records_of(value: object, what: str) -> Iterable[Any]:
    """Return the value if it can contain records, else refuse it by its type.

    :param value: the value to iterate.
    :param what: how the message begins: where the value came from.
    :raises SourceError: if it can't contain records.
    """
    if isinstance(value, Iterable) and not isinstance(value, _WHOLE) and not _is_frame(value):
        return value
    raise SourceError(f"source: {what} {_described(value)}")


def _described(value: object) -> str:
    kind = type(value).__name__
    if _is_frame(value):
        return f"of type {kind}, which isn't read as records; pass its rows: {_rows_of_frame(value)}"
    if isinstance(value, Mapping):
        return f"of type {kind}, which isn't a list of records; put a single record into a list"
    if hasattr(value, "__aiter__") or hasattr(value, "__await__"):
        return f"of type {kind}; asynchronous sources aren't read, only what a plain function returns or yields"
    return f"of type {kind}, which isn't a list of records"


def _is_frame(value: object) -> bool:
    # Iterating a data frame yields its column names.
    return type(value).__name__ in ("DataFrame", "LazyFrame")


def _rows_of_frame(value: object) -> str:
    if hasattr(value, "to_dicts"):
        return "`.to_dicts()`"
    without_nan = "`frame.astype(object).where(frame.notna(), None)`"  # `where` alone leaves NaN in some columns
    return f'`.to_dict("records")`, and if values are missing, those of {without_nan}'
