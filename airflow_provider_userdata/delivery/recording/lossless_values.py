"""Reads records back from the rejects file: the values that their source had."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from airflow_provider_userdata.delivery.reading import TextRecord, Unreadable
from airflow_provider_userdata.delivery.recording.lossless_json import Written

_decode = msgspec.json.Decoder().decode
_MISSING = ("NaTType", "NAType", "MaskedConstant")
_MISSING_TIME = "NaT"


def row_of(record: bytes, written: Written) -> object:
    """Return a row as its source had it: JSON as bytes, anything else as a value.

    A record that its line only describes, such as an object of a class of its own, is `Unreadable`.
    """
    if written == "json":
        return record
    try:
        value = _decode(record)
        if written == "text":
            return _text(value)
        found = _value(value)
    except _LostError as lost:
        return Unreadable(record, f"has a value of type {lost}, which its rejects line only describes")
    except (ValueError, TypeError, AttributeError, RecursionError, msgspec.DecodeError) as error:
        return Unreadable(record, f"can't be read from its rejects line: {type(error).__name__}")
    if written == "cells" and isinstance(found, dict):
        return TextRecord({name: _cell(cell) for name, cell in found.items()})
    return found


def cells_of(record: bytes) -> object:
    """Return the cells of a row of a table whose number is another than that of the columns."""
    found = _value(_decode(record))
    return [_cell(cell) for cell in found] if isinstance(found, list) else found


class _LostError(Exception):
    """A value was not kept."""


def _text(value: Any) -> bytes:
    return bytes(value["$text"].encode()) if "$text" in value else base64.b64decode(value["$base64"])


def _cell(cell: object) -> object:
    """Return a cell as its file's reader has it: bytes that are not UTF-8 are escaped."""
    return cell.decode(errors="surrogateescape") if isinstance(cell, bytes) else cell


def _value(form: Any) -> Any:
    if isinstance(form, list):
        return [_value(item) for item in form]
    if not isinstance(form, dict):
        return form
    if len(form) == 1:
        ((name, held),) = form.items()
        if name.startswith("$"):
            return _marked(name[1:], held)
    return {key: _value(item) for key, item in form.items()}


def _marked(name: str, held: Any) -> Any:
    if name in _MARKS:
        return _MARKS[name](held)
    if name in _MISSING or held == _MISSING_TIME:
        return None  # as every vendor's check takes it
    raise _LostError(name)


def _items(held: Any) -> dict[Any, Any]:
    pairs = [(_value(key), _value(item)) for key, item in held]
    return {tuple(key) if isinstance(key, list) else key: item for key, item in pairs}


def _moment(held: str) -> Any:
    """Return a date, a time or both; the text itself if Python's types are less precise."""
    kind: Any = time if ":" in held[:3] else datetime if len(held) > len("2026-01-02") else date
    found = kind.fromisoformat(held)
    return found if found.isoformat() == held else held


_MARKS: Mapping[str, Callable[[Any], Any]] = {
    "base64": base64.b64decode,
    "surrogates": lambda held: base64.b64decode(held).decode(errors="surrogatepass"),
    "items": _items,
    "set": lambda held: set(map(_value, held)),
    "float": float,
    "decimal": Decimal,
    "int": lambda held: int(held, 16),
    "time": _moment,
    "UUID": UUID,
}
