"""The button *Test* of a connection's form, against the sandbox: what it sends, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.sandbox import Sandbox

Connect = Callable[..., VendorHook]
VENDORS = {
    "thymia": "Thymia accepts the API activation key",
    "gerosense": "GeroSense accepts the bearer token",
    "ptengine": "Ptengine accepts the API key",
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_connection_that_works(sandbox: Sandbox, hooks: Any, vendor: str) -> None:
    """The test says that the key is good (T12, G13, P12); no data was sent, and nothing counts as an upload."""
    assert hooks[vendor]().test_connection() == (True, VENDORS[vendor])
    assert sandbox.vendors[vendor].counts.requests == 0
    assert sandbox.vendors[vendor].arrived() == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_wrong_key(sandbox: Sandbox, connect: Connect, vendor: str) -> None:
    """The test tries it, and says that it is wrong, without the key."""
    way = f"this connection, host {sandbox.url.partition('//')[2]}"
    title = VENDORS[vendor].split()[0]
    said = f"{title} answered 401: the key or token is not valid ({way})"
    assert connect(vendor, host=sandbox.url).test_connection() == (False, said)


def test_a_proxy_without_a_password(sandbox: Sandbox, connect: Connect, vendor_server: Any, refusing_port: int) -> None:
    """Where tasks have a token for each user, that is right: the address is tried, and red says what may be lacking."""
    lacking = (
        "this connection has no password: it is the vendor's bearer token, which a task needs unless it has `token`"
    )
    for url, said in (
        (sandbox.url, "only the address was tried: GeroSense takes requests there"),
        (vendor_server.url, "GeroSense takes requests there"),
        (f"http://127.0.0.1:{refusing_port}", "it refused the connection"),
    ):
        ok, message = connect("gerosense", host=url, password="").test_connection()
        assert not ok
        assert message.startswith(lacking)
        assert said in message
    assert vendor_server.tried == []


def test_maintenance(sandbox: Sandbox, connect: Connect, vendor_server: Any) -> None:
    """GeroSense's test says that uploads wait, and sends nothing more than its question (G13)."""
    sandbox.gerosense.maintenance = True
    vendor_server.status = b'{"status": "Maintenance", "minimal_api_version": "v1.0"}'
    for url in (sandbox.url, vendor_server.url):
        ok, message = connect("gerosense", host=url).test_connection()
        assert not ok
        assert "is in maintenance: uploads wait until it is over. The bearer token was not tried" in message
    assert [request[:2] for request in vendor_server.seen] == [("GET", "/api/status")]


@pytest.mark.parametrize("status", [b"{}", b"[]", b"", b"null", b'{"status": "Closed"}', b"<html>"])
def test_a_status_that_says_nothing(connect: Connect, vendor_server: Any, status: bytes) -> None:
    """Where GeroSense's status isn't one, nothing else is sent."""
    vendor_server.status = status
    ok, message = connect("gerosense", host=vendor_server.url).test_connection()
    assert (ok, vendor_server.tried) == (False, [])
    assert "answered 200, but without a status that is known; is the connection's host right?" in message
    assert ("a page of HTML" in message) is (status == b"<html>")


@pytest.mark.parametrize("vendor", VENDORS)
def test_connections_that_can_not_work(connect: Connect, hooks: Any, key: str, vendor: str) -> None:
    """Settings that can't be are said without an exception, a request or the key."""
    for fields in ({"host": "http://vendor.example"}, {"host": "https://vendor example", "password": ""}):
        ok, message = connect(vendor, **fields).test_connection()
        assert (ok, message.startswith("this connection")) == (False, True)
        assert key not in message
    assert not hooks[vendor]("nowhere").test_connection()[0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"extra": {"timeout": 0}}, "'timeout' in its extra must be a number of seconds above 0"),
        ({"extra": {"timeout": "soon"}}, "'timeout' in its extra must be a number of seconds above 0"),
        ({"extra": {"verify": 1}}, "'verify' in its extra must be true, false or a path"),
        ({"extra": {"verify": "no"}}, "'verify' in its extra names a file that can't be read"),
        ({"extra": {"proxy": 8080}}, "'proxy' in its extra must be an address such as http://host:port"),
        ({"extra": {"client_cert": True}}, "'client_cert' in its extra must be the path of a file"),
        ({"schema": "https://"}, "the scheme must be the word https or http, and nothing else"),
        ({"schema": "public"}, "the scheme must be the word https or http, and nothing else"),
        ({"port": 70000}, "the port must be from 1 to 65535"),
    ],
)
@pytest.mark.parametrize("vendor", VENDORS)
def test_values_of_the_wrong_kind(connect: Connect, vendor: str, fields: dict[str, Any], said: str) -> None:
    """Each is named, with what it should be."""
    ok, message = connect(vendor, host="vendor.example", **fields).test_connection()
    assert not ok
    assert message.startswith(f"this connection: {said}")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"extra": {"timout": 5}}, "its extra has keys that are not used: 'timout'"),
        ({"extra": {"allow_http": "yes"}}, "'allow_http' in its extra is neither true nor false, and counts as false"),
        ({"login": "me"}, "its login is not used: the key is the password"),
        ({"port": 1}, "its port is not used, because the host names port"),
        ({"schema": "https"}, "its scheme is not used, because the host begins with http://"),
    ],
)
def test_settings_without_effect(sandbox: Sandbox, connect: Connect, fields: dict[str, Any], said: str) -> None:
    """A green test names them, and so does a red one: they may be why."""
    for password, works in ((sandbox.ptengine.key, True), ("wrong-key-of-mine", False)):
        ok, message = connect("ptengine", host=sandbox.url, password=password, **fields).test_connection()
        assert (ok, said in message) == (works, True), message


def test_settings_with_effect_need_no_words(sandbox: Sandbox, connect: Connect) -> None:
    """What the form sends for empty fields, and the address in other words, leave the sentence as it is."""
    empty = {**dict.fromkeys(("timeout", "verify", "client_cert", "client_key", "proxy")), "allow_http": False}
    host, port = sandbox.url.removeprefix("http://").split(":")
    for fields in (
        {
            "host": sandbox.url,
            "schema": "http",
            "port": int(port),
            "login": "",
            "extra": {**empty, "allow_http": False},
        },
        {"host": host, "schema": "http", "port": int(port), "extra": {"verify": "False", "timeout": "5"}},
    ):
        hook = connect("gerosense", password=sandbox.gerosense.key, **fields)
        assert hook.test_connection() == (True, VENDORS["gerosense"])


def test_a_port_without_a_host(connect: Connect, refusing_port: int) -> None:
    """It goes to the vendor's own host, which is hardly meant."""
    proxy = {"proxy": f"http://127.0.0.1:{refusing_port}"}
    ok, message = connect("ptengine", port=refusing_port, extra=proxy).test_connection()
    assert not ok
    assert f"host api.ptengine.com:{refusing_port}" in message
    assert f"its port {refusing_port} is added to the vendor's own host, because it names no host" in message
