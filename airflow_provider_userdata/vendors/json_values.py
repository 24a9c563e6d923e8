"""Values between Python and JSON: nothing is altered silently, what JSON can't hold is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from airflow_provider_userdata.vendors.contract import Fault, Invalid

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LEAVES = (str, bool, int, type(None), datetime, date, UUID)
_PLAIN = frozenset({str, int, float, bool, type(None)})
_decode = msgspec.json.Decoder().decode
DEEPEST = 500
"""Levels of nesting that a value may have: Python's own limit is not far beyond, and nears with every call."""


def decoded(text: bytes, rule: str) -> object | Invalid:
    """Decode one JSON text.

    :param rule: the vendor's rule that a request is JSON.
    """
    try:
        value: object = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Invalid((Fault(rule, (), "is not JSON"),))
    except RecursionError:
        return Invalid((Fault(rule, (), "is nested too deeply"),))
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
            return Invalid((Fault(rule, where, reason),))
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return Invalid((Fault(rule, (), "holds a character that UTF-8 can't carry"),))
    except RecursionError:
        return Invalid((Fault(rule, (), "is nested too deeply"),))
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


def plain(value: object) -> object:
    """Give what is of a subclass of str, int or float (an enumeration's, NumPy's) as one of these; else as it is."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, str):
        return str.__str__(value)  # `str()` would give the name of an enumeration's member
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else value


def plain_number(value: object) -> object:
    """Give Python's other numbers as an int or a float of the same value; anything else stays as it is."""
    if not isinstance(value, Decimal):
        return plain(value)
    if not value.is_finite():
        return math.nan
    return int(value) if value.as_tuple().exponent == 0 else float(value)


def is_finite(value: float | Decimal) -> bool:
    """Say whether a number is finite, and can be a float."""
    return (not isinstance(value, Decimal) or value.is_finite()) and math.isfinite(value)


def _plain_leaf(value: object) -> object:
    """Write what the encoder knows only by its base class."""
    return value.isoformat() if isinstance(value, date) else plain(value)


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain_leaf).encode


def _not_json(root: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what JSON can't hold, without recursion, so that depth is no limit here."""
    pending: list[tuple[tuple[str | int, ...], object]] = [((), root)]
    while pending:
        where, value = pending.pop()
        if len(where) > DEEPEST:
            yield (), "is nested too deeply"
        elif isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    yield where, "has a key that is not a string"
                else:
                    pending.append(((*where, key), item))
        elif isinstance(value, list | tuple):
            pending.extend(((*where, index), item) for index, item in enumerate(value))
        elif isinstance(value, float | Decimal):
            if not is_finite(value):
                yield where, "is not a finite number"
        elif not isinstance(value, _LEAVES):
            yield where, f"is {type(value).__name__}, for which JSON has no form"
