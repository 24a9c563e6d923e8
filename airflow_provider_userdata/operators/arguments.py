"""Checks of an operator's arguments, made when the task runs: a DAG file must parse even if they are wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.errors import ArgumentError


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """Return a text that is one of those allowed.

    :raises ArgumentError: if it is not one of them.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ArgumentError(f"{name}: must be one of {', '.join(map(repr, allowed))}, not {_shown(value)}")
    return value


def switch(name: str, value: object) -> bool:
    """Return True or False.

    :raises ArgumentError: if it is neither; the text `"false"`, which Python counts as true, is refused.
    """
    if not isinstance(value, bool):
        raise ArgumentError(f"{name}: must be True or False, not {_shown(value)}")
    return value


def whole_number(name: str, value: object, least: int, most: int) -> int:
    """Return a whole number within bounds.

    :raises ArgumentError: if it is not a whole number, or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ArgumentError(f"{name}: must be a whole number from {least} to {most}, not {_shown(value)}")
    return value


def number(name: str, value: object, *, zero: bool = False) -> float:
    """Return a number above 0.

    :param zero: whether 0 is allowed too.
    :raises ArgumentError: if it is not such a number.
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and value < float("inf")
    if not fits or not (value > 0 or (zero and value == 0)):  # type: ignore[operator]  # `fits`: it is a number
        wanted = "0 or more" if zero else "above 0"
        raise ArgumentError(f"{name}: must be a number, {wanted}, not {_shown(value)}")
    return value  # type: ignore[return-value]  # `fits`: it is a number


def name(argument: str, value: object, most: int) -> str | None:
    """Return a name that isn't blank, or None.

    :param most: the most characters that it may have.
    :raises ArgumentError: if it is not such a name.
    """
    if value is None or (isinstance(value, str) and value.strip() and len(value) <= most):
        return value
    raise ArgumentError(f"{argument}: must be a name of up to {most} characters that isn't blank, not {_shown(value)}")


def names(name: str, value: object) -> tuple[str, ...]:
    """Return a list of names.

    :raises ArgumentError: if it is not a list of names; a single text is refused too.
    """
    if isinstance(value, str) or not isinstance(value, Collection) or not all(isinstance(item, str) for item in value):
        raise ArgumentError(f"{name}: must be a list of names, not {_shown(value)}")
    return tuple(value)


def field_map(value: object, known: Collection[str] | None, required: Collection[str] = ()) -> FieldMap | None:
    """Return where a vendor's fields come from, or None.

    :param known: the fields that the vendor has; None if it accepts any.
    :param required: the fields that must be given.
    :raises ArgumentError: if it is not such a map, lacks a required field or has one that the vendor doesn't have.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value or not all(isinstance(field, str) for field in value):
        raise ArgumentError(
            "fields: must map the vendor's fields to the source's columns, or to Column, Constant, Number or "
            f"Timestamp, not {_shown(value)}"
        )
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


def _shown(value: Any) -> str:
    """Show an argument in a message: numbers and short texts unchanged, of others only the type: they may be data."""
    if value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 40):
        return repr(value)
    return f"a {type(value).__name__}"
