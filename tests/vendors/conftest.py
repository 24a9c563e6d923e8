"""What the vendors' tests share: records that are valid, and a short way to see what became of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.schemas import schemas
from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.pii.guard import Guard
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.rules import UNREADABLE
from airflow_provider_userdata.vendors.thymia import Thymia
from airflow_provider_userdata.vendors.validation.fault import Fault, Invalid
from tests.vendors.contract_validator import contract_validator


@pytest.fixture(scope="session")
def gerosense() -> GeroSense:
    """Give the contract for steps, without a time zone."""
    return GeroSense("steps")


@pytest.fixture(scope="session")
def sample() -> Callable[..., dict[str, Any]]:
    """Make a valid sample, with some fields changed: ``sample(value=15)``."""

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "device_name": "iPhone",
            "device_version": "17.0.3",
            "start_date": "2023-11-01T08:04:51.000+04:00",
            "end_date": "2023-11-01T08:04:58.000+04:00",
            "value": 14,
            "unit": "count",
            **changes,
        }

    return make


@pytest.fixture(scope="session")
def sent() -> Callable[[Record | Invalid], Any]:
    """Decode the body of what must be a valid record."""

    def decode(found: Record | Invalid) -> Any:
        assert isinstance(found, Record), found
        return json.loads(found.body)

    return decode


@pytest.fixture(scope="session")
def faults() -> Callable[[Record | Invalid], tuple[Fault, ...]]:
    """Give the faults of what must be an invalid record: at least one, at most twenty."""

    def give(found: Record | Invalid) -> tuple[Fault, ...]:
        assert isinstance(found, Invalid), found
        assert 1 <= len(found.faults) <= 20
        return found.faults

    return give


@pytest.fixture(scope="session")
def breaks(faults: Callable[[Record | Invalid], tuple[Fault, ...]]) -> Callable[[Record | Invalid], list[str]]:
    """Name the rule and place of each fault of what must be an invalid record: `G8 $.value`."""

    def name(found: Record | Invalid) -> list[str]:
        return [f"{fault.rule} {fault.path}" for fault in faults(found)]

    return name


@pytest.fixture(scope="session")
def answer() -> Callable[..., Answer]:
    """Make an answer: ``answer(429, retry_after="5")``."""

    def make(status: int, body: bytes = b"", *, complete: bool = True, **headers: str) -> Answer:
        return Answer(status, {name.replace("_", "-"): text for name, text in headers.items()}, body, complete)

    return make


VENDORS: dict[str, Vendor] = {
    "gerosense": GeroSense("steps"),
    "gerosense in Tokyo": GeroSense("bpm", ZoneInfo("Asia/Tokyo")),
    "ptengine": Ptengine(),
    "thymia": Thymia("mood", guard=Guard()),
    "thymia, flat": Thymia("mood", user_label="user_id"),
}
RECORDS = {"gerosense": "gerosense.sample.json", "ptengine": "ptengine.profile.json", "thymia": "thymia.request.json"}


@pytest.fixture(scope="session", params=VENDORS.values(), ids=list(VENDORS))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    """Give each vendor in turn, in each of the ways that it takes records."""
    given: Vendor = request.param
    return given


@pytest.fixture(scope="session")
def settled() -> Callable[[Vendor, Record | Invalid], Record | Invalid]:
    """Hold what became of a record to what every vendor promises: sent as the schema says, or refused with a reason."""
    validators = {name: contract_validator(schemas()[file]) for name, file in RECORDS.items()}

    def check(vendor: Vendor, found: Record | Invalid) -> Record | Invalid:
        if isinstance(found, Invalid):
            assert 1 <= len(found.faults) <= 20
            for fault in found.faults:
                assert fault.rule == UNREADABLE or fault.rule[0] == vendor.suspect_rule[0]
                assert fault.path.startswith("$")
                assert fault.public_path(vendor.known_fields).startswith("$")
                assert fault.reason
            return found
        assert isinstance(found, Record)
        body = json.loads(found.body.decode(), parse_constant=pytest.fail)
        record: Any = dict(zip(found.group, body, strict=True)) if found.group else body
        assert list(validators[vendor.name].iter_errors(record)) == []
        vendor.request([found])
        return found

    return check
