"""GeroSense's double keeps GeroSense's contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import Sandbox

Send = Callable[..., requests.Response]
Valid = Callable[[str], dict[str, Any]]


def test_samples_are_answered_with_an_empty_200(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """Valid samples get 200 without a body (G10), and have arrived with their data type."""
    answer = send("gerosense", valid("gerosense"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert sandbox.gerosense.arrived() == [{"data_type": "steps", **sample} for sample in valid("gerosense")["data"]]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"device_name": None}, "device_name"),
        ({"device_name": 5}, "device_name"),
        ({"device_name": " "}, "device_name"),
        ({"device_name": ...}, "device_name"),
        ({"device_version": None}, "device_version"),
        ({"device_version": 17}, "device_version"),
        ({"start_date": ...}, "start_date"),
        ({"start_date": 1698811491}, "start_date"),
        ({"end_date": None}, "end_date"),
        ({"unit": ...}, "unit"),
        ({"unit": "steps"}, "unit"),
        ({"unit": ["count"]}, "unit"),
        ({"value": ...}, "value"),
        ({"value": None}, "value"),
        ({"value": True}, "value"),
        ({"value": "14"}, "value"),
        ({"value": 0}, "value"),
        ({"value": -1}, "value"),
        ({"value": 0.0}, "value"),
        ({"value": 30000.1}, "value"),
        ({"value": 301, "unit": "count/min"}, "value"),
        ({"value": 0, "unit": "count/s"}, "value"),
        ({"user": "u"}, "*"),
    ],
)
def test_a_broken_sample_refuses_the_request(
    sandbox: Sandbox, send: Send, valid: Valid, change: dict[str, Any], path: str
) -> None:
    """One broken sample is a 400 that says where (G5, G8), and no sample is accepted (G10)."""
    body = valid("gerosense")
    sample = {**body["data"][2], **change}
    body["data"][2] = {key: value for key, value in sample.items() if value is not ...}

    answer = send("gerosense", body)

    assert answer.status_code == 400
    assert answer.json()["path"] == f"data[2].{path}"
    assert answer.json()["rule"] in answer.json()["message"]
    assert sandbox.gerosense.counts.records == 0


@pytest.mark.parametrize(
    "change",
    [
        {"value": 30000},
        {"value": 0.001},
        {"value": 300, "unit": "count/min"},
        {"value": 10**9, "unit": "count/s"},
        {"device_version": ...},
        {"end_date": ...},
        {"end_date": "2023-11-01T04:04:52.000Z"},
        {"end_date": "2023-11-01T04:04:52.0000001Z"},
    ],
)
def test_a_sample_at_its_limits_is_accepted(send: Send, valid: Valid, change: dict[str, Any]) -> None:
    """Limits are inclusive, optional fields may be missing, an end may equal the start (G5, G6, G8)."""
    body = valid("gerosense")
    sample = {**body["data"][2], **change}
    body["data"][2] = {key: value for key, value in sample.items() if value is not ...}

    assert send("gerosense", body).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-01T08:04:51.000+04:00",
        "2023-11-01T08:04+04:00",
        "2023-11-01T08:04:51Z",
        "2023-11-01T08:04:51.1234567-0430",
        "2024-02-29T23:59:59+04",
    ],
)
def test_the_forms_of_a_timestamp_are_accepted(send: Send, valid: Valid, text: str) -> None:
    """Seconds, their fraction and the form of the offset are free (G7)."""
    body = valid("gerosense")
    body["data"][1] = {"device_name": "d", "start_date": text, "value": 1, "unit": "count"}

    assert send("gerosense", body).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2023-11-01",
        "2023-11-01T08:04:51",
        "2023-11-01 08:04:51Z",
        "20231101T080451Z",
        "2023-W44-3T08:04:51Z",
        "2023-02-29T08:04:51Z",
        "2023-13-01T08:04:51Z",
        "2023-11-01T24:00:00Z",
        "2023-11-01T08:60:00Z",
        "2023-11-01T08:04:60Z",
        "2023-11-01T08:04:51,5Z",
        "2023-11-01T08:04.5Z",
        "2023-11-01T08:04:51+24:00",
        "2023-11-01T08:04:51+04:60",
        "2023-11-01T08:04:51Z\n",
        "٢٠٢٣-11-01T08:04:51Z",
        "0000-11-01T08:04:51Z",
    ],
)
@pytest.mark.parametrize("field", ["start_date", "end_date"])
def test_no_other_timestamp_is_accepted(send: Send, valid: Valid, field: str, text: str) -> None:
    """What is not ISO 8601 with an offset, or in no calendar, is refused (G6, G7)."""
    body = valid("gerosense")
    body["data"][3][field] = text

    answer = send("gerosense", body)

    assert answer.status_code == 400
    assert answer.json()["path"] == f"data[3].{field}"
    assert not text or text not in answer.text


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2023-11-01T08:00:00+04:00", "2023-11-01T05:00:00+01:00", 200),
        ("2023-11-01T08:00:00+04:00", "2023-11-01T07:59:00+01:00", 200),
        ("2023-11-01T08:00:00+01:00", "2023-11-01T08:30:00+04:00", 400),
        ("2023-11-01T08:00:00.0000009Z", "2023-11-01T08:00:00.0000008Z", 400),
        ("2023-11-01T08:00:00.5Z", "2023-11-01T08:00:00.50000000Z", 200),
    ],
)
def test_instants_are_compared_not_text(send: Send, valid: Valid, start: str, end: str, status: int) -> None:
    """An end is earlier than its start only when the instant is (G6)."""
    body = valid("gerosense")
    body["data"][0] |= {"start_date": start, "end_date": end}

    assert send("gerosense", body).status_code == status


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"data_type": ...}, "data_type"),
        ({"data_type": "sleep"}, "data_type"),
        ({"data_type": ["steps"]}, "data_type"),
        ({"data": ...}, "data"),
        ({"data": {}}, "data"),
        ({"data": [1, 2, 3]}, "data[0]"),
        ({"user_id": "u"}, "*"),
    ],
)
def test_a_broken_envelope_is_refused(send: Send, valid: Valid, change: dict[str, Any], path: str) -> None:
    """Data type and data are required, and nothing else is known (G2, G3)."""
    body = {key: value for key, value in {**valid("gerosense"), **change}.items() if value is not ...}

    answer = send("gerosense", body)

    assert answer.status_code == 400
    assert answer.json()["path"] == path


@pytest.mark.parametrize(("count", "status"), [(0, 400), (2, 400), (3, 200), (1000, 200), (1001, 400)])
def test_a_request_has_3_to_1000_samples(send: Send, valid: Valid, count: int, status: int) -> None:
    """Fewer than 3 and more than 1000 are refused (G3)."""
    body = {"data_type": "bpm", "data": valid("gerosense")["data"][:1] * count}

    assert send("gerosense", body).status_code == status


@pytest.mark.parametrize("body", [b'{"data_type": "steps", "data": [NaN]}', b"", b"[]", b"null", b"data_type=steps"])
def test_what_is_no_json_object_is_refused(send: Send, body: bytes) -> None:
    """NaN, an empty body and other values are a 400 (G1)."""
    assert send("gerosense", body).status_code == 400


def test_nan_and_infinity_are_no_values(send: Send, valid: Valid) -> None:
    """Python's own ``json`` writes and reads NaN; the sandbox doesn't (G8)."""
    for value in (float("nan"), float("inf")):
        body = valid("gerosense")
        body["data"][0]["value"] = value
        assert send("gerosense", body).status_code == 400


@pytest.mark.parametrize("key", [None, "sandbox-gerosense-token", "Bearer wrong", "Basic sandbox-gerosense-token"])
def test_only_the_token_opens(send: Send, valid: Valid, key: str | None) -> None:
    """A missing or wrong token is a 401 (G1)."""
    assert send("gerosense", valid("gerosense"), Authorization=key).status_code == 401


def test_only_json_is_taken(send: Send, valid: Valid) -> None:
    """The content type has to be JSON (G1)."""
    assert send("gerosense", valid("gerosense"), Content_Type="text/plain").status_code == 400


def test_in_maintenance_the_status_says_so_and_nothing_is_taken(
    sandbox: Sandbox, send: Send, valid: Valid, session: requests.Session
) -> None:
    """Maintenance is told without a token, and every upload is a 503 (G13)."""
    address = f"{sandbox.url}/api/status"
    assert session.get(address).json() == {"status": "Ok", "minimal_api_version": "v1.0"}

    sandbox.gerosense.maintenance = True

    assert session.get(address).json()["status"] == "Maintenance"
    assert send("gerosense", valid("gerosense")).status_code == 503
    assert sandbox.gerosense.counts.records == 0


def test_a_207_accepts_the_first_half(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """A scripted 207 accepts a part and says nothing about which (G10)."""
    sandbox.gerosense.script("207")

    answer = send("gerosense", valid("gerosense"))

    assert (answer.status_code, answer.content) == (207, b"")
    assert [sample["start_date"][18] for sample in sandbox.gerosense.arrived()] == ["0", "1"]


def test_a_207_still_refuses_what_is_broken(sandbox: Sandbox, send: Send) -> None:
    """A scripted 207 is no way around the rules."""
    sandbox.gerosense.script("207")

    assert send("gerosense", {"data_type": "steps", "data": []}).status_code == 400


def test_its_200_cannot_lack_a_receipt(sandbox: Sandbox) -> None:
    """At GeroSense the status is the receipt, so that fault is refused where it is scripted."""
    with pytest.raises(ValueError, match="receipt"):
        sandbox.gerosense.script("503", "200 without receipt")
    assert sandbox.gerosense.pending == []


def test_a_full_request_takes_a_few_milliseconds(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """1000 samples are read, checked and counted fast enough not to be what a test waits for."""
    body = {"data_type": "steps", "data": valid("gerosense")["data"][:1] * 1000}

    for _ in range(3):
        assert send("gerosense", body).status_code == 200

    took = min(request.ended - request.started for request in sandbox.gerosense.requests if request.ended)
    assert took < 0.1, f"{took * 1000:.0f} ms"
