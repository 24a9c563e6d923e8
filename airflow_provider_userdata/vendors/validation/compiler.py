"""Compiles a contract's schema into functions, which explain a record in microseconds; `jsonschema` takes hundreds.

It knows only the keywords that the contracts use. A test compares its results with those of `jsonschema`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_userdata.vendors.validation import timestamps
from airflow_provider_userdata.vendors.validation.fault import MOST_FAULTS, UNCHECKABLE, Fault
from airflow_provider_userdata.vendors.validation.messages import OF_ANY_VALUE, reason
from airflow_provider_userdata.vendors.validation.schema import Schema

_Error = tuple[int, Fault]
"""The depth in the record at which a schema is broken, and the fault."""
_Check = Callable[[Any], list[_Error]]
_depth = operator.itemgetter(0)


def compiled(schema: Schema, default_rule: str) -> Callable[[object], tuple[Fault, ...]]:
    """Compile a contract's schema to a function that returns a record's faults, the shallowest first.

    :param default_rule: the rule of a record that can't be checked.
    :raises KeyError: if the schema has a keyword that is not known here, or names no rule for one.
    """
    check = _Compiler(schema.get("$defs", {})).schema(schema)
    uncheckable = (Fault(default_rule, (), UNCHECKABLE),)

    def faults(record: object) -> tuple[Fault, ...]:
        try:
            errors = check(record)
        except Exception:  # noqa: BLE001  # a value that can't be compared
            return uncheckable
        if len(errors) == 1:  # the usual case
            return (errors[0][1],)
        found = dict.fromkeys([fault for _, fault in sorted(errors, key=_depth)])
        return tuple(found)[:MOST_FAULTS]

    return faults


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Compiles the parts of one schema.

    :param definitions: the definitions that it refers to.
    :param where: the path to the part that is compiled, as far as it is known before a record comes.
    """

    definitions: Mapping[str, Schema]
    where: tuple[str, ...] = ()

    def schema(self, schema: Schema) -> _Check:
        """Compile a schema: its own keywords are checked after those about a record's fields."""
        said = [keyword for keyword in schema if keyword not in _NOTES]
        if said == ["$ref"]:
            return self.schema(self._definition(schema["$ref"]))
        if said == ["anyOf"]:
            return self._choice(schema)
        usual, is_of_type = _TYPES[schema.get("type")]
        of_another_type = self._error(schema, "type")
        of_fields = [_OF_FIELDS[keyword](self, schema) for keyword in said if keyword in _OF_FIELDS]
        own = [
            (_BROKEN[keyword](schema[keyword]), self._error(schema, keyword))
            for keyword in said
            if keyword not in _OF_FIELDS
        ]

        def check(value: Any) -> list[_Error]:
            if type(value) is not usual and not is_of_type(value):
                return [of_another_type(value)]
            errors: list[_Error] = []
            for each in of_fields:
                errors += each(value)
            for is_broken, error in own:
                if is_broken(value):
                    errors.append(error(value))
            return errors

        return check

    def _definition(self, reference: str) -> Schema:
        return self.definitions[reference.removeprefix("#/$defs/")]

    def _error(self, schema: Schema, keyword: str) -> Callable[[Any], _Error]:
        """Return a function that makes a value's error; if all values have the same error, it is made once."""
        wanted, rule, where = schema.get(keyword), _rule(schema, keyword), self.where

        def error(value: Any) -> _Error:
            return len(where), Fault(rule, where, reason(keyword, wanted, value))

        if keyword not in OF_ANY_VALUE:
            return error
        same = error(None)
        return lambda _: same

    def _choice(self, schema: Schema) -> _Check:
        """Compile a choice between records: the value's tag selects one; without a known tag, it is the first."""
        tag, places = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
        branches = {}
        for name, place in places.items():
            branch = self._definition(place)
            any_tag = {**branch["properties"][tag], "enum": list(places)}
            branches[name] = self.schema({**branch, "properties": {**branch["properties"], tag: any_tag}})
        first = next(iter(branches.values()))

        def check(value: Any) -> list[_Error]:
            name = value.get(tag) if isinstance(value, dict) else None
            chosen = branches.get(name, first) if isinstance(name, str) else first
            return chosen(value)

        return check

    def _properties(self, schema: Schema) -> _Check:
        known = [
            (name, replace(self, where=(*self.where, name)).schema(nested))
            for name, nested in schema["properties"].items()
        ]

        def check(value: Any) -> list[_Error]:
            errors: list[_Error] = []
            for name, nested in known:
                if name in value:
                    errors += nested(value[name])
            return errors

        return check

    def _required(self, schema: Schema) -> _Check:
        known, text = schema["properties"], reason("required", None, None)
        errors = {
            name: (len(self.where), Fault(_rule(known[name], "required"), (*self.where, name), text))
            for name in schema["required"]
        }
        return lambda value: (
            [] if value.keys() >= errors.keys() else [error for name, error in errors.items() if name not in value]
        )

    def _additional(self, schema: Schema) -> _Check:
        """Compile `additionalProperties`: unknown properties are faults, or have a schema of their own."""
        known, wanted, where = schema["properties"], schema["additionalProperties"], self.where
        if wanted is False:
            return self._unknown(known, _rule(schema, "additionalProperties"))
        check = replace(self, where=()).schema(wanted)
        return lambda value: [
            (len(where) + 1 + depth, Fault(fault.rule, (*where, name, *fault.where), fault.reason))
            for name, item in value.items()
            if name not in known
            for depth, fault in check(item)
        ]

    def _unknown(self, known: Mapping[str, Schema], rule: str) -> _Check:
        where, text = self.where, reason("additionalProperties", None, None)

        def check(value: Any) -> list[_Error]:
            if value.keys() <= known.keys():
                return []
            # A key that is not a string, such as a number, would look like a position.
            names = [name if isinstance(name, str) else "*" for name in value if name not in known]
            return [(len(where), Fault(rule, (*where, name), text)) for name in names]

        return check

    def _names(self, schema: Schema) -> _Check:
        where, check = self.where, replace(self, where=()).schema(schema["propertyNames"])
        return lambda value: [
            (len(where), Fault(fault.rule, (*where, name), f"has a name that {fault.reason}"))
            for name in value
            for _, fault in check(name)
        ]

    def _not_before(self, schema: Schema) -> _Check:
        """Compile `x-not-before`, which compares the instants of two fields (G6)."""
        names = later, earlier = schema["x-not-before"]
        where = (*self.where, later)
        error = (len(where), Fault(_rule(schema, "x-not-before"), where, reason("x-not-before", names, None)))

        def check(value: Any) -> list[_Error]:
            end, start = value.get(later), value.get(earlier)
            if not isinstance(end, str) or not isinstance(start, str) or timestamps.in_order(start, end):
                return []
            # Where one is not a timestamp, the field's own format reports it.
            return [] if timestamps.fault(start) or timestamps.fault(end) else [error]

        return check


