"""Explains what is not of a format agreed with a vendor (T7): each fault has a path and a reason, never the value."""

from __future__ import annotations

import re

import referencing
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from jsonschema_specifications import REGISTRY as SPECIFICATIONS  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable
from referencing.jsonschema import SchemaResource, specification_with

from airflow_provider_userdata.vendors.validation.fault import MOST_FAULTS, UNCHECKABLE, Fault
from airflow_provider_userdata.vendors.validation.messages import reason
from airflow_provider_userdata.vendors.validation.schema import Schema


class AgreedFormat:
    """A JSON Schema of the author's, of any draft. References resolve inside it: nothing is fetched.

    :param rule: the rule of every fault.
    :param root: the path inside the record to the part that the schema describes.
    :raises jsonschema.SchemaError: if it is not a JSON Schema, or has a reference to something outside it.
    """

    def __init__(self, schema: Schema, rule: str, root: tuple[str, ...]) -> None:
        kind = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(schema)
        _check_references(schema, kind)
        self._validator = kind(schema, registry=referencing.Registry(), format_checker=kind.FORMAT_CHECKER)
        self._rule = rule
        self._root = root

    def faults(self, part: object) -> tuple[Fault, ...]:
        """Return the faults of that part of a record, the shallowest first; none if it is of the format."""
        try:
            errors = [leaf for error in self._validator.iter_errors(part) for leaf in _leaves(error)]
            errors.sort(key=lambda error: len(error.absolute_path))
            found = dict.fromkeys(fault for error in errors[:MOST_FAULTS] for fault in self._described(error))
        except Exception:  # noqa: BLE001  # a value that can't be compared, or that `jsonschema` can't show
            return (Fault(self._rule, self._root, UNCHECKABLE),)
        return tuple(found)[:MOST_FAULTS]

    def _described(self, error: ValidationError) -> list[Fault]:
        where = (*self._root, *error.absolute_path)
        text = reason(error.validator, error.validator_value, error.instance)
        if error.validator == "required" and isinstance(error.validator_value, list):
            missing = [name for name in error.validator_value if name not in error.instance]
            return [Fault(self._rule, (*where, name), text) for name in missing]
        if error.validator == "additionalProperties" and error.validator_value is False:
            return [Fault(self._rule, (*where, name), text) for name in _unknown(error)]
        if list(error.schema_path)[-2:-1] == ["propertyNames"]:
            return [Fault(self._rule, (*where, error.instance), f"has a name that {text}")]
        return [Fault(self._rule, where, text)]


def _unknown(error: ValidationError) -> list[str]:
    unknown = [name for name in error.instance if name not in error.schema.get("properties", {})]
    patterns = error.schema.get("patternProperties", ())
    return [name for name in unknown if not any(re.search(pattern, name) for pattern in patterns)]


def _leaves(error: ValidationError) -> list[ValidationError]:
    """Replace a choice between records by the errors of the one that the record's tag selects, or else the first."""
    discriminator = error.schema.get("discriminator", {}) if error.validator == "anyOf" else {}
    places = discriminator.get("mapping", {})
    if not places or error.validator_value != [{"$ref": place} for place in places.values()]:
        return [error]
    tag, names = discriminator["propertyName"], list(places)
    name = error.instance.get(tag) if isinstance(error.instance, dict) else None
    branch = names.index(name) if isinstance(name, str) and name in names else 0
    leaves = [nested for nested in error.context or () if nested.schema_path[0] == branch]
    for leaf in leaves:
        if leaf.validator == "enum" and list(leaf.path) == [tag]:
            leaf.validator_value = names
    return leaves


def _check_references(schema: Schema, kind: type[Validator]) -> None:
    """Look up each reference now: a broken one would otherwise be found only when a record needs it."""
    root: SchemaResource = specification_with(kind.META_SCHEMA["$schema"]).create_resource(schema)
    resolver = SPECIFICATIONS.with_resource("", root).resolver_with_root(root)
    pending = [(root, resolver)]
    while pending:
        part, resolver = pending.pop()
        if isinstance(part.contents, dict) and isinstance(part.contents.get("$ref"), str):
            try:
                resolver.lookup(part.contents["$ref"])
            except Unresolvable:
                raise SchemaError("has a reference to something outside it") from None
        pending.extend((nested, resolver.in_subresource(nested)) for nested in part.subresources())
