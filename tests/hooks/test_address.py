"""From a connection to an address: what is understood, what is refused, and what messages never show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from airflow_provider_userdata.hooks import address, extras
from airflow_provider_userdata.hooks.credential import credential

DEFAULT = "https://api.vendor.example"
PASSWORD = "s3cr3t-key"


@dataclass
class Connection:
    """What the functions look at of an Airflow connection."""

    host: str | None = None
    schema: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = PASSWORD
    extra_dejson: dict[str, Any] = field(default_factory=dict)
    extra: str | None = None
    conn_id: str = "vendor_here"


Refused = Callable[[Callable[[], object]], str]


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, DEFAULT),
        ({"host": "  "}, DEFAULT),
        ({"host": "api.other.example"}, "https://api.other.example"),
        ({"host": " api.other.example "}, "https://api.other.example"),
        ({"host": "API.Other.Example"}, "https://api.other.example"),
        ({"host": "https://api.other.example/"}, "https://api.other.example"),
        ({"host": "https://api.other.example//"}, "https://api.other.example"),
        ({"host": "HTTPS://api.other.example"}, "https://api.other.example"),
        ({"host": "api.other.example:8443"}, "https://api.other.example:8443"),
        ({"host": "https://api.other.example:8443/base/path/"}, "https://api.other.example:8443/base/path"),
        ({"host": "api.other.example/base"}, "https://api.other.example/base"),
        ({"host": "api.other.example", "port": 8443}, "https://api.other.example:8443"),
        ({"host": "api.other.example:1", "port": 2}, "https://api.other.example:1"),
        ({"host": "api.other.example", "schema": "https"}, "https://api.other.example"),
        ({"host": "api.other.example", "schema": "HTTPS "}, "https://api.other.example"),
        ({"host": "https://api.other.example", "schema": "http"}, "https://api.other.example"),
        ({"host": "10.0.0.8"}, "https://10.0.0.8"),
        ({"host": "[2001:db8::1]:8443"}, "https://[2001:db8::1]:8443"),
        ({"host": "https://[2001:DB8::1]"}, "https://[2001:db8::1]"),
        ({"port": 8443}, f"{DEFAULT}:8443"),
    ],
)
def test_an_address_is_understood(settings: dict[str, Any], url: str) -> None:
    """With or without scheme, port and path, an address is one; https is meant unless said otherwise."""
    assert address.base_url(Connection(**settings), DEFAULT) == url


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "api.localhost",
        "127.0.0.1",
        "127.8.9.10",
        "[::1]",
        "localhost:8080",
        "127.0.0.1:1/base",
    ],
)
def test_http_is_for_this_machine(host: str) -> None:
    """To a loopback address http is fine, in the host and in the scheme's field."""
    assert address.base_url(Connection(host=f"http://{host}"), None) == f"http://{host.lower()}"
    assert address.base_url(Connection(host=host, schema="http"), None) == f"http://{host.lower()}"


