"""The format agreed with Thymia (T7), and the guard against personal data (T8), as part of a record's check."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import SchemaError

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.pii.guard import Guard
from airflow_provider_userdata.vendors.thymia import Thymia
from airflow_provider_userdata.vendors.validation.agreed_format import AgreedFormat
from airflow_provider_userdata.vendors.validation.fault import Fault, Invalid

Check = Callable[[dict[str, Any], dict[str, Any]], Record | Invalid]
Faults = Callable[[Record | Invalid], tuple[Fault, ...]]


@pytest.fixture
def check() -> Check:
    """Check some data by an agreed schema: ``check(schema, data)``."""

    def prepare(schema: dict[str, Any], data: dict[str, Any]) -> Record | Invalid:
        agreement = AgreedFormat(schema, rule="T7", root=("data",))
        return Thymia("mood", agreement=agreement).prepare_value({"user": {"userLabel": "u"}, "data": data})

    return prepare


SCORE = {
    "type": "object",
    "properties": {
        "score": {"type": "integer", "minimum": 0, "maximum": 10},
        "mood": {"enum": ["good", "bad"]},
        "notes": {"type": "array", "items": {"$ref": "#/$defs/note"}},
    },
    "required": ["score"],
    "additionalProperties": False,
    "$defs": {"note": {"type": "string", "minLength": 2, "maxLength": 4}},
}


@pytest.mark.parametrize("data", [{"score": 0}, {"score": 10, "mood": "bad", "notes": ["ab", "abcd"]}])
def test_data_of_the_agreed_format_is_sent(check: Check, data: dict[str, Any]) -> None:
    """What keeps the agreement is a record."""
    assert isinstance(check(SCORE, data), Record)


@pytest.mark.parametrize(
    ("data", "path", "reason"),
    [
        ({"score": 11}, "$.data.score", "must be at most 10"),
        ({"score": -1}, "$.data.score", "must be at least 0"),
        ({"score": "7"}, "$.data.score", "is a string, expected an integer"),
        ({"score": 7.5}, "$.data.score", "is a number, expected an integer"),
        ({"score": True}, "$.data.score", "is a boolean, expected an integer"),
        ({"mood": "good"}, "$.data.score", "is missing"),
        ({"score": 7, "mood": "so-so"}, "$.data.mood", "is not one of 'good', 'bad'"),
        ({"score": 7, "extra": 1}, "$.data.extra", "is not a field of the contract"),
        ({"score": 7, "notes": ["ab", "a"]}, "$.data.notes[1]", "has 1 characters, at least 2 are needed"),
        ({"score": 7, "notes": ["", "ab"]}, "$.data.notes[0]", "is empty"),
        ({"score": 7, "notes": ["abcde"]}, "$.data.notes[0]", "has 5 characters, at most 4 are allowed"),
        ({"score": 7, "notes": {}}, "$.data.notes", "is an object, expected an array"),
    ],
)
def test_data_of_another_format_is_refused_with_its_place(
    check: Check, faults: Faults, data: dict[str, Any], path: str, reason: str
) -> None:
    """Every fault is filed under T7, with its path below `data` and a reason without the value."""
    (fault,) = faults(check(SCORE, data))

    assert (fault.rule, fault.path, fault.reason) == ("T7", path, reason)


OPENAPI = {"propertyName": "kind", "mapping": {"b": "#/b", "c": "#/c"}}
DRAFT_3 = "http://json-schema.org/draft-03/schema#"
UNLESS = {"patternProperties": {"^a": {}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "data", "path", "reason"),
    [
        (UNLESS, {"a1": 1, "b": 1}, ".b", "is not a field of the contract"),
        ({"properties": {"a": False}}, {"a": 1}, "", "is not allowed by the schema"),
        (
            {"properties": {"a": {"enum": list(range(99))}}},
            {"a": ""},
            ".a",
            "is not one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …",
        ),
        ({"properties": {"a": {"const": 2}}}, {"a": 1}, ".a", "breaks `const` of the schema"),
        ({"minProperties": 2}, {"a": 1}, "", "has 1 fields, at least 2 are needed"),
        (
            {"propertyNames": {"maxLength": 1}},
            {"ab": 1},
            ".ab",
            "has a name that has 2 characters, at most 1 are allowed",
        ),
        ({"$schema": DRAFT_3, "properties": {"x": {"required": True}}}, {"a": 1}, ".x", "is missing"),
        ({"anyOf": [{"required": ["x"]}]}, {"a": 1}, "", "breaks `anyOf` of the schema"),
        ({"anyOf": [{"required": ["x"]}], "discriminator": OPENAPI}, {"kind": "c"}, "", "breaks `anyOf` of the schema"),
        ({"anyOf": [False], "discriminator": {"propertyName": "kind"}}, {"a": 1}, "", "breaks `anyOf` of the schema"),
        ({"oneOf": [False], "discriminator": {"propertyName": "kind"}}, {"a": 1}, "", "breaks `oneOf` of the schema"),
    ],
)
def test_any_schema_of_the_authors_is_explained(
    check: Check, faults: Faults, schema: dict[str, Any], data: dict[str, Any], path: str, reason: str
) -> None:
    """Schemas of other drafts, of OpenAPI's dialect and with keywords that we don't use ourselves are explained too."""
    (fault,) = faults(check(schema, data))

    assert (fault.rule, fault.path, fault.reason) == ("T7", f"$.data{path}", reason)


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"$ref": "#"}, {"a": 1}),
        ({"$dynamicRef": "#nowhere"}, {"a": 1}),
        ({"properties": {"a": {"multipleOf": 0.1}}}, {"a": 10**400}),
    ],
)
def test_what_cannot_be_checked_is_refused(
    check: Check, faults: Faults, schema: dict[str, Any], data: dict[str, Any]
) -> None:
    """Where a check itself breaks, that record is a reject like any other, and the run goes on."""
    (fault,) = faults(check(schema, data))

    assert (fault.rule, fault.path, fault.reason) == ("T7", "$.data", "contains a value that can't be checked")


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:9/schema.json", "https://example.com/schema", "file:///etc/passwd", "#/$defs/none"]
)
def test_a_reference_is_never_fetched(monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    """A schema with a reference to something outside it is refused before the first record, without a connection."""

    def connect(*_: object) -> None:
        pytest.fail("something was fetched")

    monkeypatch.setattr(socket.socket, "connect", connect)

    with pytest.raises(SchemaError, match="has a reference to something outside it"):
        AgreedFormat({"properties": {"a": {"items": {"$ref": reference}}}}, rule="T7", root=())


TAGGED = {
    "anyOf": [{"$ref": "#/$defs/walk"}, {"$ref": "#/$defs/run"}],
    "discriminator": {"propertyName": "kind", "mapping": {"walk": "#/$defs/walk", "run": "#/$defs/run"}},
    "$defs": {
        "walk": {"properties": {"kind": {"enum": ["walk"]}, "steps": {"type": "integer"}}},
        "run": {"properties": {"kind": {"enum": ["run"]}, "steps": {"maximum": 9}}},
    },
}
"""A choice between objects by a tag, as `msgspec` and OpenAPI write it."""


@pytest.mark.parametrize(
    ("data", "path", "reason"),
    [
        ({"kind": "walk", "steps": "x"}, "$.data.steps", "is a string, expected an integer"),
        ({"kind": "run", "steps": 10}, "$.data.steps", "must be at most 9"),
        ({"kind": "swim", "steps": 10}, "$.data.kind", "is not one of 'walk', 'run'"),
    ],
)
def test_a_choice_is_explained_by_its_tag(
    check: Check, faults: Faults, data: dict[str, Any], path: str, reason: str
) -> None:
    """Of a choice between objects, the one that the data's tag names is explained."""
    (fault,) = faults(check(TAGGED, data))

    assert (fault.rule, fault.path, fault.reason) == ("T7", path, reason)


