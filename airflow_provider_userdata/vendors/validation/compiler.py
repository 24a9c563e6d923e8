"""Compiles a generated schema into functions, once: they find in microseconds what `jsonschema` finds in hundreds.

Only the keywords that the contracts use are known here, and a test holds what is found to what `jsonschema` finds.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_userdata.vendors.validation import timestamps
from airflow_provider_userdata.vendors.validation.fault import Fault
from airflow_provider_userdata.vendors.validation.messages import OF_ANY_VALUE, own_rule, reason
from airflow_provider_userdata.vendors.validation.schema import Schema

Where = tuple[str | int, ...]
Error = tuple[int, tuple[Fault, ...]]
"""How deep in the record a schema is broken, and the faults that this stands for."""

_Check = Callable[[Any, list[Error]], None]


def compiled(schema: Schema, default_rule: str, root: Where) -> Callable[[object], list[Error]] | None:
    """Compile a schema to a function that gives a record's errors, in the schema's order.

    :param default_rule: the rule that is broken where the schema names none.
    :param root: the path of what the schema describes, inside the record.
    :return: None where the schema says something that is not known here.
    """
    try:
        check = _Compiler(schema.get("$defs", {}), ({"x-rule": default_rule},), root).schema(schema)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None

    def errors(record: object) -> list[Error]:
        found: list[Error] = []
        check(record, found)
        return found

    return errors


def is_number(value: object) -> bool:
    """Say whether a value is a finite number; a Decimal is none, since what is sent holds none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def ends_before(record: object, later: str, earlier: str) -> bool:
    """Say whether the instant of one field is earlier than that of another (G6), where both are timestamps."""
    if not isinstance(record, dict):
        return False
    end, start = record.get(later), record.get(earlier)
    if not isinstance(end, str) or not isinstance(start, str):
        return False
    if timestamps.in_order(start, end):
        return False
    return not (timestamps.fault(start) or timestamps.fault(end))  # or that field's own format says so


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Compiles one schema.

    :param definitions: what it refers to.
    :param above: the schemas to ask for a rule, the nearest first, where a broken one names none itself.
    :param where: the path of what the schema describes: known beforehand, but for what lies below a name of any kind.
    """

    definitions: Mapping[str, Schema]
    above: tuple[Schema, ...]
    where: Where

    def schema(self, schema: Schema) -> _Check:
        """Compile a schema: what it says is checked in the order in which it says it."""
        said = [keyword for keyword in schema if keyword not in _NOTES]
        if said and _KIND.keys() >= set(said):
            return self._leaf(schema, said)
        checks = [
            _NESTED[keyword](self, schema) if keyword in _NESTED else self._leaf(schema, [keyword]) for keyword in said
        ]
        if len(checks) == 1:
            return checks[0]

        def check(value: Any, errors: list[Error]) -> None:
            for each in checks:
                each(value, errors)

        return check

    def _leaf(self, schema: Schema, keywords: list[str]) -> _Check:
        """Compile what is said of values of one kind; of a value of another kind, nothing but `type` says anything."""
        (kind,) = {_KIND[keyword] or schema["type"] for keyword in keywords}
        usual, is_of_kind = _KINDS[kind]
        of_type = self._error(schema, "type") if "type" in keywords else None
        others = [keyword for keyword in keywords if keyword != "type"]
        leaves = [(_BROKEN[keyword](schema[keyword]), self._error(schema, keyword)) for keyword in others]

        def check(value: Any, errors: list[Error]) -> None:
            if type(value) is usual or is_of_kind(value):
                for is_broken, error in leaves:
                    if is_broken(value):
                        errors.append(error(value))
            elif of_type is not None:
                errors.append(of_type(value))

        return check

    def _error(self, schema: Schema, keyword: str) -> Callable[[Any], Error]:
        """Give what makes the error of a value; it is made once, where all values have the same."""
        wanted, rule, where = schema[keyword], self.rule(schema, keyword), self.where

        def error(value: Any) -> Error:
            return len(where), (Fault(rule, where, reason(keyword, wanted, value)),)

        if keyword not in OF_ANY_VALUE:
            return error
        same = error(None)
        return lambda _: same

    def _below(self, name: str) -> _Compiler:
        return replace(self, where=(*self.where, name))

    def choices(self, schema: Schema) -> _Check:
        """Compare with the values that a value may have."""
        choices, error = schema["enum"], self._error(schema, "enum")

        def check(value: Any, errors: list[Error]) -> None:
            if value not in choices:
                errors.append(error(value))

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

        def check(value: Any, errors: list[Error]) -> None:
            name = value.get(tag) if isinstance(value, dict) else None
            chosen = branches.get(name, first) if isinstance(name, str) else first
            chosen(value, errors)

        return check

    def properties(self, schema: Schema) -> _Check:
        """Go on with each property that a record has."""
        known = [(name, self._below(name).schema(nested)) for name, nested in schema["properties"].items()]

        def check(value: Any, errors: list[Error]) -> None:
            if isinstance(value, dict):
                for name, nested in known:
                    if name in value:
                        nested(value[name], errors)

        return check

    def required(self, schema: Schema) -> _Check:
        """Name what is missing."""
        known, above = schema.get("properties", {}), self.rule(schema, "required")
        text, depth = reason("required", None, None), len(self.where)
        faults = {
            name: Fault(own_rule(known.get(name), "required") or above, (*self.where, name), text)
            for name in schema["required"]
        }

        def check(value: Any, errors: list[Error]) -> None:
            if isinstance(value, dict) and not value.keys() >= faults.keys():
                errors.append((depth, tuple(fault for name, fault in faults.items() if name not in value)))

        return check

    def additional(self, schema: Schema) -> _Check:
        """Name the properties that are not known, or go on with each."""
        wanted, known = schema["additionalProperties"], schema.get("properties", {}).keys()
        if wanted is False:
            return _unknown(known, self.rule(schema, "additionalProperties"), self.where)
        where = self.where
        nested = replace(self, where=()).schema(wanted)

        def check(value: Any, errors: list[Error]) -> None:
            if isinstance(value, dict):
                # As a set: `jsonschema` gives their faults in its order.
                for name in {name for name in value if name not in known}:
                    found: list[Error] = []
                    nested(value[name], found)
                    errors.extend(_moved(found, (*where, name)))

        return check

    def names(self, schema: Schema) -> _Check:
        """Check each property's name as a value. Records of one source share their names: those are remembered."""
        where, depth = self.where, len(self.where)
        nested = replace(self, where=()).schema(schema["propertyNames"])

        @functools.lru_cache(maxsize=256)
        def broken(name: object) -> list[Error]:
            found: list[Error] = []
            nested(name, found)
            return found

        def check(value: Any, errors: list[Error]) -> None:
            if isinstance(value, dict):
                for name in value:
                    for _, (fault,) in broken(name):
                        text = f"has a name that {fault.reason}"
                        errors.append((depth, (Fault(fault.rule, (*where, name), text),)))

        return check

    def not_before(self, schema: Schema) -> _Check:
        """Compare two fields."""
        later, earlier = schema["x-not-before"]
        where = (*self.where, later)
        fault = Fault(self.rule(schema, "x-not-before"), where, reason("x-not-before", [later, earlier], None))
        error = (len(where), (fault,))

        def check(value: Any, errors: list[Error]) -> None:
            if ends_before(value, later, earlier):
                errors.append(error)

        return check


