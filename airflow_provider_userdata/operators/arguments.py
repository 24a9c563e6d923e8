"""Checks of an operator's arguments, made when the task runs: a DAG file must parse even if they are wrong.

Each returns the argument, and raises an `ArgumentError` that names it if it has another value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import inf
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.errors import ArgumentError


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """Return a text that is one of those allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise _wrong(name, f"one of {', '.join(map(repr, allowed))}", value)
    return value


def switch(name: str, value: object) -> bool:
    """Return True or False. The text `"false"`, which Python counts as true, is refused."""
    if not isinstance(value, bool):
        raise _wrong(name, "True or False", value)
    return value


def whole_number(name: str, value: object, least: int, most: int) -> int:
    """Return a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(name, f"a whole number from {least} to {most}", value)
    return value


def number(name: str, value: object, *, zero: bool = False) -> float:
    """Return a number above 0.

    :param zero: whether 0 is allowed too.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and (0 < value < inf or (zero and value == 0)):
        return value
    raise _wrong(name, f"a number, {'0 or more' if zero else 'above 0'}", value)


def name(argument: str, value: object, most: int) -> str | None:
    """Return a name that isn't blank and has up to `most` characters, or None."""
    if value is None or (isinstance(value, str) and value.strip() and len(value) <= most):
        return value
    raise _wrong(argument, f"a name of up to {most} characters that isn't blank", value)


def names(name: str, value: object) -> tuple[str, ...]:
    """Return a list of names. A single text is refused."""
    if isinstance(value, str) or not isinstance(value, Collection) or not all(isinstance(item, str) for item in value):
        raise _wrong(name, "a list of names", value)
    return tuple(value)


def time_zone(argument: str, value: object) -> ZoneInfo | None:
    """Return a time zone by its name, or None."""
    if value is None:
        return None
    try:
        return ZoneInfo(value)  # type: ignore[arg-type]  # a wrong type raises, too
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError, AttributeError):
        raise ArgumentError(f"{argument}: must be the name of a time zone, such as 'Asia/Tokyo'") from None


def field_map(value: object, known: Collection[str] | None, required: Collection[str] = ()) -> FieldMap | None:
    """Return where a vendor's fields come from, or None.

    :param known: the fields that the vendor has; None if it accepts any.
    :param required: the fields that must be given.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value or not all(isinstance(field, str) for field in value):
        raise _wrong("fields", "a map of the vendor's fields to columns, Column, Constant, Number or Timestamp", value)
    unknown = sorted(set(value) - set(known)) if known is not None else []
    if unknown:
        raise ArgumentError(f"fields: the vendor has no fields {unknown}; it has {sorted(known or ())}")
    missing = sorted(set(required) - set(value))
    if missing:
        raise ArgumentError(f"fields: lacks {', '.join(map(repr, missing))}, which the vendor requires")
    for field, word in value.items():
        try:
            FieldMap({field: word})
        except ValueError as error:
            raise ArgumentError(f"fields: {field!r}: {error}") from None
    return FieldMap(value)


def _wrong(name: str, wanted: str, value: object) -> ArgumentError:
    return ArgumentError(f"{name}: must be {wanted}, not {_shown(value)}")


def _shown(value: Any) -> str:
    """Show an argument in a message: numbers and short texts unchanged, of others only the type: they may be data."""
    if value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 40):
        return repr(value)
    return f"a {type(value).__name__}"
