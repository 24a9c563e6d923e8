"""Requests are exactly what the vendors' pages show, and keep the checked-in schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.schemas import schemas
from airflow_provider_userdata.vendors.contract import BatchLimits, Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_sample import DATA_TYPES
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia
from tests.vendors.contract_validator import contract_validator

SCHEMAS = {name.removesuffix(".request.json"): contract_validator(schema) for name, schema in schemas().items()}


@pytest.fixture(scope="session")
def requested() -> Callable[..., tuple[str, Any]]:
    """Send valid values in one request: its path, and its body, which keeps the vendor's schema."""

    def request(vendor: Vendor, *values: object) -> tuple[str, Any]:
        records = [record for record in map(vendor.prepare_value, values) if isinstance(record, Record)]
        assert len(records) == len(values)
        joined = vendor.request(records)
        body = json.loads(joined.body)
        assert list(SCHEMAS[vendor.name].iter_errors(body)) == []
        return joined.path, body

    return request


Requested = Callable[..., tuple[str, Any]]


@pytest.mark.parametrize("data_type", DATA_TYPES)
def test_gerosenses_request_is_the_pages(requested: Requested, sample: Any, data_type: str) -> None:
    """Samples are joined in their order below one data type (G1, G2, G3)."""
    samples = [
        sample(),
        sample(start_date="2023-11-01T09:47:21.000+04:00", end_date="2023-11-01T09:47:34.000+04:00", value=24),
        {"device_name": "Apple Watch", "start_date": "2023-11-01T09:47Z", "unit": "count/min", "value": 61.5},
    ]

    path, body = requested(GeroSense(data_type), *samples)

    assert path == "/api/v1.1/samples"
    assert body == {"data_type": data_type, "data": samples}


def test_ptengines_request_is_the_pages(requested: Requested) -> None:
    """Names come once, and each row has the names' order (P1, P2)."""
    users = [
        {"user_id": "abcd123", "watch_conan": "yes", "watch_attack_on_titan": "no"},
        {"watch_attack_on_titan": "yes", "user_id": "abcd456", "watch_conan": "yes"},
        {"watch_conan": "no", "watch_attack_on_titan": "no", "user_id": "abcd789"},
    ]

    path, body = requested(Ptengine(), *users)

    assert path == "/v1/user/profiles"
    assert list(body) == ["field_name", "values"]
    assert body["field_name"][0] == "user_id"
    assert sorted(body["field_name"]) == ["user_id", "watch_attack_on_titan", "watch_conan"]
    assert [dict(zip(body["field_name"], values, strict=True)) for values in body["values"]] == users


def test_thymias_request_is_the_pages(requested: Requested) -> None:
    """A user's data goes out alone, with no other key (T1, T5)."""
    record = {"user": {"userLabel": "user-12345"}, "data": {"score": 7, "notes": ["slept well", None]}}

    path, body = requested(Thymia("mood"), record)

    assert path == "/v1/user-data/mood"
    assert body == record
    assert Thymia.limits == BatchLimits(minimum=1, maximum=1)


@pytest.mark.parametrize(
    ("upload_type", "segment"),
    [
        ("mood-check_2.0~a", "mood-check_2.0~a"),
        ("a/b", "a%2Fb"),
        ("../account", "..%2Faccount"),
        ("a b", "a%20b"),
        ("a?b=c&d#e", "a%3Fb%3Dc%26d%23e"),
        ("50%", "50%25"),
        ("%2e", "%252e"),
        ("気分", "%E6%B0%97%E5%88%86"),
        ("a;b:c@d+e", "a%3Bb%3Ac%40d%2Be"),
    ],
)
def test_an_upload_type_is_one_segment_of_the_path(upload_type: str, segment: str) -> None:
    """Whatever was agreed, it can't lead elsewhere (T4)."""
    assert Thymia(upload_type).request([Record(b"{}")]).path == f"/v1/user-data/{segment}"


def test_the_limits_are_the_pages() -> None:
    """3 to 1000 samples (G3), up to 100 users, each once (P4, P8)."""
    assert GeroSense.limits == BatchLimits(minimum=3, maximum=1000)
    assert Ptengine.limits == BatchLimits(minimum=1, maximum=100, user_once=True)


def test_full_requests_keep_the_schemas(requested: Requested, sample: Any) -> None:
    """The largest requests are valid by the schemas, and one more record is not."""
    fields = {f"f{number}": "x" * 128 for number in range(49)}
    _, samples = requested(GeroSense("bpm"), *([sample()] * 1000))
    _, users = requested(Ptengine(), *({"user_id": number, **fields} for number in range(100)))

    samples["data"].append(sample())
    users["values"].append(users["values"][0])

    assert not SCHEMAS["gerosense"].is_valid(samples)
    assert not SCHEMAS["ptengine"].is_valid(users)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gerosense", {"data_type": "steps", "data": []}),
        ("gerosense", {"data_type": "sleep", "data": []}),
        ("gerosense", {"data": []}),
        ("ptengine", {"field_name": ["a"], "values": [["1"]]}),
        ("ptengine", {"field_name": ["user_id"], "values": []}),
        ("ptengine", {"field_name": ["user_id"], "values": [[None]]}),
        ("ptengine", {"field_name": ["user_id"], "values": [["u"]], "more": 1}),
        ("thymia", {"user": {"userLabel": "u"}}),
    ],
)
def test_a_request_of_another_shape_breaks_the_schema(name: str, body: object) -> None:
    """The schemas of requests know what they are for."""
    assert not SCHEMAS[name].is_valid(body)


@settings(deadline=None)
@given(
    st.sets(st.text(min_size=1, max_size=50), max_size=5),
    st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=1, max_size=10, unique=True),
    st.data(),
)
def test_any_attributes_stand_under_their_names(names: set[str], users: list[str], data: st.DataObject) -> None:
    """Quotes, line breaks and any script in names and values arrive where they belong (P2)."""
    vendor = Ptengine()
    rows = [
        {**data.draw(st.fixed_dictionaries(dict.fromkeys(names, st.text(max_size=20)))), "user_id": u} for u in users
    ]
    records = [record for record in map(vendor.prepare_value, rows) if isinstance(record, Record)]

    body = json.loads(vendor.request(records).body)

    assert [dict(zip(body["field_name"], values, strict=True)) for values in body["values"]] == rows
