"""Rows as the rejects file keeps them: complete, also values that JSON doesn't have. `lossless_values` reads them."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec

from airflow_provider_userdata.delivery.reading import TextRecord, TextRow, Unreadable, ValueRow
from airflow_provider_userdata.vendors.validation import is_utf_8, plain

Written = Literal["json", "text", "cells", "values"]
"""How a line has its record: `json` as it stood, `text` as a text that is not JSON, `cells` as texts without types,
`values` with marks such as `{"$decimal": ..}`."""
_decode = msgspec.json.Decoder().decode
DEEPEST = 200
"""Levels of nesting that are kept; of what lies deeper, only the type is named."""


def row_json(row: object, *, was_read: bool = False) -> tuple[msgspec.Raw, Written]:
    """Return a row as JSON: a JSON text as it stood, anything else with marks such as `{"$base64": ..}` where needed.

    :param was_read: whether a row of bytes is known to be valid JSON.
    """
    if type(row) is bytes:
        text = row.removesuffix(b"\n").removesuffix(b"\r")  # a line's end
        if was_read or _is_json(text):
            return _as_it_stood(text), "json"
        return msgspec.Raw(msgspec.json.encode(_marked_text(text))), "text"
    record = msgspec.json.encode(_plain(_as_value(row), 0))
    if type(row) is TextRow or type(row) is TextRecord:
        return msgspec.Raw(record), "cells"
    return msgspec.Raw(record), "values" if b'"$' in record else "json"


def _as_value(row: object) -> object:
    """Return a row of a file as a plain value, with the original bytes of cells that are not UTF-8."""
    if type(row) is TextRow:
        row = TextRecord(row.as_dict())
    if type(row) is TextRecord:
        return {name: _as_read(cell) for name, cell in row.items()}
    if type(row) is ValueRow:
        return row.as_dict()
    if type(row) is Unreadable:
        return [_as_read(cell) for cell in row.raw] if type(row.raw) is list else row.raw
    return row


def _as_read(cell: object) -> object:
    """Return the original bytes of a cell that is not UTF-8: the file's reader has escaped them."""
    if type(cell) is str and not is_utf_8(cell):
        with suppress(UnicodeEncodeError):
            return cell.encode(errors="surrogateescape")
    return cell


def _is_json(text: bytes) -> bool:
    try:
        _decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return False
    return True


def _marked_text(text: bytes) -> dict[str, str]:
    try:
        return {"$text": text.decode()}
    except UnicodeDecodeError:
        return {"$base64": _base64(text)}


def _as_it_stood(text: bytes) -> msgspec.Raw:
    return msgspec.Raw(b" ".join(text.splitlines()) if b"\n" in text or b"\r" in text else text)


def _plain(value: Any, depth: int) -> Any:
    """Return a value as JSON; a value whose methods raise mustn't end the run."""
    try:
        return _form(value, depth)
    except BaseException as error:  # noqa: BLE001  # the author's code may raise anything
        return {f"${type(value).__name__}": f"has no text: {type(error).__name__}"}


def _form(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        return {"$deeper": type(value).__name__}
    if isinstance(value, Mapping):
        items = [(_plain(key, depth + 1), _plain(item, depth + 1)) for key, item in value.items()]
        form = {key: item for key, item in items if type(key) is str}
        if len(form) == len(items) and not (len(form) == 1 and next(iter(form)).startswith("$")):
            return form
        return {"$items": items}  # JSON's keys are texts, and an object of one `$` key is a mark
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, set | frozenset):
        return {"$set": [_plain(item, depth + 1) for item in value]}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$base64": _base64(bytes(value))}
    own = plain(value)
    if own is None and value is not None:
        return {f"${type(value).__name__}": str(value)}  # a library's mark for a missing value
    return _leaf_form(value if isinstance(value, UUID) else own)


def _leaf_form(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if is_utf_8(value) else {"$surrogates": _base64(value.encode(errors="surrogatepass"))}
    if isinstance(value, int):
        return _plain_integer(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime | date | time):
        return {"$time": value.isoformat()}
    return {f"${type(value).__name__}": _leaf_form(str.__str__(str(value)))}


def _plain_integer(value: int) -> Any:
    try:
        str(value)
    except ValueError:  # Python refuses to write thousands of digits in decimal form
        return {"$int": hex(value)}
    return value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
