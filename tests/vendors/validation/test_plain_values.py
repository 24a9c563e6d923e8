"""What NumPy's, pandas' and a database's values become, with the libraries themselves: the same for all vendors."""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia
from airflow_provider_userdata.vendors.validation.fault import Fault, Invalid
from airflow_provider_userdata.vendors.validation.plain_values import plain

Sent = Callable[[Record | Invalid], Any]
Faults = Callable[[Record | Invalid], tuple[Fault, ...]]

A_UUID = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
TO_DO = "pass None instead, for example with `frame.astype(object).where(frame.notna(), None)`"
MISSING = [None, pd.NaT, pd.NA, np.datetime64("NaT"), np.timedelta64("NaT"), np.ma.masked]
NOT_A_NUMBER = [math.nan, np.float64("nan"), np.float32("nan"), np.longdouble("nan"), Decimal("NaN"), Decimal("sNaN")]
WITHOUT_FORM = [
    np.timedelta64(5, "ns"),
    pd.Timedelta(1),
    np.void(b"x"),
    np.bytes_(b"x"),
    np.complex128(1),
    timedelta(1),
]
ALIKE: list[tuple[Any, object]] = [
    (np.int8(-5), -5),
    (np.uint64(2**64 - 1), 2**64 - 1),
    (np.longlong(5), 5),
    (np.bool_(1), True),
    (np.bool_(0), False),
    (np.float64(1.5), 1.5),
    (np.float32(1.5), 1.5),
    (np.float16(0.5), 0.5),
    (np.str_("yes"), "yes"),
    (A_UUID, str(A_UUID)),
    (pd.Timestamp("2024-05-01T08:00:00"), "2024-05-01T08:00:00"),
    (pd.Timestamp("2024-05-01T08:00:00.123456789+02:00"), "2024-05-01T08:00:00.123456789+02:00"),
    (np.datetime64("2024-05-01T08:00:00"), "2024-05-01T08:00:00"),
    (np.datetime64("2024-05-01T08:00:00.123456789"), "2024-05-01T08:00:00.123456789"),
    (np.datetime64("2024-05-01"), "2024-05-01"),
]


class Plan(str, enum.Enum):  # noqa: UP042  # the form whose `str()` is the member's name
    """A text that is a member of an enumeration."""

    FREE = "free"


def texts(value: object) -> Any:
    """Give a value as Ptengine sends it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("value", "same"), [*ALIKE, (Plan.FREE, "free")], ids=repr)
def test_a_value_of_a_librarys_type_goes_out_as_what_it_holds(sent: Sent, value: Any, same: object) -> None:
    """As an attribute and anywhere in a user's data, it is what Python's own value of the same meaning is (P6)."""
    profile = Ptengine().prepare_value({"user_id": "u", "plan": value})
    data = Thymia("mood").prepare_value({"user": {"userLabel": "u"}, "data": {"a": [{"b": value}], "c": value}})

    assert sent(profile) == ["u", texts(same)]
    assert sent(data)["data"] == {"a": [{"b": same}], "c": same}
    assert type(sent(data)["data"]["c"]) is type(same)


def test_no_digit_is_lost_of_a_long_double(sent: Sent) -> None:
    """It holds more digits than a float, which go out."""
    longest = np.longdouble(1) / 3

    assert sent(Ptengine().prepare_value({"user_id": "u", "a": longest})) == ["u", str(longest)]
    found = Thymia("mood").prepare_value({"user": {"userLabel": "u"}, "data": {"a": longest}})
    assert isinstance(found, Record)
    assert f'"a":{longest}'.encode() in found.body


@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_what_a_library_takes_for_missing_is_missing(
    sent: Sent, faults: Faults, sample: Callable[..., dict[str, Any]], value: object
) -> None:
    """It empties an attribute (P5), is null in data, leaves an optional field out (G5), and is nobody's name (P7)."""
    assert sent(Ptengine().prepare_value({"user_id": "u", "plan": value})) == ["u", ""]
    data = Thymia("mood").prepare_value({"user": {"userLabel": "u"}, "data": {"a": [value], "b": {"c": value}}})
    assert sent(data)["data"] == {"a": [None], "b": {"c": None}}
    kept = sent(GeroSense("steps").prepare_value(sample(end_date=value, device_version=value)))
    assert kept == {key: kept[key] for key in ("device_name", "start_date", "value", "unit")}

    assert faults(Ptengine().prepare_value({"user_id": value})) == (
        Fault("P7", ("user_id",), "is not a text, an integer or a UUID"),
    )
    assert faults(Thymia("mood").prepare_value({"user": {"userLabel": value}, "data": {"a": 1}})) == (
        Fault("T6", ("user", "userLabel"), "is null, expected a string"),
    )
    assert faults(GeroSense("steps").prepare_value(sample(start_date=value))) == (
        Fault("G6", ("start_date",), "is null, expected a string"),
    )


