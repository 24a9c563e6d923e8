"""What can't be a source of records, and what to write instead. Never the value itself: it may hold personal data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_userdata.errors import SourceError

_WHOLE = (str, bytes, bytearray, memoryview, Mapping)


def records_of(value: object, what: str) -> Iterable[Any]:
    """Give the value back where it can hold records, else refuse it by its type.

    :param value: what is to be iterated.
    :param what: how the message begins: who gave the value.
    """
    if isinstance(value, Iterable) and not isinstance(value, _WHOLE) and not _is_frame(value):
        return value
    raise SourceError(f"source: {what} {_described(value)}")


def _described(value: object) -> str:
    kind = type(value).__name__
    if _is_frame(value):
        return f"of type {kind}, which isn't read as records; hand over its rows: {_rows_of_frame(value)}"
    if isinstance(value, Mapping):
        return f"of type {kind}, which isn't a list of records; a single record goes into a list"
    if hasattr(value, "__aiter__") or hasattr(value, "__await__"):
        return f"of type {kind}; asynchronous sources aren't read, only what a plain function returns or yields"
    return f"of type {kind}, which isn't a list of records"


def _is_frame(value: object) -> bool:
    # Iterating a data frame gives its column names.
    return type(value).__name__ in ("DataFrame", "LazyFrame")


def _rows_of_frame(value: object) -> str:
    if hasattr(value, "to_dicts"):
        return "`.to_dicts()`"
    without_nan = "`frame.astype(object).where(frame.notna(), None)`"  # `where` alone leaves NaN in some columns
    return f'`.to_dict("records")`, and where values are missing, those of {without_nan}'
