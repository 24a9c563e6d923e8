"""Whatever comes as a record ends as a record or a reject: nothing raises, and what is sent keeps the schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.validation.fault import Invalid

IntervalSet = Callable[[Vendor, Record | Invalid], Record | Invalid]


@pytest.mark.parametrize("text", [b"null", b"[]", b'[{"a": 1}]', b'"text"', b"14", b"-1.5", b"true", b"[[[]]]"])
def test_a_record_that_is_not_an_object_is_a_reject(vendor: Vendor, settled: IntervalSet, text: bytes) -> None:
    """A list, a text, a number or null is no record, as JSON and as a Python value."""
    for found in (vendor.prepare_json(text), vendor.prepare_value(json.loads(text))):
        invalid = settled(vendor, found)
        assert isinstance(invalid, Invalid)
        assert [(fault.path, fault.reason) for fault in invalid.faults] == [("$", "is not an object")]


class Unshowable:
    """Breaks whoever wants to show it or compare it."""

    def __repr__(self) -> str:
        """Break."""
        raise RuntimeError("not shown")

    def __eq__(self, other: object) -> bool:
        """Break."""
        raise RuntimeError("not compared")


def nested(levels: int) -> list[Any]:
    """Nest lists, deeper than a call can go."""
    deep: list[Any] = []
    for _ in range(levels):
        deep = [deep]
    return deep


ENDLESS: list[Any] = []
ENDLESS.extend([ENDLESS, ENDLESS])
HOSTILE: dict[str, object] = {
    "deep": nested(100_000),
    "fairly deep": nested(700),
    "endless": ENDLESS,
    "huge": 10**5000,
    "unshowable": Unshowable(),
    "million": "x" * 1_000_000,
    "surrogate": "\ud800",
    "signaling": Decimal("sNaN"),
    "exponent": Decimal("1E+999999999"),
    "bytes": b"\xff" * 10,
    "set": {1, 2},
    "type": int,
    "surrogate key": {"\ud800": 1},
    "odd keys": {1: 1, None: 2, (3,): 3},
    "min date": datetime.min,
    "length": timedelta(1),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "name", ["value", "unit", "device_name", "start_date", "device_version", "user_id", "user", "data", "attribute"]
)
def test_a_hostile_value_is_settled_wherever_it_stands(
    vendor: Vendor, settled: IntervalSet, sample: Any, value: object, name: str
) -> None:
    """Nesting without end, huge numbers, objects that can't be shown: each is settled, in every field, and soon."""
    record = {
        "gerosense": sample(unit="count/s"),
        "ptengine": {"user_id": "u", "attribute": "a"},
        "thymia": {"user": {"userLabel": "u"}, "data": {"a": 1}, "user_id": "u"},
    }[vendor.name]
    settled(vendor, vendor.prepare_value({**record, name: value}))
    settled(vendor, vendor.prepare_value({**record, "data": {"a": {"b": [value]}}}))
    settled(vendor, vendor.prepare_value({**record, "user": {"userLabel": value}}))


ODD_KEYS: dict[str, object] = {
    "number": 1,
    "negative": -1,
    "huge": 10**5000,
    "boolean": True,
    "none": None,
    "fraction": 1.5,
    "nan": float("nan"),
    "bytes": b"a",
    "tuple": ("a", 1),
    "surrogate": "\ud800",
    "empty": "",
    "long": "x" * 100_000,
}


@pytest.mark.parametrize("key", ODD_KEYS.values(), ids=ODD_KEYS)
def test_a_key_that_is_no_usual_text_is_settled(vendor: Vendor, settled: IntervalSet, sample: Any, key: object) -> None:
    """Keys of any kind are settled like any other fault, and only positions in lists look like positions."""
    for record in (sample(), {"user_id": "u"}, {"user": {"userLabel": "u"}, "data": {"a": {key: 1}}}):
        found = settled(vendor, vendor.prepare_value({**record, key: 1}))
        if isinstance(found, Invalid):
            assert not any(isinstance(step, int) for fault in found.faults for step in fault.where)


def test_a_key_given_twice_counts_once(vendor: Vendor, sample: Any) -> None:
    """Of a key that stands twice in a JSON text the last value counts, in every way of reading it."""
    record = {"gerosense": sample(), "ptengine": {"user_id": "u"}}.get(
        vendor.name, {"user": {"userLabel": "u"}, "data": {"a": 1}, "user_id": "u"}
    )
    text = json.dumps(record)
    first = next(iter(record))
    twice = f'{{"{first}": "first",{text[1:]}'.encode()

    assert vendor.prepare_json(twice) == vendor.prepare_json(text.encode())
