"""The sandbox can be looked at and scripted over HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import Sandbox, VendorRateLimit

Send = Callable[..., requests.Response]
Valid = Callable[[str], dict[str, Any]]


@pytest.fixture
def control(sandbox: Sandbox, session: requests.Session) -> Callable[..., requests.Response]:
    """Ask a control address: ``control("PUT", "/faults/thymia", ["503"])``."""

    def ask(method: str, path: str = "", value: Any = None) -> requests.Response:
        return session.request(method, f"{sandbox.url}/sandbox{path}", json=value, timeout=5)

    return ask


def test_what_arrived_can_be_read_as_json(send: Send, valid: Valid, control: Send) -> None:
    """One vendor's arrivals, or all three's, with counts, requests and records."""
    send("ptengine", valid("ptengine"))

    one = control("GET", "/arrived/ptengine.json").json()

    assert one["records"] == [{"user_id": "u1", "plan": "free"}, {"user_id": "u2", "plan": ""}]
    assert one["counts"]["by_status"] == {"200": 1}
    assert one["requests"][0]["status"] == 200
    everything = control("GET", "/arrived.json").json()
    assert everything.keys() == {"thymia", "gerosense", "ptengine"}
    assert everything["ptengine"] == one


def test_a_script_can_be_put_and_deleted(sandbox: Sandbox, send: Send, valid: Valid, control: Send) -> None:
    """PUT replaces the script, DELETE clears it and the random faults."""
    sandbox.thymia.script("400")
    sandbox.thymia.random_faults(seed=1, chances={"500": 1.0})

    assert control("PUT", "/faults/thymia", ["503 x2", "cut"]).json()["pending"] == ["503 x2", "cut"]
    assert send("thymia", valid("thymia")).status_code == 503
    assert sandbox.thymia.pending == ["503", "cut"]

    assert control("DELETE", "/faults/thymia").json()["pending"] == []
    assert send("thymia", valid("thymia")).status_code == 200


@pytest.mark.parametrize("script", [["503", "odd"], "503", [503], {"503": 1}, None])
def test_a_script_that_is_not_understood_changes_nothing(sandbox: Sandbox, control: Send, script: object) -> None:
    """It is a 400 that says why, and the old script stays."""
    sandbox.thymia.script("400")

    answer = control("PUT", "/faults/thymia", script)

    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert sandbox.thymia.pending == ["400"]


def test_settings_can_be_put(sandbox: Sandbox, control: Send) -> None:
    """Latency, maintenance, rate limit and random faults, any of them."""
    settings = {
        "latency": 0.25,
        "maintenance": True,
        "rate_limit": {"per_second": 5, "retry_after": 2},
        "random": {"seed": 7, "chances": {"503": 0.5}},
    }

    answer = control("PUT", "/settings/gerosense", settings).json()

    assert (sandbox.gerosense.latency, sandbox.gerosense.maintenance) == (0.25, True)
    assert sandbox.gerosense.rate_limit == VendorRateLimit(5, retry_after=2)
    assert sandbox.gerosense.chances == answer["random"] == {"503": 0.5}
    control("PUT", "/settings/gerosense", {"rate_limit": None, "maintenance": False})
    assert sandbox.gerosense.rate_limit is None
    assert sandbox.gerosense.latency == 0.25


@pytest.mark.parametrize(
    ("vendor", "settings"),
    [
        ("gerosense", {"latency": -1}),
        ("gerosense", {"latency": None}),
        ("gerosense", {"maintenance": 1}),
        ("gerosense", {"rate_limit": 0}),
        ("gerosense", {"rate_limit": "many"}),
        ("gerosense", {"rate_limit": {"per_minute": 1}}),
        ("gerosense", {"random": {"seed": 7}}),
        ("gerosense", {"random": {"seed": 7, "chances": {"503": 2}}}),
        ("gerosense", {"random": {"seed": 7, "chances": {"200 without receipt": 0.5}}}),
        ("gerosense", {"colour": "red"}),
        ("gerosense", [1]),
        ("ptengine", {"maintenance": True}),
    ],
)
def test_settings_that_are_wrong_change_nothing(
    sandbox: Sandbox, control: Send, vendor: str, settings: dict[str, Any]
) -> None:
    """One wrong setting is a 400, and the others beside it are not applied."""
    together = {"latency": 0.5, **settings} if isinstance(settings, dict) else settings

    assert control("PUT", f"/settings/{vendor}", together).status_code == 400
    assert sandbox.vendors[vendor].latency == 0


def test_reset_can_be_posted(sandbox: Sandbox, send: Send, valid: Valid, control: Send) -> None:
    """POST /sandbox/reset forgets what arrived."""
    send("thymia", valid("thymia"))

    assert control("POST", "/reset").status_code == 200
    assert sandbox.thymia.counts.requests == 0


@pytest.mark.parametrize("path", ["/arrived/nobody.json", "/nothing"])
def test_an_unknown_address_is_404(control: Send, path: str) -> None:
    """As JSON."""
    answer = control("GET", path)

    assert answer.status_code == 404
    assert answer.json()


def test_the_page_shows_what_arrived(sandbox: Sandbox, send: Send, valid: Valid, control: Send) -> None:
    """Counts, requests, records, what comes next, and the settings."""
    send("thymia", valid("thymia"))
    sandbox.thymia.script("429 retry-after=2 x3", *["503"] * 30)
    sandbox.gerosense.maintenance = True
    sandbox.ptengine.random_faults(seed=1, chances={"cut": 0.25})
    sandbox.ptengine.rate_limit = 5

    answer = control("GET")

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for text in (
        "user-12345",
        "429 retry-after=2 x3",
        "and 11 more",
        "maintenance",
        "cut: 25%",
        "5 requests/s",
        "None yet.",
    ):
        assert text in answer.text, text
    assert "http://" not in answer.text
    assert "https://" not in answer.text


def test_the_page_escapes_what_was_sent(sandbox: Sandbox, send: Send, control: Send) -> None:
    """Whatever a record, a path or a script holds is text, and the browser is told to load nothing."""
    evil = "<script>alert(1)</script><!-- what arrived -->"
    send("thymia", {"user": {"userLabel": evil}, "data": {evil: evil}}, path="/v1/user-data/%22%3E%3Cb%3E")
    sandbox.thymia.script(f"500 body='{evil}'")

    answer = control("GET")

    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_escapes_paths(sandbox: Sandbox, control: Send) -> None:
    """A path that no well-behaved client would send is text, too."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)
    connection.request("POST", '/v1/user-data/"><b>')
    connection.getresponse()
    connection.close()

    assert len(sandbox.thymia.requests) == 1
    assert '"><b>' not in control("GET").text


def test_no_key_is_shown(sandbox: Sandbox, send: Send, valid: Valid, control: Send) -> None:
    """Neither page nor JSON repeats the keys that requests came with."""
    for name, vendor in sandbox.vendors.items():
        send(name, valid(name))
        for path in ("", "/arrived.json"):
            assert vendor.key not in control("GET", path).text
