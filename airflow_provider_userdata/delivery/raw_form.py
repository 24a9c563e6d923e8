"""Rows as the rejects file keeps them: whole, also what JSON can't hold."""

from __future__ import annotations

import base64
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.chunks import Cells, Unreadable

_decode = msgspec.json.Decoder().decode
DEEPEST = 200
"""Levels of nesting that are kept as they are; what lies deeper is kept as its text."""


def row_json(row: object, *, was_read: bool = False) -> msgspec.Raw:
    """Give a row as JSON: a JSON text as it stood, anything else with marks such as `{"$base64": ..}` where needed.

    :param was_read: whether it is known to be a JSON text, where it is a text.
    """
    if isinstance(row, bytes):
        text = row.removesuffix(b"\n").removesuffix(b"\r")  # a line's end
        return _as_it_stood(text) if was_read else _text_json(text)
    value = row.raw if isinstance(row, Unreadable) else row.as_dict() if isinstance(row, Cells) else row
    return msgspec.Raw(msgspec.json.encode(_plain(value, 0)))


def _text_json(text: bytes) -> msgspec.Raw:
    try:
        _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return msgspec.Raw(msgspec.json.encode(_plain(text, 0, mark="$text")))
    return _as_it_stood(text)


def _as_it_stood(text: bytes) -> msgspec.Raw:
    return msgspec.Raw(b" ".join(text.splitlines()) if b"\n" in text or b"\r" in text else text)


def _plain(value: Any, depth: int, mark: str = "$base64") -> Any:
    if depth > DEEPEST:
        return {"$deeper": type(value).__name__}
    if isinstance(value, dict):
        plain = {_plain_key(key): _plain(item, depth + 1) for key, item in value.items()}
        if len(plain) == len(value):
            return plain
        return {"$items": [[_plain(key, depth + 1), _plain(item, depth + 1)] for key, item in value.items()]}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return _plain_bytes(bytes(value), mark)
    return _plain_leaf(value)


def _plain_leaf(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _plain_text(str.__str__(value))  # an enumeration's `str()` would be its member's name
    if isinstance(value, int):
        return _plain_integer(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime | date | time):
        return {"$time": value.isoformat()}
    return {f"${type(value).__name__}": _plain_text(_shown(value))}


def _plain_text(text: str) -> Any:
    return text if _is_utf8(text) else {"$base64": _base64(text.encode(errors="surrogatepass"))}


def _plain_integer(value: int) -> Any:
    try:
        str(value)
    except ValueError:  # Python refuses to write thousands of digits in decimal form
        return {"$int": hex(value)}
    return value


def _plain_key(key: object) -> str:
    text = str.__str__(key) if isinstance(key, str) else _shown(key)
    return text if _is_utf8(text) else _base64(text.encode(errors="surrogatepass"))


def _shown(value: object) -> str:
    """Give an object as its own text, if it has one: what it is rejected for mustn't end the run."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001  # the author's code may raise anything
        return f"has no text: {type(error).__name__}"


def _plain_bytes(value: bytes, mark: str) -> dict[str, str]:
    if mark == "$text":
        try:
            return {"$text": value.decode()}
        except UnicodeDecodeError:
            pass
    return {"$base64": _base64(value)}


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
