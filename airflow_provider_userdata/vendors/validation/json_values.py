"""Converts values between Python and JSON. Nothing changes silently: a value that JSON can't represent is refused."""

from __future__ import annotations

import math
import re
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
"""Levels of nesting that a value may have; Python's recursion limit is not much higher."""


def decoded(text: bytes) -> object | Invalid:
    """Return the decoded JSON text, or why it can't be decoded."""
    try:
        value: object = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Invalid((Fault(UNREADABLE, (), "is not JSON"),))
    except RecursionError:
        return _TOO_DEEP
    return value


def is_shallow(text: bytes) -> bool:
    """Return whether a JSON text has too few brackets to be nested too deeply, even one level down."""
    return text.count(b"{") + text.count(b"[") < DEEPEST


def encoded(value: object, rule: str, *, checked: bool = False) -> bytes | Invalid:
    """Encode a value: a Decimal as a number, a date as ISO 8601. What JSON can't represent is refused.

    :param rule: the vendor's rule that a request is JSON.
    :param checked: True if the value was decoded from a shallow JSON text, so that nothing can be refused.
    """
    if not checked and (refused := _not_json(value, rule)):
        return refused
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return Invalid((Fault(rule, (), "contains a character that UTF-8 can't encode"),))
    except RecursionError:
        return _TOO_DEEP
    except (ValueError, TypeError):
        return Invalid(
            (Fault(rule, (), "contains a value that can't be written as JSON, such as an integer of 5000 digits"),)
        )


def cell_value(cell: str) -> object:
    """Return a text cell as a number if it is written like a JSON number, otherwise as text."""
    if _JSON_NUMBER.fullmatch(cell) is None:
        return cell
    try:
        number: object = msgspec.json.decode(cell)
    except msgspec.DecodeError:  # too large for a number
        return cell
    return number


def is_finite(value: float | Decimal) -> bool:
    """Return whether a number is finite, also as a float."""
    return (not isinstance(value, Decimal) or value.is_finite()) and math.isfinite(value)


def encodable(value: object) -> object:
    """Return the plain value of an object whose type the encoder doesn't know; other objects are unchanged."""
    value = plain(value)
    return value.isoformat() if isinstance(value, date) else value


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=encodable).encode


def _not_json(root: object, rule: str) -> Invalid | None:
    """Return what JSON can't represent, if there is anything. Not recursive, so the depth is not limited."""
    pending: list[tuple[tuple[str | int, ...], object]] = [((), root)]
    while pending:
        where, value = pending.pop()
        if len(where) > DEEPEST:
            return _TOO_DEEP
        if type(value) in _USUAL:
            continue
        if isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    return Invalid((Fault(rule, where, "has a key that is not a string"),))
                pending.append(((*where, str.__str__(key)), item))
        elif isinstance(value, list | tuple):
            pending.extend(((*where, index), item) for index, item in enumerate(value))
        elif (reason := _leaf_fault(value)) is not None:
            return Invalid((Fault(rule, where, reason),))
    return None


def _leaf_fault(value: object) -> str | None:
    """Return why JSON can't represent a value that holds no others; None if it can."""
    own = plain(value)
    if isinstance(own, float | Decimal):
        return None if is_finite(own) else NAN if is_nan(own) else "is not a finite number"
    return None if isinstance(own, _LEAVES) else f"is of type {type(value).__name__}, which JSON can't represent"
