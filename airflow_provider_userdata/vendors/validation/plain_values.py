"""What a value of a library's own type stands for among Python's own, for all vendors alike.

NumPy and pandas are told by the names of their types: neither is imported, nor need it be installed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

NAN = (
    "is NaN, which data frames hold for a missing value: hand over None instead, such as by "
    "`frame.astype(object).where(frame.notna(), None)`"
)
"""What is wrong with a NaN, and what to do."""

_PLAIN = frozenset({str, int, float, bool, type(None)})
_LIBRARIES = ("numpy", "pandas")


def plain(value: object) -> object:
    """Return a value as one of Python's own types, where it is of a type that stands for one; any other as it is.

    NumPy's scalars become what they hold, subclasses of `str`, `int` and `float` (an enumeration's, too) one of these,
    and a UUID its text. What NumPy and pandas take for a missing time or value becomes None; NaN stays a number.
    """
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    convert = _conversion(kind)
    return value if convert is None else convert(value)


def plain_number(value: object) -> object:
    """Return any number as an int or a float of the same value; anything else as `plain` does."""
    value = plain(value)
    if not isinstance(value, Decimal):
        return value
    if value.is_nan():
        return float("nan")
    return int(value) if value.as_tuple().exponent == 0 else float(value)


def user_name(value: object) -> str | int | None:
    """Return what may name a user: a text, an integer, or a UUID's text (T6, P7); None for anything else."""
    name = plain(value)
    if type(name) is int or (type(name) is str and isinstance(value, str | UUID)):
        return name
    return None


def is_nan(value: object) -> bool:
    """Say whether a value is a number that is none."""
    value = plain(value)
    return value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and value != value


@functools.lru_cache(maxsize=256)
def _conversion(kind: type) -> Callable[[Any], object] | None:
    """Return what makes a plain value of one of a type; None where nothing has to."""
    for base in kind.__mro__:
        if base in _OWN:
            return _OWN[base]
        if str(base.__module__).partition(".")[0] in _LIBRARIES and base.__name__ in _OF_LIBRARIES:
            return _OF_LIBRARIES[base.__name__]
    return None


def _missing(_value: object) -> None:
    return None


def _held(value: Any) -> object:
    return value.item()


def _fraction(value: Any) -> object:
    """Return a float, or a Decimal of what holds more digits, a `longdouble`."""
    held = value.item()
    return held if type(held) is float else Decimal(str(held))


def _moment(value: Any) -> object:
    """Return a datetime where one holds as much, else ISO 8601; None where the time is missing."""
    held = value.item()
    return held if held is None or isinstance(held, datetime) else str(value)


def _duration(value: Any) -> object:
    """Return None where it is missing; else it has no plain form, though `item` makes a number of some."""
    return None if value.item() is None else value


_OWN: Mapping[type, Callable[[Any], object]] = {
    str: str.__str__,  # `str()` would give the name of an enumeration's member
    int: int,
    float: float,
    UUID: str,
}
_OF_LIBRARIES: Mapping[str, Callable[[Any], object]] = {
    "NaTType": _missing,
    "NAType": _missing,
    "MaskedConstant": _missing,
    "datetime64": _moment,
    "timedelta64": _duration,  # an integer by its classes, so it has to come before
    "integer": _held,
    "floating": _fraction,
    "bool": _held,
    "bool_": _held,  # NumPy before 2
}
