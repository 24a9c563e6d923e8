"""What `jsonschema` says of a contract's schema: the yardstick for the compiled schemas and the typed records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from airflow_provider_userdata.vendors.validation import MOST_FAULTS, Fault, Schema, timestamps
from airflow_provider_userdata.vendors.validation.compiler import is_number
from airflow_provider_userdata.vendors.validation.messages import reason

FORMATS = FormatChecker(formats=())
FORMATS.checks("date-time")(lambda value: not isinstance(value, str) or timestamps.fault(value) is None)


def not_before(_: Validator, names: list[str], record: Any, __: Schema) -> Iterator[ValidationError]:
    """Compare the instants of two fields (G6), where both are timestamps."""
    end, start = (record.get(name) for name in names) if isinstance(record, dict) else (None, None)
    texts = [text for text in (start, end) if isinstance(text, str) and not timestamps.fault(text)]
    if len(texts) == 2 and not timestamps.in_order(*texts):
        yield ValidationError("is earlier", path=[names[0]])


def additional(validator: Any, wanted: Any, record: Any, schema: Schema) -> Iterator[ValidationError]:
    """Check unknown properties in the record's order; `jsonschema` does so in that of a set."""
    unknown = [name for name in record if name not in schema.get("properties", {})] if isinstance(record, dict) else []
    if wanted is False and unknown:
        yield ValidationError("is not a field")
    elif wanted is not False:
        for name in unknown:
            yield from validator.descend(record[name], wanted, path=name)


ContractValidator = extend(
    Draft202012Validator,
    validators={"x-not-before": not_before, "additionalProperties": additional},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", lambda _, value: is_number(value)),
)


def contract_validator(schema: Schema) -> Validator:
    """Return a validator for a contract's schema: finite numbers, timestamps of G7, and `x-not-before`."""
    validator: Validator = ContractValidator(schema, format_checker=FORMATS)
    return validator


def faults(validator: Validator, record: object) -> tuple[Fault, ...]:
    """Return a record's faults by a contract's schema, the shallowest first."""
    errors = [leaf for error in validator.iter_errors(record) for leaf in leaves(error)]
    errors.sort(key=lambda error: len(error.absolute_path))
    return tuple(dict.fromkeys(fault for error in errors for fault in described(error)))[:MOST_FAULTS]


def leaves(error: ValidationError) -> list[ValidationError]:
    """Replace a choice between samples by the errors of the one that the unit selects, or else the first."""
    if error.validator != "anyOf":
        return [error]
    units = list(error.schema["discriminator"]["mapping"])
    unit = error.instance.get("unit") if isinstance(error.instance, dict) else None
    chosen = units.index(unit) if isinstance(unit, str) and unit in units else 0
    found = [nested for nested in error.context or () if nested.schema_path[0] == chosen]
    for nested in found:
        if list(nested.path) == ["unit"]:
            nested.validator_value = units
    return found


def described(error: ValidationError) -> list[Fault]:
    """Return the faults that an error stands for."""
    where, keyword = tuple(error.absolute_path), str(error.validator)
    rule, text = rule_of(error.schema, keyword), reason(keyword, error.validator_value, error.instance)
    known = error.schema.get("properties", {})
    if keyword == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return [Fault(rule_of(known[name], keyword), (*where, name), text) for name in missing]
    if keyword == "additionalProperties":
        unknown = [name if isinstance(name, str) else "*" for name in error.instance if name not in known]
        return [Fault(rule, (*where, name), text) for name in unknown]
    if "propertyNames" in error.schema_path:
        return [Fault(rule, (*where, error.instance), f"has a name that {text}")]
    return [Fault(rule, where, text)]


def rule_of(schema: Schema, keyword: str) -> str:
    """Return the rule that a schema names for a keyword, or for itself."""
    return str(schema.get("x-rules", {}).get(keyword, schema["x-rule"]))
