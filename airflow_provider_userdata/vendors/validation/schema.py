"""JSON Schemas of what is sent, generated from the typed records: the records are the one statement of a contract."""

from __future__ import annotations

from typing import Any

import msgspec

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def rule(number: str, **keywords: Any) -> msgspec.Meta:
    """Annotate a field with the number of its rule, and with keywords that only the schema checks.

    The record's own check of those keywords is code: a test holds the two to the same verdicts.
    """
    return msgspec.Meta(extra_json_schema={"x-rule": number, **keywords})


def names_of(name_type: Any) -> Schema:
    """Return the schema of an object's names, for `propertyNames`: msgspec before 0.22 leaves it out."""
    return {key: value for key, value in msgspec.json.schema(name_type).items() if key != "type"}


def schema_of(record_type: Any, title: str) -> Schema:
    """Generate the schema of a typed record, in the form that says most about a fault."""
    schema: Schema = _simplified(msgspec.json.schema(record_type))
    return {"$schema": _DRAFT, "title": title, **schema}


def _simplified(node: Any) -> Any:
    if isinstance(node, list):
        return [_simplified(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = {key: _simplified(value) for key, value in node.items() if not (key == "default" and value is None)}
    choices = node.get("anyOf")
    if choices and "discriminator" not in node:
        choice = _one_of(choices)
        if choice is not None:
            del node["anyOf"]
            return {**choice, **node}
    return node


def _one_of(choices: list[Schema]) -> Schema | None:
    """Fold a choice into one: an integer is a number too, and null, which stands for an absent value, is never sent."""
    left = [choice for choice in choices if choice.get("type") != "null"]
    if [choice.get("type") for choice in left] == ["integer", "number"]:
        left = left[1:]
    return left[0] if len(left) == 1 else None
