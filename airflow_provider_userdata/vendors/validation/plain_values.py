"""Converts values of other types, such as NumPy's and pandas', to Python's own, for all vendors.

NumPy and pandas are recognised by the names of their types: neither is imported or needs to be installed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

NAN = (
    "is NaN, which data frames use for a missing value: pass None instead, for example with "
    "`frame.astype(object).where(frame.notna(), None)`"
)
"""What is wrong with a NaN, and what to do."""

_PLAIN = frozenset({str, int, float, bool, type(None)})
_LIBRARIES = ("numpy", "pandas")


def plain(value: object) -> object:
    """Return a value as one of Python's own types if its type has an equivalent, otherwise unchanged.

    NumPy's scalars become their values; subclasses of `str`, `int` and `float`, such as enumerations, their base type;
    and a UUID its text. NumPy's and pandas' missing times and values become None. NaN stays a number.
    """
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    convert = _conversion(kind)
    return value if convert is None else convert(value)


def plain_number(value: object) -> object:
    """Return a number as an int or float of the same value; anything else as `plain` does."""
    value = plain(value)
    if not isinstance(value, Decimal):
        return value
    if value.is_nan():
        return float("nan")
    return int(value) if value.as_tuple().exponent == 0 else float(value)


def user_name(value: object) -> str | int | None:
    """Return a value that can identify a user: a text, an integer or a UUID's text (T6, P7); otherwise None."""
    name = plain(value)
    if type(name) is int or (type(name) is str and isinstance(value, str | UUID)):
        return name
    return None


def is_utf_8(text: str) -> bool:
    """Return whether UTF-8 can encode a text: it can't if the text has half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_nan(value: object) -> bool:
    """Return whether a value is NaN."""
    value = plain(value)
    return value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and value != value


@functools.lru_cache(maxsize=256)
def _conversion(kind: type) -> Callable[[Any], object] | None:
    """Return the function that converts values of a type; None if they need no conversion."""
    for base in kind.__mro__:
        if base in _OWN:
            return _OWN[base]
        if str(base.__module__).partition(".")[0] in _LIBRARIES and base.__name__ in _OF_LIBRARIES:
            return _OF_LIBRARIES[base.__name__]
    return None


def _fraction(value: Any) -> object:
    """Return a float, or a Decimal for a `longdouble`, which has more digits."""
    held = value.item()
    return held if type(held) is float else Decimal(str(held))


def _moment(value: Any) -> object:
    """Return a datetime if it is precise enough, otherwise ISO 8601; None if the time is missing."""
    held = value.item()
    return held if held is None or isinstance(held, datetime) else str(value)


_OWN: Mapping[type, Callable[[Any], object]] = {
    str: str.__str__,  # `str()` would return the name of an enumeration's member
    int: int,
    float: float,
    UUID: str,
}
_OF_LIBRARIES: Mapping[str, Callable[[Any], object]] = {
    "NaTType": lambda _: None,
    "NAType": lambda _: None,
    "MaskedConstant": lambda _: None,
    "datetime64": _moment,
    # A duration that isn't missing stays: it has no plain form, although it is also an `integer`.
    "timedelta64": lambda value: None if value.item() is None else value,
    "integer": lambda value: value.item(),
    "floating": _fraction,
    "bool": lambda value: value.item(),
    "bool_": lambda value: value.item(),  # NumPy before 2
}
