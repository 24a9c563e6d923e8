"""Compiles a generated schema into functions, once: they find in microseconds what `jsonschema` finds in hundreds.

Only the keywords that the contracts use are known here, and a test holds what is found to what `jsonschema` finds.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_userdata.vendors import timestamps
from airflow_provider_userdata.vendors.contract import Fault
from airflow_provider_userdata.vendors.reasons import own_rule, reason, timestamp_reason
from airflow_provider_userdata.vendors.schema import Schema

Where = tuple[str | int, ...]
Error = tuple[int, tuple[Fault, ...]]
"""How deep in the record a schema is broken, and the faults that this stands for."""

_Check = Callable[[Any, Where, list[Error]], None]


def compiled(schema: Schema, default_rule: str, root: Where) -> Callable[[object], list[Error]] | None:
    """Compile a schema to a function that gives a record's errors, in the schema's order.

    :param default_rule: the rule that is broken where the schema names none.
    :param root: the path of what the schema describes, inside the record.
    :return: None where the schema says something that is not known here.
    """
    try:
        check = _Compiler(schema.get("$defs", {}), ({"x-rule": default_rule},)).schema(schema)
    except (KeyError, TypeError, RecursionError):
        return None

    def errors(record: object) -> list[Error]:
        found: list[Error] = []
        check(record, root, found)
        return found

    return errors


def is_number(value: object) -> bool:
    """Say whether a value is a finite number; a Decimal is none, since what is sent holds none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def ends_before(record: object, later: str, earlier: str) -> bool:
    """Say whether the instant of one field is earlier than that of another (G6), where both are timestamps."""
    if not isinstance(record, dict):
        return False
    end, start = record.get(later), record.get(earlier)
    if not isinstance(end, str) or not isinstance(start, str):
        return False
    if timestamp_reason(start) or timestamp_reason(end):
        return False  # each field's own format says so
    return not timestamps.in_order(start, end)


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Compiles one schema.

    :param definitions: what it refers to.
    :param above: the schemas to ask for a rule, the nearest first, where a broken one names none itself.
    """

    definitions: Mapping[str, Schema]
    above: tuple[Schema, ...]

    def schema(self, schema: Schema) -> _Check:
        """Compile a schema: what it says is checked in the order in which it says it."""
        said = [keyword for keyword in schema if keyword not in _NOTES]
        if _BROKEN.keys() >= set(said):
            return self._leaf(schema, said)
        checks = [
            _NESTED[keyword](self, schema) if keyword in _NESTED else self._leaf(schema, [keyword]) for keyword in said
        ]

        def check(value: Any, where: Where, errors: list[Error]) -> None:
            for each in checks:
                each(value, where, errors)

        return check

    def _leaf(self, schema: Schema, keywords: list[str]) -> _Check:
        leaves = [
            (_BROKEN[keyword](schema[keyword]), keyword, schema[keyword], self.rule(schema, keyword))
            for keyword in keywords
        ]

        def check(value: Any, where: Where, errors: list[Error]) -> None:
            for is_broken, keyword, wanted, rule in leaves:
                if is_broken(value):
                    errors.append((len(where), (Fault(rule, where, reason(keyword, wanted, value)),)))

        return check

    def rule(self, schema: Schema, keyword: str) -> str:
        """Give the rule that stands nearest above a keyword."""
        return next(rule for scope in (schema, *self.above) if (rule := own_rule(scope, keyword)) is not None)

    def reference(self, schema: Schema) -> _Check:
        """Go on with the definition that is referred to."""
        return self.schema(self.definitions[schema["$ref"].removeprefix("#/$defs/")])

    def choice(self, schema: Schema) -> _Check:
        """Go on with the record that the value's own tag names, or with the first one."""
        tag, mapping = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
        inner = replace(self, above=(schema, *self.above))
        branches = {}
        for name, place in mapping.items():
            branch = self.definitions[place.removeprefix("#/$defs/")]
            any_tag = {**branch["properties"][tag], "enum": list(mapping)}
            branches[name] = inner.schema({**branch, "properties": {**branch["properties"], tag: any_tag}})
        first = next(iter(branches.values()))

        def check(value: Any, where: Where, errors: list[Error]) -> None:
            name = value.get(tag) if isinstance(value, dict) else None
            chosen = branches.get(name, first) if isinstance(name, str) else first
            chosen(value, where, errors)

        return check

    def properties(self, schema: Schema) -> _Check:
        """Go on with each property that a record has."""
        known = [(name, self.schema(nested)) for name, nested in schema["properties"].items()]

        def check(value: Any, where: Where, errors: list[Error]) -> None:
            if isinstance(value, dict):
                for name, nested in known:
                    if name in value:
                        nested(value[name], (*where, name), errors)

        return check

    def required(self, schema: Schema) -> _Check:
        """Name what is missing."""
        known, above = schema.get("properties", {}), self.rule(schema, "required")
        rules = {name: own_rule(known.get(name), "required") or above for name in schema["required"]}
        text = reason("required", None, None)

        def check(value: Any, where: Where, errors: list[Error]) -> None:
            if isinstance(value, dict):
                missing = [name for name in rules if name not in value]
                if missing:
                    errors.append((len(where), tuple(Fault(rules[name], (*where, name), text) for name in missing)))

        return check

    def additional(self, schema: Schema) -> _Check:
        """Name the properties that are not known, or go on with each."""
        wanted, known = schema["additionalProperties"], schema.get("properties", {}).keys()
        if wanted is False:
            return _unknown(known, self.rule(schema, "additionalProperties"))
        nested = self.schema(wanted)

        def check(value: Any, where: Where, errors: list[Error]) -> None:
            if isinstance(value, dict):
                # As a set: `jsonschema` gives their faults in its order.
                for name in {name for name in value if name not in known}:
                    nested(value[name], (*where, name), errors)

        return check

    def names(self, schema: Schema) -> _Check:
        """Check each property's name as a value. Records of one source share their names: those are remembered."""
        nested = self.schema(schema["propertyNames"])

        @functools.lru_cache(maxsize=256)
        def broken(name: object) -> list[Error]:
            found: list[Error] = []
            nested(name, (), found)
            return found

        def check(value: Any, where: Where, errors: list[Error]) -> None:
            if isinstance(value, dict):
                for name in value:
                    for _, (fault,) in broken(name):
                        text = f"has a name that {fault.reason}"
                        errors.append((len(where), (Fault(fault.rule, (*where, name), text),)))

        return check

    def not_before(self, schema: Schema) -> _Check:
        """Compare two fields."""
        later, earlier = schema["x-not-before"]
        rule, text = self.rule(schema, "x-not-before"), reason("x-not-before", [later, earlier], None)

        def check(value: Any, where: Where, errors: list[Error]) -> None:
            if ends_before(value, later, earlier):
                errors.append((len(where) + 1, (Fault(rule, (*where, later), text),)))

        return check