@pytest.mark.parametrize("value", NOT_A_NUMBER, ids=repr)
def test_nan_is_told_as_a_missing_value_of_a_frame(
    faults: Faults, sample: Callable[..., dict[str, Any]], value: object
) -> None:
    """NaN is refused by each vendor, wherever it stands, and the reason says where it comes from and what to do."""
    found = [
        *faults(Ptengine().prepare_value({"user_id": "u", "plan": value})),
        *faults(Ptengine().prepare_value({"user_id": value})),
        *faults(Thymia("mood").prepare_value({"user": {"userLabel": "u"}, "data": {"a": [value]}})),
        *faults(Thymia("mood").prepare_value({"user": {"userLabel": value}, "data": {"a": 1}})),
        *[fault for field in sample() for fault in faults(GeroSense("steps").prepare_value(sample(**{field: value})))],
    ]

    places = [(fault.rule, fault.path) for fault in found if fault.path != "$.unit"]
    assert places == [
        ("P6", "$.plan"),
        ("P7", "$.user_id"),
        ("T1", "$.data.a[0]"),
        ("T1", "$.user.userLabel"),
        ("G5", "$.device_name"),
        ("G5", "$.device_version"),
        ("G6", "$.start_date"),
        ("G6", "$.end_date"),
        ("G8", "$.value"),
    ]
    assert {fault.reason for fault in found if fault.path != "$.unit"} == {
        f"is NaN, which data frames use for a missing value: {TO_DO}"
    }


def test_what_is_said_to_do_about_nan_helps(sent: Sent) -> None:
    """A frame with missing values of each kind, put right as the reason says, goes out with all of them empty."""
    frame = pd.DataFrame(
        {
            "user_id": ["u1", "u2"],
            "plan": ["free", None],
            "score": [1.5, math.nan],
            "since": [pd.Timestamp("2024-05-01"), pd.NaT],
            "visits": pd.array([3, None], dtype="Int64"),
        }
    )

    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")

    assert sorted(sent(Ptengine().prepare_value(rows[0]))[1:]) == ["1.5", "2024-05-01T00:00:00", "3", "free"]
    assert sent(Ptengine().prepare_value(rows[1])) == ["u2", "", "", "", ""]


@pytest.mark.parametrize(
    ("name", "text"),
    [(A_UUID, str(A_UUID)), (np.int64(5), "5"), (np.uint8(0), "0"), (np.str_("u"), "u"), (Plan.FREE, "free")],
    ids=repr,
)
def test_a_user_is_named_by_text_integer_or_uuid(sent: Sent, name: object, text: str) -> None:
    """Of whatever library's type they are: psycopg 3 gives UUIDs, and frames give NumPy's integers (P7, T6)."""
    for found in (
        Ptengine().prepare_value({"user_id": name}),
        Thymia("mood").prepare_value({"user": {"userLabel": name}, "data": {"a": 1}}),
        Thymia("mood", user_label="who").prepare_value({"who": name, "a": 1}),
    ):
        assert isinstance(found, Record)
        assert found.user == text


@pytest.mark.parametrize(
    "name", [np.float64(5), np.bool_(1), np.datetime64("2024-05-01"), np.timedelta64(5, "s"), 5.0, Decimal(5)]
)
def test_other_values_name_nobody(faults: Faults, name: object) -> None:
    """A number with a fraction, a boolean or a time is no user's name (P7)."""
    assert faults(Ptengine().prepare_value({"user_id": name}))[0].rule == "P7"


@pytest.mark.parametrize("value", WITHOUT_FORM, ids=repr)
def test_what_has_no_form_is_refused_by_its_type(faults: Faults, value: object) -> None:
    """Durations, bytes and complex numbers are never made something else."""
    kind = type(value).__name__
    assert faults(Ptengine().prepare_value({"user_id": "u", "a": value})) == (
        Fault("P6", ("a",), f"is of type {kind}, which can't be written as text"),
    )
    assert faults(Thymia("mood").prepare_value({"user": {"userLabel": "u"}, "data": {"a": value}})) == (
        Fault("T1", ("data", "a"), f"is of type {kind}, which JSON can't represent"),
    )


