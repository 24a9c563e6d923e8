"""Compiles a generated schema into functions, which explain a record in microseconds; `jsonschema` takes hundreds.

It knows only the keywords that the contracts use. A test compares its results with those of `jsonschema`.
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
"""The depth in the record at which a schema is broken, and the faults."""

_Check = Callable[[Any, list[Error]], None]


def compiled(schema: Schema, default_rule: str, root: Where) -> Callable[[object], list[Error]] | None:
    """Compile a schema to a function that returns a record's errors, in the schema's order.

    :param default_rule: the rule of a fault if the schema names none.
    :param root: the path inside the record to the part that the schema describes.
    :return: None if the schema has a keyword that is not known here.
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
    """Return whether a value is a finite number. A Decimal is not: what is sent never contains one."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def ends_before(record: object, later: str, earlier: str) -> bool:
    """Return whether one field's instant is earlier than another's (G6); False unless both are timestamps."""
    if not isinstance(record, dict):
        return False
    end, start = record.get(later), record.get(earlier)
    if not isinstance(end, str) or not isinstance(start, str):
        return False
    if timestamps.in_order(start, end):
        return False
    return not (timestamps.fault(start) or timestamps.fault(end))  # otherwise the field's own format reports it


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Compiles one schema.

    :param definitions: the definitions that it refers to.
    :param above: the enclosing schemas, the nearest first: the first that names a rule gives it.
    :param where: the path to the part that the schema describes, as far as it is known before a record comes.
    """

    definitions: Mapping[str, Schema]
    above: tuple[Schema, ...]
    where: Where

    def schema(self, schema: Schema) -> _Check:
        """Compile a schema: keywords are checked in the schema's order."""
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
        """Compile the keywords that apply to one kind of value; for another kind, only `type` reports an error."""
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
        """Return a function that makes a value's error; if all values have the same error, it is made once."""
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
        """Compile `enum`."""
        choices, error = schema["enum"], self._error(schema, "enum")

        def check(value: Any, errors: list[Error]) -> None:
            if value not in choices:
                errors.append(error(value))

        return check

    def rule(self, schema: Schema, keyword: str) -> str:
        """Return the nearest rule at or above a keyword."""
        return next(rule for scope in (schema, *self.above) if (rule := own_rule(scope, keyword)) is not None)

    def reference(self, schema: Schema) -> _Check:
        """Compile `$ref`."""
        return self.schema(self.definitions[schema["$ref"].removeprefix("#/$defs/")])

    def choice(self, schema: Schema) -> _Check:
        """Compile a choice between records: the value's tag selects one; without a known tag, it is the first."""
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
        """Compile `properties`."""
        known = [(name, self._below(name).schema(nested)) for name, nested in schema["properties"].items()]

        def check(value: Any, errors: list[Error]) -> None:
            if isinstance(value, dict):
                for name, nested in known:
                    if name in value:
                        nested(value[name], errors)

        return check

    def required(self, schema: Schema) -> _Check:
        """Compile `required`."""
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
        """Compile `additionalProperties`: unknown properties are faults, or have a schema of their own."""
        wanted, known = schema["additionalProperties"], schema.get("properties", {}).keys()
        if wanted is False:
            return _unknown(known, self.rule(schema, "additionalProperties"), self.where)
        where = self.where
        nested = replace(self, where=()).schema(wanted)

        def check(value: Any, errors: list[Error]) -> None:
            if isinstance(value, dict):
                # A set, because `jsonschema` reports their faults in the order of a set.
                for name in {name for name in value if name not in known}:
                    found: list[Error] = []
                    nested(value[name], found)
                    errors.extend(_moved(found, (*where, name)))

        return check

    def names(self, schema: Schema) -> _Check:
        """Compile `propertyNames`. The results are cached, because records of one source share their names."""
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
        """Compile `x-not-before`, which compares two fields."""
        later, earlier = schema["x-not-before"]
        where = (*self.where, later)
        fault = Fault(self.rule(schema, "x-not-before"), where, reason("x-not-before", [later, earlier], None))
        error = (len(where), (fault,))

        def check(value: Any, errors: list[Error]) -> None:
            if ends_before(value, later, earlier):
                errors.append(error)

        return check


def _moved(errors: list[Error], where: Where) -> Iterator[Error]:
    """Return a value's errors with the path of the record that contains it."""
    for depth, faults in errors:
        yield len(where) + depth, tuple(Fault(fault.rule, (*where, *fault.where), fault.reason) for fault in faults)


def _unknown(known: Any, rule: str, where: Where) -> _Check:
    text, depth = reason("additionalProperties", None, None), len(where)

    def check(value: Any, errors: list[Error]) -> None:
        if isinstance(value, dict) and not value.keys() <= known:
            # A key that is not a string, such as a number, would look like a position.
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
"""For each kind of value its usual type, and a check for any other type."""
_KIND = {
    "type": None,  # the kind that it names
    "exclusiveMinimum": "number",
    "maximum": "number",
    "minLength": "string",
    "maxLength": "string",
    "pattern": "string",
    "format": "string",
    "minProperties": "object",
    "maxProperties": "object",
}
"""The kind of value that a keyword applies to."""
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
"""For each keyword, a check whether a value of that kind breaks it."""
