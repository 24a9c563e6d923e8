"""The connection to GeroSense's direct API: login and password in the place of a token (G14)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.errors import ConnectionSettingsError, VendorDownError
from airflow_provider_userdata.hooks.gerosense import GerosenseHook
from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN

KEY = SANDBOX_KEYS["gerosense"]
Connect = Callable[..., GerosenseHook]


@pytest.fixture
def direct(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Define a connection to the sandbox's direct API, and give its hook: ``direct(password="wrong")``."""

    def define(**fields: Any) -> GerosenseHook:
        extra = {"api": "direct", **fields.pop("extra", {})}
        value = {
            "conn_type": "gerosense",
            "host": sandbox.url,
            "login": LOGIN,
            "password": KEY,
            **fields,
            "extra": extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_MINE", json.dumps(value))
        return GerosenseHook("mine")

    return define


def test_the_address_is_gerosenses_own(direct: Connect) -> None:
    """No customer has another one; a host that is given counts."""
    assert direct(host=None).get_url("/x") == "https://api-b2b.gerosense.ai/x"
    assert direct(host="https://gero.example.com").endpoint().url == "https://gero.example.com"


def test_an_endpoint_has_the_login_and_no_header(direct: Connect) -> None:
    """The delivery asks for the token; neither name nor password shows in the endpoint."""
    endpoint = direct().endpoint()
    assert (endpoint.login, dict(endpoint.headers)) == ((LOGIN, KEY), {})
    assert KEY not in repr(endpoint)
    assert LOGIN not in repr(endpoint)
    assert endpoint.account == LOGIN


def test_a_session_is_logged_in(direct: Connect, sandbox: Sandbox) -> None:
    """Whoever uses the hook by hand needs not know how."""
    hook = direct()
    with hook.get_conn() as session:
        body = {"id": "u", "biological_sex": "Male", "year_of_birth": 1990}
        assert session.post(hook.get_url("/api/v2.2/user"), json=body).status_code == 200
    assert sandbox.gerosense.registrations.users["u"] == body


def test_the_connection_test_logs_in(direct: Connect, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """And sends nothing else; a login has an effect here, so nothing is said of it."""
    assert direct().test_connection() == (True, "GeroSense accepts the login")
    works, said = direct(password="geheim").test_connection()
    assert not works
    assert said == "this connection: GeroSense answered 401 to the login: login or password is not valid"
    assert sandbox.gerosense.counts.requests == 0
    assert "geheim" not in caplog.text


@pytest.mark.parametrize("missing", [{"login": ""}, {"login": None}, {"password": " "}, {"password": None}])
def test_a_login_and_a_password_are_needed(direct: Connect, missing: dict[str, Any]) -> None:
    """The message says where they come from."""
    with pytest.raises(ConnectionSettingsError, match="the login and the password that GeroSense gave you"):
        direct(**missing).endpoint()


def test_a_login_that_is_not_answered_may_work_later(direct: Connect, sandbox: Sandbox) -> None:
    """An Airflow task that logs in by hand is tried again."""
    sandbox.gerosense.maintenance = True
    with pytest.raises(VendorDownError, match="503"):
        direct().get_conn()


def test_a_path_of_the_api_is_no_host(direct: Connect) -> None:
    """It is added for each request."""
    with pytest.raises(ConnectionSettingsError, match=r"remove '/api/v2\.2/samples'"):
        direct(host="https://gero.example.com/api/v2.2/samples").endpoint()


def test_where_each_user_has_a_token_the_connection_needs_none(direct: Connect, sandbox: Sandbox) -> None:
    """Not even one that is empty is sent."""
    direct(extra={"api": "proxy"}, password=None, login=None)
    assert dict(GerosenseHook("mine", user_tokens=True).endpoint().headers) == {}
    with pytest.raises(ConnectionSettingsError, match="has no password"):
        GerosenseHook("mine").endpoint()
