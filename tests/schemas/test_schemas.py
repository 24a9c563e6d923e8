"""The checked-in schemas are the records' own, and valid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from airflow_provider_userdata import schemas
from airflow_provider_userdata.vendors import gerosense_sample, ptengine, thymia

COMMAND = "python -m airflow_provider_userdata.schemas"
NAMES = sorted(schemas.schemas())


@pytest.mark.parametrize("name", NAMES)
def test_a_checked_in_schema_is_the_records(name: str) -> None:
    """The records are the one statement of a contract, and the files follow them."""
    checked_in = (schemas.FOLDER / name).read_text()

    if checked_in != schemas.text(schemas.schemas()[name]):
        pytest.fail(f"{name} is not what the records say; run `{COMMAND}`, and look at what changed", pytrace=False)


def test_no_schema_is_left_over() -> None:
    """Every file in the folder is a generated one."""
    assert sorted(path.name for path in schemas.FOLDER.glob("*.json")) == NAMES


def test_the_command_writes_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command writes is what is compared above."""
    monkeypatch.setattr(schemas, "FOLDER", tmp_path)

    schemas.write()

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        name: schemas.text(schema) for name, schema in schemas.schemas().items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid(name: str) -> None:
    """Each is JSON Schema of 2020-12, has a title, and refers only to itself."""
    schema = json.loads((schemas.FOLDER / name).read_text())

    Draft202012Validator.check_schema(schema)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    for node in nodes(schema):
        reference = node.get("$ref")
        assert reference is None or reference.removeprefix("#/$defs/") in schema["$defs"]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_names_rules_of_its_vendor(name: str) -> None:
    """Rules cited in a schema are of that vendor's contract."""
    letter = name[0].upper()
    schema = json.loads((schemas.FOLDER / name).read_text())
    rules = {rule for node in nodes(schema) for rule in [node.get("x-rule"), *node.get("x-rules", {}).values()] if rule}

    assert rules
    assert all(rule[0] == letter and rule[1:].isdigit() for rule in rules)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Walk through all objects of a schema."""
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from nodes(part)
    if isinstance(schema, list):
        for part in schema:
            yield from nodes(part)


def test_the_limits_stand_in_the_schemas() -> None:
    """The numbers of the vendors' pages are in the files, where anybody can read them (G3, G8, P3, P4)."""
    samples = schemas.schemas()["gerosense.request.json"]
    profiles = schemas.schemas()["ptengine.request.json"]["$defs"]["ProfilesRequest"]["properties"]
    values = {
        name: definition["properties"]["value"] for name, definition in samples["$defs"].items() if name != "Sample"
    }

    assert (samples["properties"]["data"]["minItems"], samples["properties"]["data"]["maxItems"]) == (3, 1000)
    assert {name: value.get("maximum") for name, value in values.items()} == {
        "CountSample": 30000,
        "CountPerMinuteSample": 300,
        "CountPerSecondSample": None,
    }
    assert {value["exclusiveMinimum"] for value in values.values()} == {0}
    assert (profiles["field_name"]["maxItems"], profiles["field_name"]["items"]["maxLength"]) == (50, 50)
    assert (profiles["values"]["maxItems"], profiles["values"]["items"]["items"]["maxLength"]) == (100, 128)


def test_each_call_makes_a_schema_of_its_own() -> None:
    """Who changes a schema in hand changes nobody else's."""
    for make in (
        gerosense_sample.sample_schema,
        gerosense_sample.request_schema,
        ptengine.profile_schema,
        ptengine.request_schema,
        thymia.user_data_schema,
    ):
        first = make()
        first.clear()
        assert make()
