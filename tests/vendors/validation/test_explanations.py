"""Why a record is refused: rule, place and reason, never the value, and never a key that nobody knows in public."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_sample import FIELDS
from airflow_provider_userdata.vendors.pii.guard import Guard
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia
from airflow_provider_userdata.vendors.validation.agreed_format import AgreedFormat
from airflow_provider_userdata.vendors.validation.fault import Fault, Invalid

Sample = Callable[..., dict[str, Any]]
Faults = Callable[[Record | Invalid], tuple[Fault, ...]]

SECRET = "jane.roe.1984"
AT_MOST = "at most 50 are allowed"


@pytest.mark.parametrize(
    ("changes", "rule", "path", "reason"),
    [
        ({"device_name": None}, "G5", "$.device_name", "is null, expected a string"),
        ({"device_name": " "}, "G5", "$.device_name", "is blank"),
        ({"device_version": 17}, "G5", "$.device_version", "is a number, expected a string"),
        ({"device_version": 1.5}, "G5", "$.device_version", "is a number, expected a string"),
        ({"device_version": ["17"]}, "G5", "$.device_version", "is an array, expected a string"),
        ({"note": "x"}, "G5", "$.note", "is not a field of the contract"),
        ({"start_date": 5}, "G6", "$.start_date", "is a number, expected a string"),
        ({"start_date": ""}, "G7", "$.start_date", "is empty"),
        ({"start_date": "2023-11-01T08:04:51"}, "G7", "$.start_date", "has no offset from UTC"),
        ({"start_date": "2023-11-01"}, "G7", "$.start_date", "is a date without a time"),
        ({"start_date": "2023-11-01 08:04:51Z"}, "G7", "$.start_date", "has a space instead of the T"),
        ({"end_date": "2023-02-29T08:04:51Z"}, "G7", "$.end_date", "is not a valid calendar date"),
        ({"end_date": "2023-11-01T04:04:50Z"}, "G6", "$.end_date", "ends before its start_date"),
        ({"unit": "steps"}, "G8", "$.unit", "is not one of 'count', 'count/min', 'count/s'"),
        ({"value": 0}, "G8", "$.value", "must be greater than 0"),
        ({"value": 30001}, "G8", "$.value", "must be at most 30000"),
        ({"value": 300.1, "unit": "count/min"}, "G8", "$.value", "must be at most 300"),
        ({"value": "14"}, "G8", "$.value", "is a string, expected a number"),
        ({"value": ""}, "G8", "$.value", "is empty, expected a number"),
        ({"value": "1,024"}, "G8", "$.value", "is a text with thousands separators, expected a number"),
        ({"value": "1,02"}, "G8", "$.value", "is a string, expected a number"),
        ({"value": True}, "G8", "$.value", "is a boolean, expected a number"),
        ({"value": {}}, "G8", "$.value", "is an object, expected a number"),
        ({"value": float("inf")}, "G8", "$.value", "is not a finite number, expected a number"),
        ({"value": b"14"}, "G8", "$.value", "is not a JSON value, expected a number"),
        ({"device_name": "\ud800"}, "G1", "$", "contains a character that UTF-8 can't encode"),
    ],
)
def test_a_samples_fault_is_explained(
    gerosense: GeroSense, sample: Sample, faults: Faults, changes: dict[str, Any], rule: str, path: str, reason: str
) -> None:
    """Each kind of fault in a sample has its rule, its place and its reason."""
    (fault,) = faults(gerosense.prepare_value(sample(**changes)))

    assert (fault.rule, fault.path, fault.reason) == (rule, path, reason)


def test_a_missing_unit_hides_no_other_fault(gerosense: GeroSense, faults: Faults) -> None:
    """Without a unit the sample is explained as a count, once, and not three times."""
    found = faults(gerosense.prepare_value({"value": 0}))

    assert [f"{fault.rule} {fault.path} {fault.reason}" for fault in found] == [
        "G8 $.unit is missing",
        "G6 $.start_date is missing",
        "G5 $.device_name is missing",
        "G8 $.value must be greater than 0",
    ]


@pytest.mark.parametrize(
    ("profile", "rule", "path", "reason"),
    [
        ({"a": "b"}, "P3", "$.user_id", "is missing"),
        ({"user_id": " "}, "P7", "$.user_id", "is blank"),
        ({"user_id": 1.5}, "P7", "$.user_id", "is not a text, an integer or a UUID"),
        ({"user_id": "u" * 129}, "P4", "$.user_id", "has 129 characters, at most 128 are allowed"),
        ({"user_id": "u", "a": "b" * 129}, "P4", "$.a", "has 129 characters, at most 128 are allowed"),
        ({"user_id": "u", "a": ["b"]}, "P6", "$.a", "is of type list, which can't be written as text"),
        ({"user_id": "u", "": "b"}, "P3", "$.", "has a name that is empty"),
        ({"user_id": "u", 5: "b"}, "P3", "$", "has a key that is not a string"),
        ({"user_id": "u", "a" * 51: ""}, "P3", f"$.{'a' * 51}", f"has a name that has 51 characters, {AT_MOST}"),
        ({"user_id": "u", **dict.fromkeys(map(str, range(50)), "")}, "P3", "$", f"has 51 fields, {AT_MOST}"),
        ({"user_id": "u", "a": "\ud800"}, "P1", "$", "contains a character that UTF-8 can't encode"),
    ],
)
def test_a_profiles_fault_is_explained(
    faults: Faults, profile: dict[Any, Any], rule: str, path: str, reason: str
) -> None:
    """Each kind of fault in a user's attributes has its rule, its place and its reason."""
    (fault,) = faults(Ptengine().prepare_value(profile))

    assert (fault.rule, fault.path, fault.reason) == (rule, path, reason)