def _unknown(known: Any, rule: str) -> _Check:
    text = reason("additionalProperties", None, None)

    def check(value: Any, where: Where, errors: list[Error]) -> None:
        if isinstance(value, dict) and not value.keys() <= known:
            # A key that is no string, such as a number, would look like a position.
            extras = [name if isinstance(name, str) else "*" for name in value if name not in known]
            errors.append((len(where), tuple(Fault(rule, (*where, name), text) for name in extras)))

    return check


def _not_a_timestamp(value: object) -> bool:
    return isinstance(value, str) and timestamp_reason(value) is not None


def _no_match(pattern: str) -> Callable[[Any], bool]:
    search = re.compile(pattern).search
    return lambda value: isinstance(value, str) and search(value) is None


_IS_OF_TYPE: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
    "number": is_number,
}


def _of_another_type(kind: str) -> Callable[[Any], bool]:
    is_of_type = _IS_OF_TYPE[kind]
    return lambda value: not is_of_type(value)


_NOTES = frozenset({"$schema", "$defs", "title", "description", "x-rule", "x-rules", "discriminator"})
_NESTED: Mapping[str, Callable[[_Compiler, Schema], _Check]] = {
    "$ref": _Compiler.reference,
    "anyOf": _Compiler.choice,
    "properties": _Compiler.properties,
    "required": _Compiler.required,
    "additionalProperties": _Compiler.additional,
    "propertyNames": _Compiler.names,
    "x-not-before": _Compiler.not_before,
}
_BROKEN: Mapping[str, Callable[[Any], Callable[[Any], bool]]] = {
    "type": _of_another_type,
    "enum": lambda choices: lambda value: value not in choices,
    "exclusiveMinimum": lambda least: lambda value: is_number(value) and value <= least,
    "maximum": lambda most: lambda value: is_number(value) and value > most,
    "minLength": lambda least: lambda value: isinstance(value, str) and len(value) < least,
    "maxLength": lambda most: lambda value: isinstance(value, str) and len(value) > most,
    "pattern": _no_match,
    "minProperties": lambda least: lambda value: isinstance(value, dict) and len(value) < least,
    "maxProperties": lambda most: lambda value: isinstance(value, dict) and len(value) > most,
    "format": lambda form: {"date-time": _not_a_timestamp}[form],
}
