"""Explains what the typed records refuse: every fault with its rule, its path and a reason, never the value (A6)."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import referencing
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY as SPECIFICATIONS  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable
from referencing.jsonschema import SchemaResource, specification_with

from airflow_provider_userdata.vendors import timestamps
from airflow_provider_userdata.vendors.contract import Fault
from airflow_provider_userdata.vendors.json_values import is_finite
from airflow_provider_userdata.vendors.schema import Schema

MOST_FAULTS = 20
"""How many faults of one record are named: a record of a thousand unknown keys has made its point by then."""

MOST_CHOICES = 10
"""How many of the values that a field may have are named."""

_TYPE_NAMES = {
    "array": "an array",
    "boolean": "a boolean",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


class Explainer:
    """Finds the faults of a record by a schema.

    :param validator: of `contract_validator` or `agreed_validator`.
    :param default_rule: the rule that is broken where the schema names none.
    :param root: the path of what the schema describes, inside the record.
    """

    def __init__(self, validator: Validator, default_rule: str, root: tuple[str | int, ...] = ()) -> None:
        self._validator = validator
        self._default_rule = default_rule
        self._root = root

    def faults(self, record: object) -> tuple[Fault, ...]:
        """Give the faults of a record, the shallowest first; none where it is valid."""
        try:
            errors = sorted(self._errors(record), key=lambda error: len(error.absolute_path))
            found = dict.fromkeys(fault for error in errors[:MOST_FAULTS] for fault in self._described(error))
        except Exception:  # noqa: BLE001  # a value that can't be shown or compared: `jsonschema` does both to every one
            return (Fault(self._default_rule, self._root, "holds what can't be checked"),)
        return tuple(itertools.islice(found, MOST_FAULTS))

    def _errors(self, record: object) -> Iterator[ValidationError]:
        for error in self._validator.iter_errors(record):
            yield from _leaves(error)

    def _described(self, error: ValidationError) -> Iterator[Fault]:
        where = (*self._root, *error.absolute_path)
        reason = _REASONS.get(error.validator, _unnamed_reason)(error)
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        if error.validator == "required" and isinstance(error.validator_value, list):
            for name in error.validator_value:
                if name not in error.instance:
                    yield Fault(_own_rule(known.get(name), "required") or self._rule(error), (*where, name), reason)
        elif error.validator == "additionalProperties" and error.validator_value is False:
            patterns = error.schema.get("patternProperties", ())
            for name in error.instance:
                if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                    # A key that is no string, such as a number, would look like a position.
                    yield Fault(self._rule(error), (*where, name if isinstance(name, str) else "*"), reason)
        elif list(error.schema_path)[-2:-1] == ["propertyNames"]:
            yield Fault(self._rule(error), (*where, error.instance), f"has a name that {reason}")
        else:
            yield Fault(self._rule(error), where, reason)

    def _rule(self, error: ValidationError) -> str:
        """Give the rule that stands nearest above the broken keyword."""
        scope: ValidationError | None = error
        keyword = error.validator
        while scope is not None:
            rule = _own_rule(scope.schema, keyword)
            if rule is not None:
                return rule
            scope = scope.parent
        return self._default_rule


def _own_rule(schema: Schema | bool | None, keyword: str) -> str | None:
    """Give the rule that a schema names for a keyword, or for itself."""
    if not isinstance(schema, dict):
        return None
    rule = schema.get("x-rules", {}).get(keyword) or schema.get("x-rule")
    return None if rule is None else str(rule)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Follow a choice between records to the one that the record's own tag names."""
    discriminator = error.schema.get("discriminator", {}) if error.validator == "anyOf" else {}
    places = discriminator.get("mapping", {})
    if not places or error.validator_value != [{"$ref": place} for place in places.values()]:
        yield error
        return
    mapping = list(places)
    tag = error.instance.get(discriminator["propertyName"]) if isinstance(error.instance, dict) else None
    chosen = mapping.index(tag) if isinstance(tag, str) and tag in mapping else None
    for nested in error.context or ():
        branch = nested.schema_path[0]
        if chosen is not None and branch != chosen:
            continue
        if chosen is None and branch != 0:
            continue
        if nested.validator == "enum" and list(nested.path) == [discriminator["propertyName"]]:
            nested.validator_value = mapping
        yield nested


def _type_name(value: object) -> str:
    if isinstance(value, float | Decimal):
        return _TYPE_NAMES["number"] if is_finite(value) else "not a finite number"
    for kind in ("null", "boolean", "string", "integer", "array", "object"):
        if Draft202012Validator.TYPE_CHECKER.is_type(value, kind):
            return _TYPE_NAMES["number" if kind == "integer" else kind]
    return "nothing that JSON has"


