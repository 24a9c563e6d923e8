"""Words what a broken schema keyword means for a record, never the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_userdata.vendors.validation import timestamps
from airflow_provider_userdata.vendors.validation.json_values import is_finite
from airflow_provider_userdata.vendors.validation.plain_values import NAN, is_nan

MOST_CHOICES = 10
"""How many of the values that a field may have are named."""
OF_ANY_VALUE = frozenset({"enum", "exclusiveMinimum", "maximum", "pattern"})
"""Keywords whose reason is the same for every value."""

_TYPE_NAMES = {
    "array": "an array",
    "boolean": "a boolean",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
_PYTHON_TYPES = (
    (type(None), "null"),
    (bool, "boolean"),  # which is an int, too
    (str, "string"),
    (int, "number"),
    (list, "array"),
    (dict, "object"),
)

_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
"""A number such as 1,024, which JSON doesn't know."""
_NUMBERS = frozenset({"integer", "number"})


def reason(keyword: str | None, wanted: Any, value: Any) -> str:
    """Return what is wrong with a value.

    :param keyword: the keyword that it breaks; None if the schema allows no value at all.
    :param wanted: the keyword's value in the schema.
    """
    say = _REASONS.get(keyword)
    return f"breaks `{keyword}` of the schema" if say is None else say(wanted, value)


def _type_name(value: object) -> str:
    if isinstance(value, float | Decimal):
        return _TYPE_NAMES["number"] if is_finite(value) else "not a finite number"
    for python_type, kind in _PYTHON_TYPES:
        if isinstance(value, python_type):
            return "empty" if value == "" else _TYPE_NAMES[kind]
    return "not a JSON value"


def _is_grouped(value: object, expected: Collection[str]) -> bool:
    """Return whether a text would be a number without its thousands separators, and one is expected."""
    return isinstance(value, str) and not _NUMBERS.isdisjoint(expected) and _GROUPED.fullmatch(value) is not None


def _type_reason(expected: str | list[str], value: object) -> str:
    if is_nan(value):
        return NAN
    names = [expected] if isinstance(expected, str) else expected
    found = "a text with thousands separators" if _is_grouped(value, names) else _type_name(value)
    return f"is {found}, expected {' or '.join(_TYPE_NAMES.get(name, name) for name in names)}"


def _text_reason(form: str, value: object) -> str:
    named = timestamps.fault(value) if form == "date-time" and isinstance(value, str) else None
    return named or f"is not of the format {form}"


def _choice_reason(choices: list[object], _value: object) -> str:
    named = ", ".join(map(repr, choices[:MOST_CHOICES]))
    return f"is not one of {named}{', …' if len(choices) > MOST_CHOICES else ''}"


def _too_few(things: str) -> Callable[[int, Any], str]:
    return lambda least, value: f"has {len(value)} {things}, at least {least} are needed" if value else "is empty"


def _too_many(things: str) -> Callable[[int, Any], str]:
    return lambda most, value: f"has {len(value)} {things}, at most {most} are allowed"


_REASONS: Mapping[str | None, Callable[[Any, Any], str]] = {
    None: lambda _, __: "is not allowed by the schema",
    "type": _type_reason,
    "required": lambda _, __: "is missing",
    "additionalProperties": lambda _, __: "is not a field of the contract",
    "enum": _choice_reason,
    "exclusiveMinimum": lambda least, _: f"must be greater than {least}",
    "minimum": lambda least, _: f"must be at least {least}",
    "maximum": lambda most, _: f"must be at most {most}",
    "minLength": _too_few("characters"),
    "maxLength": _too_many("characters"),
    "pattern": lambda pattern, _: "is blank" if pattern == r"\S" else "breaks `pattern` of the schema",
    "minProperties": _too_few("fields"),
    "maxProperties": _too_many("fields"),
    "format": _text_reason,
    "x-not-before": lambda names, _: f"ends before its {names[1]}",
}
