"""Thymia's double keeps Thymia's contract."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import Sandbox

Send = Callable[..., requests.Response]
Valid = Callable[[str], dict[str, Any]]


def test_an_upload_is_answered_with_its_id(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """A valid upload gets 200 and a UUID (T9), and has arrived as it was sent."""
    answer = send("thymia", valid("thymia"))

    assert answer.status_code == 200
    assert list(answer.json()) == ["uploadId"]
    assert str(uuid.UUID(answer.json()["uploadId"])) == answer.json()["uploadId"]
    assert sandbox.thymia.arrived() == [valid("thymia")]


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ([], ["body"]),
        ({"data": {}}, ["body", "user"]),
        ({"user": {"userLabel": "u"}}, ["body", "data"]),
        ({"user": "u", "data": {}}, ["body", "user"]),
        ({"user": {}, "data": {}}, ["body", "user", "userLabel"]),
        ({"user": {"userLabel": 5}, "data": {}}, ["body", "user", "userLabel"]),
        ({"user": {"userLabel": None}, "data": {}}, ["body", "user", "userLabel"]),
        ({"user": {"userLabel": " "}, "data": {}}, ["body", "user", "userLabel"]),
        ({"user": {"userLabel": "u"}, "data": None}, ["body", "data"]),
        ({"user": {"userLabel": "u"}, "data": [1]}, ["body", "data"]),
        ({"user": {"userLabel": "u"}, "data": {}, "more": 1}, ["body", "*"]),
        ({"user": {"userLabel": "u", "name": "n"}, "data": {}}, ["body", "user", "*"]),
        (b'{"user": {"userLabel": "u"}, "data": {"a": NaN}}', ["body"]),
        (b'{"user": {"userLabel": "u"}, "data": {"a": 1e999}}', ["body"]),
        (b'{"user": {"userLabel": "u"}, "data": {"a": 1, "a": 2}}', ["body"]),
        (b'{"user": {"userLabel": "\\ud800"}, "data": {}}', ["body"]),
        ('{"user": {"userLabel": "é"}, "data": {}}'.encode("latin-1"), ["body"]),
        (b'{"user": {"userLabel": "u"}', ["body"]),
        (b"[" * 100_000, ["body"]),
        (b"", ["body"]),
    ],
)
def test_a_broken_body_is_refused_with_its_place(sandbox: Sandbox, send: Send, body: object, loc: list[str]) -> None:
    """Whatever breaks the page's schema is a 422 that says where (T10), and nothing arrives."""
    answer = send("thymia", body)

    assert answer.status_code == 422
    (detail,) = answer.json()["detail"]
    assert detail.keys() == {"loc", "msg", "type"}
    assert detail["loc"] == loc
    assert sandbox.thymia.arrived() == []


def test_a_refusal_repeats_nothing_of_the_record(send: Send) -> None:
    """A 422 names rule and place, but neither the values nor the keys that somebody made up."""
    answer = send("thymia", {"user": {"userLabel": "u"}, "data": ["secret value"], "secret key": 1})

    assert answer.status_code == 422
    assert "secret" not in answer.text
    assert "T5" in answer.text


@pytest.mark.parametrize("key", [None, "", "wrong", "Bearer sandbox-thymia-key"])
def test_only_the_key_opens(sandbox: Sandbox, send: Send, valid: Valid, key: str | None) -> None:
    """A missing or wrong key is a 401 (T2), and nothing arrives."""
    assert send("thymia", valid("thymia"), x_api_key=key).status_code == 401
    assert sandbox.thymia.counts.records == 0


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(send: Send, valid: Valid, kind: str | None) -> None:
    """Another content type is refused (T1)."""
    assert send("thymia", valid("thymia"), Content_Type=kind).status_code == 422


def test_json_may_name_its_charset(send: Send, valid: Valid) -> None:
    """``application/json; charset=utf-8`` is JSON (T1)."""
    assert send("thymia", valid("thymia"), Content_Type="application/json; charset=utf-8").status_code == 200


def test_a_compressed_body_is_refused(send: Send, valid: Valid) -> None:
    """The page knows no content encoding."""
    assert send("thymia", valid("thymia"), Content_Encoding="x-odd").status_code == 422


@pytest.mark.parametrize("kind", ["mood", "a%2Fb", "sleep%20log", "%C3%A9t%C3%A9"])
def test_an_upload_type_is_one_segment_of_the_path(send: Send, valid: Valid, kind: str) -> None:
    """Any type is taken, percent-encoded (T4)."""
    assert send("thymia", valid("thymia"), path=f"/v1/user-data/{kind}").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("", 404), ("/%20", 422), ("/a/b", 404)])
def test_a_path_without_an_upload_type_is_refused(send: Send, valid: Valid, path: str, status: int) -> None:
    """No type, a blank one, or two segments lead nowhere (T4)."""
    assert send("thymia", valid("thymia"), path="/v1/user-data" + path).status_code == status


def test_the_same_data_under_two_upload_types_is_two_records(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """What is told apart by its upload type counts as distinct."""
    for kind in ("mood", "sleep", "sleep"):
        send("thymia", valid("thymia"), path=f"/v1/user-data/{kind}")

    assert (sandbox.thymia.counts.records, sandbox.thymia.counts.distinct, sandbox.thymia.counts.repeated) == (3, 2, 1)


def test_the_account_answers_to_the_key(sandbox: Sandbox, session: requests.Session) -> None:
    """``GET /v1/account`` gives id and features with the key, 401 without (T12), and counts as no upload."""
    address = f"{sandbox.url}/v1/account"

    assert session.get(address).status_code == 401
    assert session.get(address, headers={"x-api-key": sandbox.thymia.key}).json().keys() == {"id", "features"}
    assert sandbox.thymia.counts.requests == 0