def _expected_type(error: ValidationError) -> str:
    expected = error.validator_value
    names = [expected] if isinstance(expected, str) else list(expected)
    return " or ".join(_TYPE_NAMES.get(name, name) for name in names)


def _text_reason(error: ValidationError) -> str:
    if error.validator_value == "date-time" and isinstance(error.instance, str):
        try:
            timestamps.parse(error.instance)
        except timestamps.NotInProfile as fault:
            return str(fault)
    return f"is not of the format {error.validator_value}"


def _choice_reason(error: ValidationError) -> str:
    choices = ", ".join(map(repr, error.validator_value[:MOST_CHOICES]))
    return f"is none of {choices}{', …' if len(error.validator_value) > MOST_CHOICES else ''}"


def _few(error: ValidationError, things: str) -> str:
    if not error.instance:
        return "is empty"
    return f"has {len(error.instance)} {things}, at least {error.validator_value} are needed"


def _unnamed_reason(error: ValidationError) -> str:
    return f"breaks `{error.validator}` of the schema"


_REASONS: Mapping[str | None, Callable[[ValidationError], str]] = {
    None: lambda _: "is not allowed by the schema",
    "type": lambda error: f"is {_type_name(error.instance)} where {_expected_type(error)} belongs",
    "required": lambda _: "is missing",
    "additionalProperties": lambda _: "is not a field of the contract",
    "enum": _choice_reason,
    "exclusiveMinimum": lambda error: f"must be greater than {error.validator_value}",
    "minimum": lambda error: f"must be at least {error.validator_value}",
    "maximum": lambda error: f"must be at most {error.validator_value}",
    "maxLength": lambda error: f"has {len(error.instance)} characters, at most {error.validator_value} are allowed",
    "minLength": lambda error: _few(error, "characters"),
    "pattern": lambda error: "is blank" if error.validator_value == r"\S" else _unnamed_reason(error),
    "minProperties": lambda error: _few(error, "fields"),
    "maxProperties": lambda error: f"has {len(error.instance)} fields, at most {error.validator_value} are allowed",
    "format": _text_reason,
    "x-not-before": lambda error: f"ends before its {error.validator_value[1]}",
}


def _is_finite(_checker: object, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _not_before(_validator: object, names: list[str], record: object, _schema: object) -> Iterator[ValidationError]:
    """Check that the instant of one field is not earlier than that of another (G6)."""
    if not isinstance(record, dict):
        return
    later, earlier = (record.get(name) for name in names)
    if not isinstance(later, str) or not isinstance(earlier, str):
        return
    try:
        in_order = timestamps.in_order(earlier, later)
    except timestamps.NotInProfile:
        return  # each field's own format says so
    if not in_order:
        yield ValidationError("is earlier", path=[names[0]])


_ContractValidator = extend(
    Draft202012Validator,
    validators={"x-not-before": _not_before},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite),
)
_CONTRACT_FORMATS = FormatChecker(formats=())


def _is_timestamp(value: object) -> bool:
    if isinstance(value, str):
        timestamps.parse(value)
    return True


_CONTRACT_FORMATS.checks("date-time", raises=timestamps.NotInProfile)(_is_timestamp)


def contract_validator(schema: Schema) -> Validator:
    """Check by a schema of our own: finite numbers, the timestamps of G7, and one field not before another."""
    validator: Validator = _ContractValidator(schema, format_checker=_CONTRACT_FORMATS)
    return validator


def agreed_validator(schema: Schema) -> Validator:
    """Check by a format that was agreed with a vendor (T7). References are resolved inside it; nothing is fetched.

    :raises jsonschema.SchemaError: if it is not a JSON Schema, or refers to what it doesn't hold.
    """
    kind = validator_for(schema, default=Draft202012Validator)
    kind.check_schema(schema)
    _check_references(schema, kind)
    validator: Validator = kind(schema, registry=referencing.Registry(), format_checker=kind.FORMAT_CHECKER)
    return validator


def _check_references(schema: Schema, kind: type[Validator]) -> None:
    """Look each reference up now: one that leads nowhere would show itself only with some record."""
    root: SchemaResource = specification_with(kind.META_SCHEMA["$schema"]).create_resource(schema)
    resolver = SPECIFICATIONS.with_resource("", root).resolver_with_root(root)
    pending = [(root, resolver)]
    while pending:
        part, resolver = pending.pop()
        if isinstance(part.contents, dict) and isinstance(part.contents.get("$ref"), str):
            try:
                resolver.lookup(part.contents["$ref"])
            except Unresolvable:
                raise SchemaError("refers to what it doesn't hold") from None
        pending.extend((nested, resolver.in_subresource(nested)) for nested in part.subresources())
