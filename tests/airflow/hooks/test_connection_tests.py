"""The button `Test` of a connection's form: what it tries, and what it says."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.sandbox import Sandbox

Connect = Callable[..., VendorHook]
VENDORS = ("thymia", "gerosense", "ptengine")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_connection_that_works(sandbox: Sandbox, hooks: Any, vendor: str) -> None:
    """The test says so, and what it could not try (T12, G13, P12); no data was sent."""
    ok, message = hooks[vendor]().test_connection()
    assert ok
    said = {"thymia": "accepts the key", "gerosense": "is ready", "ptengine": "address answers; the key was not tried"}
    assert said[vendor] in message
    assert sandbox.vendors[vendor].counts.requests == 0


def test_a_wrong_key(sandbox: Sandbox, connect: Connect) -> None:
    """Thymia's test tries it; it is not shown."""
    way = f"connection 'mine', host {sandbox.url.partition('//')[2]}"
    said = f"Thymia answered 401: the key or token is not valid ({way})"
    assert connect("thymia", host=sandbox.url).test_connection() == (False, said)


def test_maintenance(sandbox: Sandbox, hooks: Any) -> None:
    """GeroSense's test says that uploads wait (G13)."""
    sandbox.gerosense.maintenance = True
    ok, message = hooks["gerosense"]().test_connection()
    assert (ok, "maintenance" in message) == (False, True)


def test_ptengines_key_stays_at_home(connect: Connect, key: str, server: Any) -> None:
    """The test of its connection carries none (P12)."""
    assert connect("ptengine", host=server.url).test_connection()[0]
    assert key not in str(server.seen)


@pytest.mark.parametrize("vendor", VENDORS)
def test_connections_that_do_not_work(connect: Connect, hooks: Any, key: str, vendor: str, server: Any) -> None:
    """Nobody there, no such host, settings that can't be: each is said without an exception or the key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    title = hooks[vendor].hook_name
    refused = connect(vendor, host=f"http://127.0.0.1:{port}").test_connection()
    way = f"connection 'mine', host 127.0.0.1:{port}"
    what = "it refused the connection (is the port right, is the service up?)"
    assert refused == (False, f"{title} can't be reached ({way}): {what}")
    for fields in ({"host": "http://vendor.example"}, {"host": "https://vendor.example", "password": ""}):
        ok, message = connect(vendor, **fields).test_connection()
        assert (ok, "connection 'mine'" in message) == (False, True)
    assert not hooks[vendor]("nowhere").test_connection()[0]
    if vendor != "ptengine":
        ok, message = connect(vendor, host=f"{server.url}/base").test_connection()
        assert (ok, "is the host right?" in message) == (False, True)
    assert key not in message
