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

_encoder = msgspec.json.Encoder(decimal_format="number")


def decoded(text: bytes, rule: str) -> object | Invalid:
    """Decode one JSON text.

    :param rule: the vendor's rule that a request is JSON.
    """
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Invalid((Fault(rule, (), "is not JSON"),))
    except RecursionError:
        return Invalid((Fault(rule, (), "is nested too deeply"),))
    return value


def encoded(value: object, rule: str) -> bytes | Invalid:
    """Encode a value once, exactly: a Decimal is a number, a date is ISO 8601, what JSON has no form for is refused.

    :param rule: the vendor's rule that a request is JSON.
    """
    for where, reason in _not_json(value):
        return Invalid((Fault(rule, where, reason),))
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return Invalid((Fault(rule, (), "holds a character that UTF-8 can't carry"),))
    except RecursionError:
        return Invalid((Fault(rule, (), "is nested too deeply"),))


def is_cell_number(cell: str | None) -> bool:
    """Say whether a text cell is written as JSON writes a number."""
    return cell is not None and _JSON_NUMBER.fullmatch(cell) is not None


def plain_number(value: object) -> object:
    """Give Python's other numbers as an int or a float of the same value; anything else stays as it is."""
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value


def _not_json(root: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what JSON can't hold, without recursion, so that depth is no limit here."""
    pending: list[tuple[tuple[str | int, ...], object]] = [((), root)]
    while pending:
        where, value = pending.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    yield where, "has a key that is not a string"
                else:
                    pending.append(((*where, key), item))
        elif isinstance(value, list | tuple):
            pending.extend(((*where, index), item) for index, item in enumerate(value))
        elif isinstance(value, float | Decimal):
            if not math.isfinite(value):
                yield where, "is not a finite number"
        elif not isinstance(value, _LEAVES):
            yield where, f"is {type(value).__name__}, for which JSON has no form"
