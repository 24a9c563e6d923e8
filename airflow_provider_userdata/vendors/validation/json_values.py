"""Values between Python and JSON: nothing is altered silently, what JSON can't hold is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import msgspec

from airflow_provider_userdata.vendors.rules import UNREADABLE
from airflow_provider_userdata.vendors.validation.fault import Fault, Invalid
from airflow_provider_userdata.vendors.validation.plain_values import NAN, is_nan, plain

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LEAVES = (str, bool, int, type(None), datetime, date)
_USUAL = frozenset({str, bool, int, type(None)})
_decode = msgspec.json.Decoder().decode
_TOO_DEEP = Invalid((Fault(UNREADABLE, (), "is nested too deeply"),))
DEEPEST = 500
"""Levels of nesting that a value may have: Python's own limit is not far beyond, and nears with every call."""


def decoded(text: bytes) -> object | Invalid:
    """Decode one JSON text."""
    try:
        value: object = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Invalid((Fault(UNREADABLE, (), "is not JSON"),))
    except RecursionError:
        return _TOO_DEEP
    return value


def is_shallow(text: bytes) -> bool:
    """Say whether a JSON text is surely not nested too deeply, even with one more level: it has too few brackets."""
    return text.count(b"{") + text.count(b"[") < DEEPEST


def encoded(value: object, rule: str, *, checked: bool = False) -> bytes | Invalid:
    """Encode a value once, exactly: a Decimal is a number, a date is ISO 8601, what JSON has no form for is refused.

    :param rule: the vendor's rule that a request is JSON.
    :param checked: whether there is nothing to refuse: it was decoded from a JSON text that is shallow.
    """
    if not checked:
        for where, reason in _not_json(value):
            return _TOO_DEEP if len(where) > DEEPEST else Invalid((Fault(rule, where, reason),))
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return Invalid((Fault(rule, (), "holds a character that UTF-8 can't carry"),))
    except RecursionError:
        return _TOO_DEEP
    except (ValueError, TypeError):
        return Invalid((Fault(rule, (), "holds what can't be written as JSON, such as an integer of 5000 digits"),))


def cell_value(cell: str) -> object:
    """Give a text cell that is written as JSON writes a number as that number; any other stays text."""
    if _JSON_NUMBER.fullmatch(cell) is None:
        return cell
    try:
        number: object = msgspec.json.decode(cell)
    except msgspec.DecodeError:  # beyond what a number can be
        return cell
    return number


def is_finite(value: float | Decimal) -> bool:
    """Say whether a number is finite, and can be a float."""
    return (not isinstance(value, Decimal) or value.is_finite()) and math.isfinite(value)


def encodable(value: object) -> object:
    """Return as plain what an encoder doesn't know by its own type; what is of no use to it comes back as it is."""
    value = plain(value)
    return value.isoformat() if isinstance(value, date) else value


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=encodable).encode


def _not_json(root: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what JSON can't hold, without recursion, so that depth is no limit here."""
    pending: list[tuple[tuple[str | int, ...], object]] = [((), root)]
    while pending:
        where, value = pending.pop()
        if len(where) > DEEPEST:
            yield where, ""
        elif type(value) in _USUAL:
            continue
        elif isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    yield where, "has a key that is not a string"
                else:
                    pending.append(((*where, str.__str__(key)), item))
        elif isinstance(value, list | tuple):
            pending.extend(((*where, index), item) for index, item in enumerate(value))
        elif (reason := _leaf_fault(plain(value))) is not None:
            yield where, reason or f"is {type(value).__name__}, for which JSON has no form"


def _leaf_fault(value: object) -> str | None:
    """Say why JSON can't hold a plain value; an empty text where it has no form for its type at all."""
    if isinstance(value, float | Decimal):
        return None if is_finite(value) else NAN if is_nan(value) else "is not a finite number"
    return None if isinstance(value, _LEAVES) else ""