def test_a_rule_in_an_agreed_format_is_not_ours(check: Check, faults: Faults) -> None:
    """Every fault is filed under T7, whatever the author's schema says in our own words for rules."""
    (fault,) = faults(check({"properties": {"a": {"type": "string", "x-rule": "G5"}}}, {"a": 1}))

    assert fault.rule == "T7"


def test_a_reference_inside_the_schema_is_followed(check: Check, faults: Faults) -> None:
    """References by pointer and by `$id` lead to the schema's own parts."""
    parts = {"b": {"$id": "b.json", "type": "string"}}
    schema = {"$id": "https://agreed.example/a.json", "properties": {"a": {"$ref": "b.json"}}, "$defs": parts}

    (fault,) = faults(check(schema, {"a": 1}))

    assert fault.path == "$.data.a"


@pytest.mark.parametrize("schema", [{"type": "text"}, {"required": "a"}, {"properties": {"a": {"pattern": "["}}}])
def test_what_is_no_schema_is_refused(schema: dict[str, Any]) -> None:
    """A mistake in the agreement shows before the first record."""
    with pytest.raises(SchemaError):
        AgreedFormat(schema, rule="T7", root=())


def test_the_guard_and_the_agreement_both_speak(faults: Faults) -> None:
    """Personal data (T8) is named first, then what breaks the agreement (T7)."""
    agreement = AgreedFormat({"required": ["score"]}, rule="T7", root=("data",))
    vendor = Thymia("mood", agreement=agreement, guard=Guard())

    found = faults(vendor.prepare_value({"user": {"userLabel": "u"}, "data": {"email": "a@b.example"}}))

    assert [(fault.rule, fault.path) for fault in found] == [("T8", "$.data.email"), ("T7", "$.data.score")]


@pytest.mark.parametrize(
    ("label", "data", "path"),
    [
        ("jane@example.com", {"score": 1}, "$.user.userLabel"),
        ("u", {"deep": [{"text": "mail jane@example.com"}]}, "$.data.deep[0].text"),
        ("u", {"first_name": "Jane"}, "$.data.first_name"),
        ("u", {"call": "+44 20 7946 0958"}, "$.data.call"),
    ],
)
def test_the_guard_refuses_personal_data(faults: Faults, label: str, data: dict[str, Any], path: str) -> None:
    """What looks like personal data is refused while the guard is on, and sent without it (T8)."""
    record = {"user": {"userLabel": label}, "data": data}

    (fault,) = faults(Thymia("mood", guard=Guard()).prepare_value(record))

    assert (fault.rule, fault.path) == ("T8", path)
    assert "jane" not in fault.reason.lower()
    assert isinstance(Thymia("mood").prepare_value(record), Record)


def test_an_allowed_field_passes_the_guard() -> None:
    """The author can let fields through by name (T8)."""
    vendor = Thymia("mood", guard=Guard(frozenset({"email"})))

    found = vendor.prepare_value({"user": {"userLabel": "u"}, "data": {"email": "a@b.example"}})

    assert isinstance(found, Record)