@pytest.mark.parametrize(
    ("record", "rule", "path", "reason"),
    [
        ({"data": {"a": 1}}, "T5", "$.user", "is missing"),
        ({"user": {"userLabel": "u"}, "data": {}}, "T5", "$.data", "is empty"),
        ({"user": {"userLabel": "u"}, "data": "a"}, "T5", "$.data", "is a string, expected an object"),
        ({"user": {"userLabel": ""}, "data": {"a": 1}}, "T6", "$.user.userLabel", "is blank"),
        (
            {"user": {"userLabel": "u"}, "data": {"a": {1}}},
            "T1",
            "$.data.a",
            "is of type set, which JSON can't represent",
        ),
        ({"user": {"userLabel": "u"}, "data": {"a": {5: 1}}}, "T1", "$.data.a", "has a key that is not a string"),
        ({"user": {"userLabel": "u"}, "data": {"a": [float("inf")]}}, "T1", "$.data.a[0]", "is not a finite number"),
    ],
)
def test_a_thymia_records_fault_is_explained(
    faults: Faults, record: dict[str, Any], rule: str, path: str, reason: str
) -> None:
    """Each kind of fault in a user's data has its rule, its place and its reason."""
    (fault,) = faults(Thymia("mood").prepare_value(record))

    assert (fault.rule, fault.path, fault.reason) == (rule, path, reason)


AGREED = {"properties": {"a": {"type": "integer", "maximum": 1, "maxLength": 2, "format": "email"}, "b": {"const": 5}}}
TELLING: dict[str, tuple[Vendor, Any]] = {
    "value": (GeroSense("steps"), {"value": SECRET, "device_name": 5, "start_date": SECRET, "unit": SECRET}),
    "times": (GeroSense("steps"), {"start_date": SECRET, "end_date": f"2023-11-01T{SECRET}", "value": -1984}),
    "unknown key": (GeroSense("steps"), {SECRET: SECRET}),
    "key that is a number": (GeroSense("steps"), {1984: SECRET}),
    "attribute": (Ptengine(), {"user_id": "u", SECRET: SECRET * 100}),
    "attribute's list": (Ptengine(), {"user_id": "u", SECRET: [SECRET]}),
    "attribute's name": (Ptengine(), {"user_id": "u", SECRET * 9: ""}),
    "user": (Ptengine(), {"user_id": [SECRET]}),
    "label": (Thymia("mood"), {"user": {"userLabel": [SECRET], SECRET: 1}, "data": {}, SECRET: SECRET}),
    "data": (Thymia("mood"), {"user": {"userLabel": "u"}, "data": {SECRET: {SECRET: [{SECRET}]}}}),
    "guarded": (Thymia("mood", guard=Guard()), {"user": {"userLabel": "u"}, "data": {SECRET: f"{SECRET}@example.com"}}),
    "agreed": (
        Thymia("mood", agreement=AgreedFormat(AGREED, "T7", ("data",))),
        {"user": {"userLabel": "u"}, "data": {"a": SECRET, "b": SECRET}},
    ),
}


@pytest.mark.parametrize(("vendor", "record"), TELLING.values(), ids=TELLING)
def test_no_reason_and_no_public_path_tells_of_a_record(faults: Faults, vendor: Vendor, record: Any) -> None:
    """A reason never repeats a value, and a public path shows unknown keys as `*` (A6)."""
    found = [*faults(vendor.prepare_value(record))]
    if 1984 not in record and "data" not in record.get("data", {}):
        found += getattr(vendor.prepare_json(json.dumps(record, default=list).encode()), "faults", ())

    for fault in found:
        assert not any(
            part in fault.reason + fault.public_path(vendor.known_fields) for part in (SECRET, "jane", "1984")
        )


def test_a_public_path_shows_the_contracts_own_names() -> None:
    """Fields of the contract and positions stay readable, all else is `*`; the private path has everything (A6)."""
    fault = Fault("T7", ("data", "notes", 3, "userLabel", "x"), "is missing")

    assert fault.public_path(frozenset({"user", "userLabel", "data"})) == "$.data.*[3].userLabel.*"
    assert fault.path == "$.data.notes[3].userLabel.x"


@pytest.mark.parametrize("vendor", [GeroSense("steps"), Ptengine(), Thymia("mood"), Thymia("mood", guard=Guard())])
def test_a_record_of_a_thousand_faults_names_twenty(vendor: Vendor, faults: Faults) -> None:
    """What names every fault of a huge record would fill the disk: the first twenty have made the point."""
    keys = {f"key{number}" * 10: [number] for number in range(1000)}
    fields: dict[str, object] = {name: [] for name in FIELDS}

    faults(vendor.prepare_value({**fields, **keys, "user_id": "u", "user": [], "data": []}))


def test_a_record_full_of_personal_data_names_twenty(faults: Faults) -> None:
    """The guard's findings are bounded like other faults (T8)."""
    data = {"texts": ["a@b.example"] * 1000}

    assert len(faults(Thymia("mood", guard=Guard()).prepare_value({"user": {"userLabel": "u"}, "data": data}))) == 20


@settings(deadline=None)
@given(st.text(min_size=8, max_size=20, alphabet="qxzQXZ0123456789"))
def test_any_content_stays_out_of_reasons_and_public_paths(marker: str) -> None:
    """Whatever stands as a value or an unknown key, nothing of it shows (A6)."""
    for vendor, shape in TELLING.values():
        text = json.dumps(shape, default=list).replace(SECRET, marker)
        found = vendor.prepare_json(text.encode())
        for fault in found.faults if isinstance(found, Invalid) else ():
            assert marker not in fault.reason
            assert marker not in fault.public_path(vendor.known_fields)
