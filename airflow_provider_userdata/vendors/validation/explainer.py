"""Explains why a record is not valid: each fault has a rule, a path and a reason, never the value (A6)."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator

import referencing
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY as SPECIFICATIONS  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable
from referencing.jsonschema import SchemaResource, specification_with

from airflow_provider_userdata.vendors.validation import timestamps
from airflow_provider_userdata.vendors.validation.compiler import compiled, ends_before, is_number
from airflow_provider_userdata.vendors.validation.fault import Fault
from airflow_provider_userdata.vendors.validation.messages import own_rule, reason
from airflow_provider_userdata.vendors.validation.schema import Schema

MOST_FAULTS = 20
"""How many faults of one record are reported at most."""


class Explainer:
    """Finds a record's faults with a schema.

    :param validator: from `contract_validator` or `agreed_validator`.
    :param default_rule: the rule of a fault if the schema names none.
    :param root: the path inside the record to the part that the schema describes.
    """

    def __init__(self, validator: Validator, default_rule: str, root: tuple[str | int, ...] = ()) -> None:
        self._validator = validator
        self._default_rule = default_rule
        self._root = root
        is_ours = isinstance(validator, _ContractValidator)
        self._compiled = compiled(validator.schema, default_rule, root) if is_ours else None

    def faults(self, record: object) -> tuple[Fault, ...]:
        """Return a record's faults, the shallowest first; none if it is valid."""
        find = self._compiled or self._errors
        try:
            errors = list(find(record))
            if len(errors) == 1:  # the usual case: nothing to sort, no duplicates
                return tuple(errors[0][1])[:MOST_FAULTS]
            errors = sorted(errors, key=_depth)[:MOST_FAULTS]
            found = dict.fromkeys([fault for _, faults in errors for fault in faults])
        except Exception:  # noqa: BLE001  # a value that can't be compared, or that `jsonschema` can't show
            return (Fault(self._default_rule, self._root, "contains a value that can't be checked"),)
        return tuple(found)[:MOST_FAULTS]

    def _errors(self, record: object) -> Iterator[tuple[int, Iterable[Fault]]]:
        for error in self._validator.iter_errors(record):
            for leaf in _leaves(error):
                yield len(leaf.absolute_path), self._described(leaf)

    def _described(self, error: ValidationError) -> Iterator[Fault]:
        where = (*self._root, *error.absolute_path)
        text = reason(error.validator, error.validator_value, error.instance)
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        if error.validator == "required" and isinstance(error.validator_value, list):
            for name in error.validator_value:
                if name not in error.instance:
                    yield Fault(own_rule(known.get(name), "required") or self._rule(error), (*where, name), text)
        elif error.validator == "additionalProperties" and error.validator_value is False:
            patterns = error.schema.get("patternProperties", ())
            for name in error.instance:
                if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                    # A key that is not a string, such as a number, would look like a position.
                    yield Fault(self._rule(error), (*where, name if isinstance(name, str) else "*"), text)
        elif list(error.schema_path)[-2:-1] == ["propertyNames"]:
            yield Fault(self._rule(error), (*where, error.instance), f"has a name that {text}")
        else:
            yield Fault(self._rule(error), where, text)

    def _rule(self, error: ValidationError) -> str:
        """Return the nearest rule at or above the broken keyword."""
        scope: ValidationError | None = error
        keyword = error.validator
        while scope is not None:
            rule = own_rule(scope.schema, keyword)
            if rule is not None:
                return rule
            scope = scope.parent
        return self._default_rule


_depth = operator.itemgetter(0)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Replace a choice between records by the errors of the one that the record's tag selects."""
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


def _not_before(_validator: object, names: list[str], record: object, _schema: object) -> Iterator[ValidationError]:
    if ends_before(record, *names):
        yield ValidationError("is earlier", path=[names[0]])


_ContractValidator = extend(
    Draft202012Validator,
    validators={"x-not-before": _not_before},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", lambda _, value: is_number(value)),
)
_CONTRACT_FORMATS = FormatChecker(formats=())


def _is_timestamp(value: object) -> bool:
    if isinstance(value, str):
        timestamps.parse(value)
    return True


_CONTRACT_FORMATS.checks("date-time", raises=timestamps.NotInProfile)(_is_timestamp)


def contract_validator(schema: Schema) -> Validator:
    """Return a validator for a contract's schema: finite numbers, timestamps of G7, and `x-not-before`."""
    validator: Validator = _ContractValidator(schema, format_checker=_CONTRACT_FORMATS)
    return validator


def agreed_validator(schema: Schema) -> Validator:
    """Return a validator for a format agreed with a vendor (T7). References resolve inside it: nothing is fetched.

    :raises jsonschema.SchemaError: if it is not a JSON Schema, or has a reference to something outside it.
    """
    kind = validator_for(schema, default=Draft202012Validator)
    kind.check_schema(schema)
    _check_references(schema, kind)
    validator: Validator = kind(schema, registry=referencing.Registry(), format_checker=kind.FORMAT_CHECKER)
    return validator


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