@pytest.mark.parametrize(
    "host",
    [
        "api.vendor.example",
        "10.0.0.8",
        "0.0.0.0",
        "192.168.1.1",
        "[2001:db8::1]",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "notlocalhost",
        "evil-localhost",
        "128.0.0.1",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_http_is_for_nobody_else(refused: Refused, host: str, scheme: str) -> None:
    """A key that would go unencrypted is refused, unless the connection says so in so many words."""
    settings: list[dict[str, Any]] = [{"host": f"{scheme}://{host}"}, {"host": host, "schema": scheme}]
    for setting in settings:
        assert "unencrypted" in refused(partial(address.base_url, Connection(**setting), None))
        allowed = Connection(**setting, extra_dejson={"allow_http": True})
        assert address.base_url(allowed, None) == f"http://{host}"


@pytest.mark.parametrize("value", [None, False, 0, "", "false"])
def test_a_no_to_http_is_a_no(refused: Refused, value: object) -> None:
    """An extra that doesn't say yes allows nothing."""
    connection = Connection(host="http://api.vendor.example", extra_dejson={"allow_http": value})

    assert "allow_http" in refused(lambda: address.base_url(connection, None))


@pytest.mark.parametrize("host", [None, "", "   ", "\t"])
def test_a_host_is_needed_where_there_is_no_default(refused: Refused, host: str | None) -> None:
    """Where each customer has an address of its own, nobody guesses (G1)."""
    assert "has no host" in refused(lambda: address.base_url(Connection(host=host), None))


@pytest.mark.parametrize(
    "host",
    [
        f"https://user:{PASSWORD}@api.vendor.example",
        f"{PASSWORD}@api.vendor.example",
        f"https://:{PASSWORD}@api.vendor.example",
        f"http://{PASSWORD}@localhost",
        f"https://api.vendor.example?key={PASSWORD}",
        f"https://api.vendor.example#{PASSWORD}",
        f"https://api.vendor.example/{PASSWORD} /x",
        f"ftp://{PASSWORD}.example",
        f"{PASSWORD}://api.vendor.example",
        f"https://api.vendor.example:{PASSWORD}",
        "https://",
        "https:///path",
        "//api.vendor.example",
        "https://api vendor.example",
        "https://api.ven\ndor.example",
        "api.vendor.example:eighty",
        "api.vendor.example:99999",
        "https://[::1",
        "https://[nowhere]",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_refused(refused: Refused, host: str) -> None:
    """Credentials, queries, other schemes, blanks and broken addresses are refused, and none of it is shown."""
    refused(lambda: address.base_url(Connection(host=host), DEFAULT))


@pytest.mark.parametrize("port", [65536, 0, -1])
def test_a_port_that_nothing_has_is_refused(refused: Refused, port: int) -> None:
    """The port's field is held to what the host's port is held to."""
    refused(lambda: address.base_url(Connection(host="api.vendor.example", port=port), None))


@pytest.mark.parametrize("schema", ["ftp", "thymia", "https://", "ht tp", " "])
def test_another_scheme_is_refused(refused: Refused, schema: str) -> None:
    """The scheme's field holds https or http."""
    refused(lambda: address.base_url(Connection(host="api.vendor.example", schema=schema), None))


@pytest.mark.parametrize("password", ["k", "Bearer-like.token_123~+/=", "with inner blank", "~!@#$%^&*()"])
def test_a_credential_is_given_as_it_is(password: str) -> None:
    """A key is never altered."""
    assert credential(Connection(password=password), "API key") == password


@pytest.mark.parametrize("password", [None, "", "  ", "\n"])
def test_a_missing_credential_is_said(refused: Refused, password: str | None) -> None:
    """What is missing is named as the vendor names it."""
    message = refused(lambda: credential(Connection(password=password), "API activation key"))

    assert message.endswith("has no password: it is the vendor's API activation key")


@pytest.mark.parametrize(
    "password",
    [
        f"{PASSWORD}\n",
        f" {PASSWORD}",
        f"{PASSWORD}\r\nx-evil: 1",
        f"{PASSWORD}\t",
        f"{PASSWORD}\x00",
        f"{PASSWORD}é",
        f"{PASSWORD}\u200b",
    ],
)
def test_a_credential_that_no_header_can_carry_is_refused(refused: Refused, password: str) -> None:
    """A line break of a copied key, or one that would add a header, is refused without showing the key."""
    assert "token" in refused(lambda: credential(Connection(password=password), "token"))


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, 60.0), ("", 60.0), (5, 5.0), (0.5, 0.5), ("30", 30.0), (" 7.5 ", 7.5)]
)
def test_a_timeout_is_seconds(value: object, seconds: float) -> None:
    """A number, or text as the form gives it; a minute where nothing is said."""
    assert extras.timeout(Connection(extra_dejson={"timeout": value})) == seconds


@pytest.mark.parametrize("value", [0, -1, "soon", "nan", "inf", float("inf"), True, False, [], {}])
def test_what_is_no_timeout_is_refused(refused: Refused, value: object) -> None:
    """Nobody waits for ever, or not at all."""
    assert "'timeout'" in refused(lambda: extras.timeout(Connection(extra_dejson={"timeout": value})))


@pytest.mark.parametrize(
    ("value", "verify"),
    [
        (None, True),
        ("", True),
        (True, True),
        (False, False),
        ("true", True),
        (" False ", False),
        ("/ca.pem", "/ca.pem"),
    ],
)
def test_verify_is_yes_no_or_a_path(value: object, verify: bool | str) -> None:
    """Certificates are checked unless the connection says no."""
    assert extras.verify(Connection(extra_dejson={"verify": value})) == verify


@pytest.mark.parametrize("value", [0, 1, [], {}, 0.0])
def test_any_other_verify_is_refused(refused: Refused, value: object) -> None:
    """A zero is no clear no."""
    assert "'verify'" in refused(lambda: extras.verify(Connection(extra_dejson={"verify": value})))


@pytest.mark.parametrize(
    "proxy",
    ["http://proxy:3128", "https://proxy", "http://me:a%23b@proxy:3128/", "http://[::1]:3128", "http://прокси:3128"],
)
def test_a_proxy_is_an_address(proxy: str) -> None:
    """A proxy is named with its scheme, or there is none."""
    assert address.proxy(Connection(extra_dejson={"proxy": proxy})) == proxy
    for value in (None, ""):
        assert address.proxy(Connection(extra_dejson={"proxy": value})) is None


@pytest.mark.parametrize(
    "value",
    [
        "proxy:3128",
        f"socks5://{PASSWORD}@proxy",
        "//proxy",
        3128,
        True,
        "http://[::1",
        "http://",
        "http://:3128",
        f"http://me:{PASSWORD}@",
        "http://proxy:port",
        "http://proxy:99999",
        f"http://me:{PASSWORD}#1@proxy:3128",
        f"http://me:{PASSWORD}/1@proxy:3128",
        "http://pro xy:3128",
        "http://proxy:3128\n",
        "http://a..b:3128",
    ],
)
def test_what_is_no_proxy_is_refused(refused: Refused, value: object) -> None:
    """Other kinds of proxy are refused, without the password that their address may hold."""
    assert "'proxy'" in refused(lambda: address.proxy(Connection(extra_dejson={"proxy": value})))