def _moved(errors: list[Error], where: Where) -> Iterator[Error]:
    """Give the errors of a value as those of the record that holds it there."""
    for depth, faults in errors:
        yield len(where) + depth, tuple(Fault(fault.rule, (*where, *fault.where), fault.reason) for fault in faults)


def _unknown(known: Any, rule: str, where: Where) -> _Check:
    text, depth = reason("additionalProperties", None, None), len(where)

    def check(value: Any, errors: list[Error]) -> None:
        if isinstance(value, dict) and not value.keys() <= known:
            # A key that is no string, such as a number, would look like a position.
            extras = [name if isinstance(name, str) else "*" for name in value if name not in known]
            errors.append((depth, tuple(Fault(rule, (*where, name), text) for name in extras)))

    return check


def _no_match(pattern: str) -> Callable[[str], bool]:
    search = re.compile(pattern).search
    return lambda value: search(value) is None


_NOTES = frozenset({"$schema", "$defs", "title", "description", "x-rule", "x-rules", "discriminator"})
_NESTED: Mapping[str, Callable[[_Compiler, Schema], _Check]] = {
    "$ref": _Compiler.reference,
    "anyOf": _Compiler.choice,
    "enum": _Compiler.choices,
    "properties": _Compiler.properties,
    "required": _Compiler.required,
    "additionalProperties": _Compiler.additional,
    "propertyNames": _Compiler.names,
    "x-not-before": _Compiler.not_before,
}
_KINDS: Mapping[str, tuple[type, Callable[[Any], bool]]] = {
    "object": (dict, lambda value: isinstance(value, dict)),
    "string": (str, lambda value: isinstance(value, str)),
    "number": (int, is_number),
}
"""The usual type of a kind of value, and what tells of any other whether it is of that kind."""
_KIND = {
    "type": None,  # the one that it names
    "exclusiveMinimum": "number",
    "maximum": "number",
    "minLength": "string",
    "maxLength": "string",
    "pattern": "string",
    "format": "string",
    "minProperties": "object",
    "maxProperties": "object",
}
"""What kind of value a keyword is about."""
_BROKEN: Mapping[str, Callable[[Any], Callable[[Any], object]]] = {
    "exclusiveMinimum": lambda least: lambda value: value <= least,
    "maximum": lambda most: lambda value: value > most,
    "minLength": lambda least: lambda value: len(value) < least,
    "maxLength": lambda most: lambda value: len(value) > most,
    "pattern": _no_match,
    "format": lambda form: {"date-time": timestamps.fault}[form],
    "minProperties": lambda least: lambda value: len(value) < least,
    "maxProperties": lambda most: lambda value: len(value) > most,
}
"""Whether a value of the kind breaks what a keyword says of it."""