def _rule(schema: Schema, keyword: str) -> str:
    """Return the rule that a schema names for a keyword, or for itself."""
    rule: str = schema.get("x-rules", {}).get(keyword) or schema["x-rule"]
    return rule


def is_number(value: object) -> bool:
    """Return whether a value is a finite number. A Decimal is not: what is sent never contains one."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _no_match(pattern: str) -> Callable[[str], bool]:
    search = re.compile(pattern).search
    return lambda value: search(value) is None


_NOTES = frozenset({"$schema", "$defs", "title", "description", "discriminator", "type", "x-rule", "x-rules"})
_TYPES: Mapping[str | None, tuple[type, Callable[[Any], bool]]] = {
    None: (object, lambda _: True),
    "object": (dict, lambda value: isinstance(value, dict)),
    "string": (str, lambda value: isinstance(value, str)),
    "number": (int, is_number),
}
"""For each type its usual class, and a check for any other class."""
_OF_FIELDS: Mapping[str, Callable[[_Compiler, Schema], _Check]] = {
    "properties": _Compiler._properties,
    "required": _Compiler._required,
    "additionalProperties": _Compiler._additional,
    "propertyNames": _Compiler._names,
    "x-not-before": _Compiler._not_before,
}
_BROKEN: Mapping[str, Callable[[Any], Callable[[Any], object]]] = {
    "enum": lambda choices: lambda value: value not in choices,
    "exclusiveMinimum": lambda least: lambda value: value <= least,
    "maximum": lambda most: lambda value: value > most,
    "minLength": lambda least: lambda value: len(value) < least,
    "maxLength": lambda most: lambda value: len(value) > most,
    "pattern": _no_match,
    "format": lambda form: {"date-time": timestamps.fault}[form],
    "minProperties": lambda least: lambda value: len(value) < least,
    "maxProperties": lambda most: lambda value: len(value) > most,
}
"""For each keyword, a check whether a value of the schema's type breaks it."""
