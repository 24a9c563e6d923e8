"""The two verdicts on a record, the typed record's and the generated schema's, agree, or here is why they don't."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_sample import sample_schema
from airflow_provider_userdata.vendors.ptengine import Ptengine, profile_schema
from airflow_provider_userdata.vendors.thymia import Thymia, user_data_schema
from tests.vendors.contract_validator import contract_validator

GEROSENSE, PTENGINE, THYMIA = GeroSense("steps"), Ptengine(), Thymia("mood")
SCHEMAS = {
    "gerosense": contract_validator(sample_schema()),
    "ptengine": contract_validator(profile_schema()),
    "thymia": contract_validator(user_data_schema()),
}
THOROUGHLY = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

JUNK: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3) | st.just([]) | st.just({})
)
VALUES = (
    st.sampled_from(
        [0, -1, 1, 14, 14.0, 0.0, -0.0, 1e-320, 300, 300.0, 300.1, 301, 30000, 30000.5, 30001, 31000, 2**64]
    )
    | st.floats()
    | st.integers(-5, 40000)
    | st.sampled_from(["14", True, None, [14]])
)
TIMES = st.sampled_from(
    [
        "2023-11-01T08:00:00Z",
        "2023-11-01T12:00:00+04:00",
        "2023-11-01T11:59:59.999+04:00",
        "2023-11-01T17:00+09",
        "2023-11-01T08:00:00.0000000001Z",
        "2023-11-01T08:00:00",
        "2023-11-01 08:00:00Z",
        "2023-11-01",
        "2023-02-29T08:00:00Z",
        "",
    ]
)
NAMES = st.sampled_from(["iPhone", "", " ", "\u3000", "\x1c", "\u200b", "\ufeff", "\u0085", "日本", "x" * 1000])


def near(valid: Any, odd: Any) -> Any:
    """Draw what is mostly valid, and sometimes anything."""
    return st.one_of(valid, valid, valid, valid, odd)


SAMPLES = st.builds(
    lambda fields, extra: {**fields, **extra},
    st.fixed_dictionaries(
        {
            "device_name": near(st.just("iPhone"), NAMES | JUNK),
            "start_date": near(TIMES, TIMES | JUNK),
            "unit": near(st.sampled_from(["count", "count/min", "count/s"]), JUNK | st.just("Count")),
            "value": VALUES,
        },
        optional={"device_version": near(st.text(max_size=3), JUNK), "end_date": near(TIMES, JUNK)},
    ),
    near(st.just({}), st.dictionaries(st.sampled_from(["note", "", "Value"]), JUNK, max_size=2)),
)
MISSING = near(st.just([]), st.lists(st.sampled_from(["device_name", "start_date", "unit", "value"]), max_size=2))
LONG = st.builds(
    lambda character, length: character * length,
    st.sampled_from("a日😀 "),
    st.sampled_from([0, 1, 49, 50, 51, 127, 128, 129]),
)
PROFILES = st.builds(
    lambda users, fields, more: {**users, **fields, **{f"f{number}": "" for number in range(more)}},
    near(st.fixed_dictionaries({"user_id": near(st.just("u"), LONG | NAMES)}), st.just({})),
    st.dictionaries(near(st.sampled_from(["a", "b"]), LONG), LONG, max_size=3),
    near(st.just(0), st.integers(46, 51)),
)
DATA = st.dictionaries(st.text(max_size=3), JUNK, max_size=2)
LABELS = near(st.text(min_size=1, max_size=3), NAMES | st.none() | st.floats(0, 1) | st.just([]))
USERS = st.fixed_dictionaries({"userLabel": LABELS}, optional={"name": near(st.nothing(), JUNK)})
USER_DATA = st.fixed_dictionaries(
    {"user": near(st.fixed_dictionaries({"userLabel": LABELS}), USERS | JUNK), "data": near(DATA, JUNK)}
) | st.fixed_dictionaries({}, optional={"user": USERS, "data": DATA, "more": JUNK})


def accepts(vendor: Vendor, record: Any) -> bool:
    """Give the typed record's verdict; as a Python value and as JSON text, where JSON can hold it, it is the same."""
    verdict = isinstance(vendor.prepare_value(record), Record)
    try:
        text = json.dumps(record, allow_nan=False).encode()
    except ValueError:
        return verdict
    assert isinstance(vendor.prepare_json(text), Record) is verdict
    return verdict


def agree(vendor: Vendor, record: Any) -> None:
    """Compare the two verdicts."""
    assert accepts(vendor, record) is SCHEMAS[vendor.name].is_valid(record), record


@pytest.mark.slow
@THOROUGHLY
@given(SAMPLES, MISSING)
def test_the_verdicts_on_samples_agree(sample: dict[str, Any], missing: list[str]) -> None:
    """On GeroSense's samples at every edge (G5 to G8) the two agree; null stands for an absent optional field."""
    present = {key: value for key, value in sample.items() if key not in missing}
    absent = {key for key in ("device_version", "end_date") if present.get(key, "") is None}

    normalized = {key: value for key, value in present.items() if key not in absent}

    assert accepts(GEROSENSE, present) is SCHEMAS["gerosense"].is_valid(normalized)