@pytest.mark.parametrize(
    "start",
    [
        pd.Timestamp("2024-05-01T08:00:00"),
        np.datetime64("2024-05-01T08:00:00"),
        np.datetime64("2024-05-01T08"),
        datetime(2024, 5, 1, 8),
    ],
    ids=repr,
)
def test_a_samples_local_time_is_completed(sent: Sent, sample: Callable[..., dict[str, Any]], start: Any) -> None:
    """A time without an offset has that of the named zone, whatever library's it is; without a zone it is refused."""
    found = GeroSense("steps", ZoneInfo("Asia/Tokyo")).prepare_value(sample(start_date=start, end_date=None))

    assert sent(found)["start_date"] == "2024-05-01T08:00:00+09:00"
    assert GeroSense("steps").prepare_value(sample(start_date=start)) == Invalid(
        (Fault("G7", ("start_date",), "has no offset from UTC"),)
    )


def test_a_samples_nanoseconds_go_out(sent: Sent, sample: Callable[..., dict[str, Any]]) -> None:
    """A frame's times are kept to the last digit (G7)."""
    text = "2024-05-01T08:00:00.123456789+00:00"

    for end in (pd.Timestamp(text), pd.Timestamp(text).tz_convert("UTC")):
        assert sent(GeroSense("steps").prepare_value(sample(end_date=end)))["end_date"] == text
    found = GeroSense("steps", ZoneInfo("UTC")).prepare_value(sample(end_date=np.datetime64(text[:-6])))
    assert sent(found)["end_date"] == text


def test_a_date_is_no_time(faults: Faults, sample: Callable[..., dict[str, Any]]) -> None:
    """NumPy's dates are refused for what they lack (G7)."""
    assert faults(GeroSense("steps").prepare_value(sample(start_date=np.datetime64("2024-05-01")))) == (
        Fault("G7", ("start_date",), "is a date without a time"),
    )


@pytest.mark.parametrize("value", [np.int16(14), np.float32(14.5), np.longdouble(14.5), Decimal("14.5")], ids=repr)
def test_a_samples_value_is_a_number_of_any_library(
    sent: Sent, sample: Callable[..., dict[str, Any]], value: Any
) -> None:
    """NumPy's numbers are numbers (G8), and its booleans are none."""
    assert sent(GeroSense("steps").prepare_value(sample(value=value)))["value"] == float(value)
    refused = GeroSense("steps").prepare_value(sample(value=np.bool_(1)))
    assert refused == GeroSense("steps").prepare_value(sample(value=True))


def test_a_frame_goes_out_as_the_same_rows_of_python_do(vendor: Vendor, sample: Callable[..., dict[str, Any]]) -> None:
    """Rows of NumPy's and pandas' values and rows of Python's have one verdict, and one form on their way."""
    moment = datetime(2024, 5, 1, 8, tzinfo=UTC)
    rows = [
        ({"user_id": 5, "a": True, "b": moment, "c": None}, {"user_id": np.int64(5), "a": np.bool_(1), "c": pd.NaT}),
        (sample(start_date=moment, end_date=None, value=14), sample(end_date=pd.NaT, value=np.int64(14))),
        (
            {"user": {"userLabel": 5}, "data": {"a": [1.5, None, moment]}},
            {"user": {"userLabel": np.int64(5)}, "data": {"a": [np.float64(1.5), pd.NA, pd.Timestamp(moment)]}},
        ),
    ]
    for own, of_libraries in rows:
        for key in ("b", "start_date"):
            if key in own:
                of_libraries[key] = pd.Timestamp(moment)
        of_libraries = {key: of_libraries[key] for key in own}
        assert bodies(vendor.prepare_value(of_libraries)) == bodies(vendor.prepare_value(own))


def bodies(found: Record | Invalid) -> Any:
    """Give what is sent, with UTC written in one way, or the faults."""
    return json.loads(found.body.replace(b"+00:00", b"Z")) if isinstance(found, Record) else found.faults


def test_a_type_that_only_sounds_like_a_librarys_is_left_alone() -> None:
    """A class of the author's own, named as one of pandas, is no missing value."""

    class NaTType:
        pass

    value = NaTType()
    assert plain(value) is value
