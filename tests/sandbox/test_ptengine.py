"""Ptengine's double keeps Ptengine's contract."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import Sandbox

Send = Callable[..., requests.Response]
Valid = Callable[[str], dict[str, Any]]


def test_users_are_answered_with_success(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """Valid users get 200, Success and a time (P9), and have arrived as field and value."""
    answer = send("ptengine", valid("ptengine"))

    assert answer.status_code == 200
    assert answer.json().keys() == {"msg", "timestamp"}
    assert answer.json()["msg"] == "Success"
    assert abs(answer.json()["timestamp"] - time.time()) < 5
    assert sandbox.ptengine.arrived() == [{"user_id": "u1", "plan": "free"}, {"user_id": "u2", "plan": ""}]


@pytest.mark.parametrize(
    ("change", "rule", "place"),
    [
        ({"field_name": ...}, "P2", "field_name"),
        ({"field_name": "user_id"}, "P2", "field_name"),
        ({"field_name": ["id", "plan"]}, "P3", "field_name"),
        ({"field_name": []}, "P3", "field_name"),
        ({"field_name": ["user_id", 5]}, "P2", "field_name[1]"),
        ({"field_name": ["user_id", ""]}, "P2", "field_name[1]"),
        ({"field_name": ["user_id", "a" * 51]}, "P3", "field_name[1]"),
        ({"field_name": ["user_id", "user_id"]}, "P2", "field_name"),
        ({"field_name": ["user_id", *(f"f{n}" for n in range(50))]}, "P3", "field_name"),
        ({"values": ...}, "P2", "values"),
        ({"values": {}}, "P4", "values"),
        ({"values": []}, "P4", "values"),
        ({"values": [[f"u{n}", ""] for n in range(101)]}, "P4", "values"),
        ({"values": [{"user_id": "u", "plan": ""}]}, "P2", "values[0]"),
        ({"values": [["u1", ""], ["u2"]]}, "P2", "values[1]"),
        ({"values": [["u1", "", ""]]}, "P2", "values[0]"),
        ({"values": [["u1", None]]}, "P4", "values[0][1]"),
        ({"values": [["u1", 5]]}, "P4", "values[0][1]"),
        ({"values": [["u1", True]]}, "P4", "values[0][1]"),
        ({"values": [["u1", ["x"]]]}, "P4", "values[0][1]"),
        ({"values": [["u1", "x" * 129]]}, "P4", "values[0][1]"),
        ({"values": [["u" * 129, ""]]}, "P4", "values[0][0]"),
        ({"values": [[7, ""]]}, "P4", "values[0][0]"),
        ({"values": [["", ""]]}, "P7", "values[0][0]"),
        ({"values": [[" \t", ""]]}, "P7", "values[0][0]"),
        ({"values": [["u1", "a"], ["u2", ""], ["u1", "b"]]}, "P8", "values[2][0]"),
        ({"project": "p"}, "P2", "*"),
    ],
)
def test_a_broken_request_is_refused(
    sandbox: Sandbox, send: Send, valid: Valid, change: dict[str, Any], rule: str, place: str
) -> None:
    """Whatever breaks the page's rules is a 400 with a reason (P10), and no user is accepted."""
    body = {key: value for key, value in {**valid("ptengine"), **change}.items() if value is not ...}

    answer = send("ptengine", body)

    assert answer.status_code == 400
    assert answer.json().keys() == {"msg", "timestamp"}
    assert isinstance(answer.json()["timestamp"], int)
    assert answer.json()["msg"].startswith(f"{place}: ")
    assert f"({rule})" in answer.json()["msg"]
    assert sandbox.ptengine.counts.records == 0


def test_a_request_at_its_limits_is_accepted(sandbox: Sandbox, send: Send) -> None:
    """100 users, 50 fields, names of 50 and values of 128 characters, not bytes (P3, P4)."""
    names = ["user_id", "é" * 50, *(f"f{number}" for number in range(48))]
    rows = [[f"{number:0128}", *["日" * 128] * 49] for number in range(100)]

    assert send("ptengine", {"field_name": names, "values": rows}).status_code == 200
    assert sandbox.ptengine.counts.distinct == 100


def test_user_id_may_stand_anywhere(sandbox: Sandbox, send: Send) -> None:
    """The order of the fields is the sender's (P2)."""
    body = {"field_name": ["plan", "user_id"], "values": [["free", "u1"], ["free", "u2"]]}

    assert send("ptengine", body).status_code == 200
    assert [user["user_id"] for user in sandbox.ptengine.arrived()] == ["u1", "u2"]


def test_user_ids_are_compared_as_they_are(send: Send) -> None:
    """Case and surrounding blanks tell users apart: nothing is folded (P8)."""
    body = {"field_name": ["user_id"], "values": [["u1"], ["U1"], [" u1"]]}

    assert send("ptengine", body).status_code == 200


@pytest.mark.parametrize("key", [None, "sandbox-ptengine-key", "Bearer ", "Bearer wrong"])
def test_only_the_key_opens(send: Send, valid: Valid, key: str | None) -> None:
    """A missing or wrong key is a 401 with a reason (P1, P10)."""
    answer = send("ptengine", valid("ptengine"), Authorization=key)

    assert answer.status_code == 401
    assert answer.json().keys() == {"msg", "timestamp"}


def test_only_json_is_taken(send: Send, valid: Valid) -> None:
    """The content type has to be JSON (P1)."""
    assert send("ptengine", valid("ptengine"), Content_Type="text/plain").status_code == 400


@pytest.mark.parametrize("body", [b"", b"null", b"{", b'{"field_name": ["user_id"], "values": [[NaN]]}'])
def test_what_is_no_json_object_is_refused(send: Send, body: bytes) -> None:
    """An empty body, other values and NaN are a 400 (P1)."""
    assert send("ptengine", body).status_code == 400
