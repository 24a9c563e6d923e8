"""Python values of Arrow's columns, whole columns at once: what JSON has, exactly, and text for what it hasn't.

Imported only by what reads Arrow: it needs pyarrow.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_userdata.sources.arrow_times import date_texts, time_texts, timestamp_texts, zone_fault

_T = pa.types
_PLAIN = (_T.is_null, _T.is_boolean, _T.is_integer, _T.is_floating, _T.is_decimal)
_TEXTS = tuple(getattr(_T, name) for name in ("is_string", "is_large_string", "is_string_view") if hasattr(_T, name))
_LISTS = tuple(
    getattr(_T, name)
    for name in ("is_list", "is_large_list", "is_fixed_size_list", "is_list_view", "is_large_list_view")
    if hasattr(_T, name)
)
_UUID, _BOOLEAN = "arrow.uuid", "arrow.bool8"


def values_of(column: Any) -> list[Any]:
    """Return a column's values: nulls as None, categories as their values, dates and times as ISO 8601, maps as dicts.

    :param column: of a type that `type_fault` finds nothing wrong with.
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(column)
    if _T.is_dictionary(kind):
        if len(column.dictionary) > len(column):  # a part of a column has all its categories
            return values_of(column.dictionary_decode())
        categories = values_of(column.dictionary)
        return [None if index is None else categories[index] for index in column.indices.to_pylist()]
    if _T.is_run_end_encoded(kind):
        return values_of(pc.run_end_decode(column))
    if _T.is_timestamp(kind):
        return timestamp_texts(column)
    if _T.is_date(kind):
        return date_texts(column)
    if _T.is_time(kind):
        return time_texts(column)
    if _T.is_nested(kind):
        return _of_nested(column)
    values: list[Any] = column.to_pylist()
    return values


def type_fault(kind: Any) -> str | None:
    """Return why values of a type can't be read, to follow "its column .."; None if they can."""
    if isinstance(kind, pa.BaseExtensionType):
        known = kind.extension_name in (_UUID, _BOOLEAN) or _is(kind.storage_type, _TEXTS)
        return None if known else _no_form(kind)
    if _T.is_dictionary(kind) or _T.is_run_end_encoded(kind):
        return type_fault(kind.value_type)
    if _T.is_timestamp(kind):
        return None if kind.tz is None else zone_fault(kind.tz)
    if _T.is_map(kind):
        return type_fault(kind.item_type) if _is(kind.key_type, _TEXTS) else "has a map whose keys aren't texts"
    if _is(kind, _LISTS):
        return type_fault(kind.value_type)
    if _T.is_struct(kind):
        fields = [kind.field(number) for number in range(kind.num_fields)]
        if len({field.name for field in fields}) < len(fields):
            return "has a struct with two fields of the same name"
        return next(filter(None, (type_fault(field.type) for field in fields)), None)
    return None if _is(kind, (*_PLAIN, *_TEXTS, _T.is_date, _T.is_time)) else _no_form(kind)


def _is(kind: Any, tests: tuple[Any, ...]) -> bool:
    return any(test(kind) for test in tests)


def _no_form(kind: Any) -> str:
    name = kind.extension_name if isinstance(kind, pa.BaseExtensionType) else str(kind)
    return f"is of Arrow's type {name[:100]}, which has no form as JSON"


def _of_extension(column: Any) -> list[Any]:
    name, storage = column.type.extension_name, column.storage
    if name == _UUID:
        return [None if value is None else str(value) for value in column.to_pylist()]
    return values_of(storage.cast(pa.bool_()) if name == _BOOLEAN else storage)


def _of_nested(column: Any) -> list[Any]:
    if _T.is_struct(column.type):
        return _of_structs(column)
    gather: Any = list
    if _T.is_map(column.type):
        pair = pa.struct([pa.field("key", column.type.key_type), pa.field("value", column.type.item_type)])
        column, gather = column.cast(pa.list_(pair)), dict
    flat = pc.list_flatten(column)
    items = iter(values_of(flat)) if gather is list else zip(*map(values_of, flat.flatten()), strict=True)
    counts = pc.list_value_length(column).to_pylist()
    return [None if count is None else gather(islice(items, count)) for count in counts]


def _of_structs(column: Any) -> list[Any]:
    names = [field.name for field in column.type]
    fields = map(values_of, column.flatten())
    rows = zip(*fields, strict=True) if names else ((),) * len(column)
    known = column.is_valid().to_pylist()
    return [dict(zip(names, row, strict=True)) if here else None for row, here in zip(rows, known, strict=True)]