@THOROUGHLY
@given(PROFILES)
def test_the_verdicts_on_profiles_agree(profile: dict[str, str]) -> None:
    """On Ptengine's attributes as text, at every limit (P3, P4, P7), the two agree."""
    agree(PTENGINE, profile)
    found = PTENGINE.prepare_cells(tuple(profile), list(profile.values()))
    assert isinstance(found, Record) is SCHEMAS["ptengine"].is_valid(profile)


@pytest.mark.slow
@THOROUGHLY
@given(USER_DATA)
def test_the_verdicts_on_user_data_agree(record: dict[str, Any]) -> None:
    """On Thymia's records of every near-valid shape (T5, T6) the two agree; an integer label is not among them."""
    agree(THYMIA, record)


@pytest.mark.parametrize("record", [None, [], "text", 14, True, {}])
@pytest.mark.parametrize("vendor", [GEROSENSE, PTENGINE, THYMIA], ids=lambda vendor: vendor.name)
def test_the_verdicts_on_no_record_agree(vendor: Vendor, record: object) -> None:
    """What is not even an object is refused by both."""
    agree(vendor, record)
    assert not accepts(vendor, record)


VALID = {"device_name": "i", "start_date": "2023-11-01T08:00:00Z", "unit": "count/s", "value": 1}
IN_TOKYO = GeroSense("steps", ZoneInfo("Asia/Tokyo"))


def labelled(label: object, **data: object) -> dict[str, object]:
    """Make a Thymia record."""
    return {"user": {"userLabel": label}, "data": data or {"a": 1}}


DIFFERENCES: dict[str, tuple[Vendor, Any, bool]] = {
    # The schema tells of a record as it is sent; what comes in may be written otherwise, and is normalized first.
    "null is an absent optional field": (GEROSENSE, {**VALID, "end_date": None}, True),
    "a named zone completes a local time": (IN_TOKYO, {**VALID, "start_date": "2023-11-01T08:00"}, True),
    "a datetime is written as ISO 8601": (GEROSENSE, {**VALID, "start_date": datetime(2023, 11, 1, tzinfo=UTC)}, True),
    "a Decimal is written as a number": (GEROSENSE, {**VALID, "value": Decimal("1.5")}, True),
    "None is written as an empty value": (PTENGINE, {"user_id": "u", "a": None}, True),
    "a number is written as text": (PTENGINE, {"user_id": "u", "a": 1.5}, True),
    "a boolean is written as text": (PTENGINE, {"user_id": "u", "a": True}, True),
    "a date is written as text": (PTENGINE, {"user_id": "u", "a": date(2023, 1, 1)}, True),
    "a UUID is written as text": (PTENGINE, {"user_id": UUID(int=1)}, True),
    "NumPy's number is written as text": (PTENGINE, {"user_id": "u", "a": np.int64(5)}, True),
    "pandas' mark for a missing time is an empty value": (PTENGINE, {"user_id": "u", "a": pd.NaT}, True),
    "pandas' mark for a missing time is an absent field": (GEROSENSE, {**VALID, "end_date": pd.NaT}, True),
    "NumPy's number is written as a number": (GEROSENSE, {**VALID, "value": np.int64(5)}, True),
    "a UUID is a label's text": (THYMIA, labelled(UUID(int=1)), True),
    "an integer user is written as text": (PTENGINE, {"user_id": 5}, True),
    "an integer label is written as text": (THYMIA, labelled(5), True),
    # The schema tells of values; what can't be written as JSON at all is found by writing it.
    "half a surrogate pair in a name": (GEROSENSE, {**VALID, "device_name": "\ud800"}, False),
    "half a surrogate pair in a value": (PTENGINE, {"user_id": "u", "a": "\ud800"}, False),
    "half a surrogate pair in a label": (THYMIA, labelled("\ud800"), False),
    "NaN inside of data": (THYMIA, labelled("u", a=float("nan")), False),
    "bytes inside of data": (THYMIA, labelled("u", a=b"x"), False),
    "a key inside of data that is no text": (THYMIA, labelled("u", a={1: 2}), False),
}


@pytest.mark.parametrize(("vendor", "record", "accepted"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_where_the_verdicts_differ_it_is_meant(vendor: Vendor, record: Any, accepted: bool) -> None:
    """Each difference is one of two kinds: normalized before it is sent, or not to be written as JSON."""
    found = vendor.prepare_value(record)

    assert isinstance(found, Record) is accepted
    assert SCHEMAS[vendor.name].is_valid(record) is not accepted
    if isinstance(found, Record):
        body = json.loads(found.body)
        assert SCHEMAS[vendor.name].is_valid(dict(zip(found.group, body, strict=True)) if found.group else body)
