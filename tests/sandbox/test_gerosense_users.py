"""GeroSense's double for many users: the direct API, and the proxy with a token a user (G14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN

KEY = SANDBOX_KEYS["gerosense"]
LOG_IN = "/api/v1.0/login/access-token"
USER = "/api/v2.2/user"
SAMPLES = "/api/v2.2/samples"
CALCULATE = "/api/v2.2/bioage/calculate"
ALICE = {"id": "alice", "biological_sex": "Female", "year_of_birth": 1990}

Send = Callable[..., requests.Response]
Valid = Callable[[str], dict[str, Any]]


@pytest.fixture
def log_in(sandbox: Sandbox, session: requests.Session) -> Callable[..., requests.Response]:
    """Log in: ``log_in(password="wrong")``."""

    def post(**fields: str) -> requests.Response:
        form = {"username": LOGIN, "password": KEY, **fields}
        return session.post(sandbox.url + LOG_IN, data=form, timeout=5)

    return post


@pytest.fixture
def direct(log_in: Callable[..., requests.Response], send: Send) -> Send:
    """Post a value with a token of the direct API: ``direct(USER, ALICE)``."""
    token = log_in().json()["access_token"]
    return lambda path, value: send("gerosense", value, path=path, Authorization=f"Bearer {token}")


def test_a_login_gives_a_token(log_in: Callable[..., requests.Response], sandbox: Sandbox) -> None:
    """To the account alone; another field is none of the contract's."""
    assert log_in().json() == {"access_token": f"{KEY}-1", "token_type": "Bearer"}
    assert log_in(password="wrong").status_code == log_in(username="wrong").status_code == 401
    assert log_in(more="x").status_code == 422
    assert (sandbox.gerosense.tokens.issued, sandbox.gerosense.counts.requests) == (1, 0)


def test_a_token_expires(direct: Send, log_in: Callable[..., requests.Response], sandbox: Sandbox, send: Send) -> None:
    """On demand, or after a number of POSTs; 403 says so, and 401 that it never was one."""
    assert direct(USER, ALICE).status_code == 200
    sandbox.gerosense.tokens.expire()
    assert direct(USER, ALICE).status_code == 403
    assert send("gerosense", ALICE, path=USER, Authorization="Bearer x").status_code == 401
    sandbox.gerosense.tokens.lasts = 2
    token = f"Bearer {log_in().json()['access_token']}"
    answers = [send("gerosense", {**ALICE, "id": str(n)}, path=USER, Authorization=token) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 403]


def test_a_user_is_registered_once(direct: Send, sandbox: Sandbox) -> None:
    """The second time is a 400, as the vendor documents it."""
    assert [direct(USER, ALICE).status_code for _ in range(2)] == [200, 400]
    assert sandbox.gerosense.registrations.users == {"alice": ALICE}


@pytest.mark.parametrize(
    "change",
    [
        {"id": " "},
        {"id": 5},
        {"biological_sex": "female"},
        {"year_of_birth": "1990"},
        {"year_of_birth": True},
        {"x": 1},
    ],
)
def test_a_registration_that_is_not_the_contracts(direct: Send, sandbox: Sandbox, change: dict[str, Any]) -> None:
    """422, and nobody is registered."""
    assert direct(USER, {**ALICE, **change}).status_code == 422
    assert sandbox.gerosense.registrations.users == {}


def test_samples_have_their_user(direct: Send, sandbox: Sandbox, valid: Valid) -> None:
    """And without one they are refused; so are those of a user who isn't registered, if the double is told so."""
    body = valid("gerosense")
    assert direct(SAMPLES, {"user_id": "alice", **body}).status_code == 200
    assert sandbox.gerosense.arrived()[0] == {"user_id": "alice", "data_type": "steps", **body["data"][0]}
    for wrong in ({}, {"user_id": ""}, {"user_id": 5}):
        assert direct(SAMPLES, {**wrong, **body}).status_code == 400
    sandbox.gerosense.registered_only = True
    assert direct(SAMPLES, {"user_id": "alice", **body}).status_code == 400
    direct(USER, ALICE)
    assert direct(SAMPLES, {"user_id": "alice", **body}).status_code == 200


def test_the_two_apis_have_their_own_tokens(direct: Send, sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """The proxy's is none of the direct API's, and its body has no user."""
    body = valid("gerosense")
    assert send("gerosense", {"user_id": "alice", **body}, path=SAMPLES).status_code == 403
    assert send("gerosense", {"user_id": "alice", **body}).status_code == 400
    assert direct("/api/v1.1/samples", body).status_code == 401


def test_the_proxy_knows_users_by_their_tokens(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """As many as are set; any other is refused."""
    sandbox.gerosense.user_tokens = {"of-bob": "bob"}
    body = valid("gerosense")
    assert send("gerosense", body, Authorization="Bearer of-bob").status_code == 200
    assert {sample["user_id"] for sample in sandbox.gerosense.arrived()} == {"bob"}
    assert send("gerosense", body, Authorization="Bearer of-eve").status_code == 401


def test_computations_are_asked_for(direct: Send, sandbox: Sandbox, send: Send) -> None:
    """For a user whom the body names, or the proxy's token; they count as no upload."""
    sandbox.gerosense.user_tokens = {"of-bob": "bob"}
    assert direct(CALCULATE, {"user_id": "alice", "model_type": "bpm"}).status_code == 200
    answer = send("gerosense", {}, path="/api/v1.1/bioage/calculate", Authorization="Bearer of-bob")
    assert answer.status_code == 200
    assert sandbox.gerosense.calculated == [{"user_id": "alice", "model_type": "bpm"}, {"user_id": "bob"}]
    for wrong in ({}, {"user_id": "alice", "model_type": "sleep"}, {"user_id": "alice", "x": 1}):
        assert direct(CALCULATE, wrong).status_code == 400
    assert sandbox.gerosense.counts.requests == 0


def test_a_reset_forgets_users_and_tokens(direct: Send, sandbox: Sandbox) -> None:
    """As all else."""
    direct(USER, ALICE)
    sandbox.reset()
    assert sandbox.gerosense.registrations.users == {}
    assert direct(USER, ALICE).status_code == 403
