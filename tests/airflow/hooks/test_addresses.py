"""The address that a connection leads to, however it is written."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.sending.transport import Transport
from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.vendors.answers import Answer

Connect = Callable[..., VendorHook]


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "https://api.thymia.ai"),
        ({"host": " "}, "https://api.thymia.ai"),
        ({"host": "us.api.thymia.ai"}, "https://us.api.thymia.ai"),
        ({"host": "https://us.api.thymia.ai/"}, "https://us.api.thymia.ai"),
        ({"host": "proxy.example.com:8443/base/"}, "https://proxy.example.com:8443/base"),
        ({"host": "proxy.example.com", "port": 8443}, "https://proxy.example.com:8443"),
        ({"host": "https://proxy.example.com:1", "port": 2}, "https://proxy.example.com:1"),
        ({"host": "127.0.0.1", "schema": "http", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "http://localhost:8000"}, "http://localhost:8000"),
        ({"host": "http://[::1]:8000"}, "http://[::1]:8000"),
        ({"host": "::1", "port": 8443}, "https://[::1]:8443"),
        ({"host": "https://münchen.example/basis"}, "https://xn--mnchen-3ya.example/basis"),
        ({"host": "proxy.example.com", "schema": "https"}, "https://proxy.example.com"),
        ({"host": "http://proxy.example.com", "extra": {"allow_http": True}}, "http://proxy.example.com"),
    ],
)
def test_addresses(connect: Connect, fields: dict[str, Any], url: str) -> None:
    """Host, port and schema of a connection, each where it belongs, and https unless said."""
    hook = connect("thymia", **fields)
    assert hook.get_url() == url
    assert hook.get_url("/v1/account") == f"{url}/v1/account"
    assert hook.endpoint().url == url


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("ptengine://:{key}@", "https://api.ptengine.com"),
        ("ptengine://:{key}@proxy.example.com:8443", "https://proxy.example.com:8443"),
        ("ptengine://:{key}@127.0.0.1:8000/http", "http://127.0.0.1:8000"),
        ("ptengine://:{key}@proxy.example.com/?timeout=5", "https://proxy.example.com"),
        ("ptengine://http://:{key}@127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("ptengine://:{key}@proxy.example.com/http?allow_http=true", "http://proxy.example.com"),
        ("ptengine://:{key}@[::1]:8443", "https://[::1]:8443"),
        ("ptengine://:{key}@[2001:db8::1]", "https://[2001:db8::1]"),
        ("ptengine://:{key}@[::1]:8000/http", "http://[::1]:8000"),
        ("ptengine://http://:{key}@[::1]:8000", "http://[::1]:8000"),
        ("ptengine://:{key}@%5B%3A%3A1%5D:8443", "https://[::1]:8443"),
        ("ptengine://:{key}@münchen.example:8443", "https://xn--mnchen-3ya.example:8443"),
        ("ptengine://:{key}@m%C3%BCnchen.example", "https://xn--mnchen-3ya.example"),
    ],
)
def test_connections_as_uri(connect: Connect, key: str, uri: str, url: str) -> None:
    """Airflow's other way to write a connection: the schema is the path, the extra the query."""
    endpoint = connect("ptengine", uri).endpoint()
    assert endpoint.url == url
    assert endpoint.headers == {"Authorization": f"Bearer {key}"}
    assert endpoint.timeout == (5 if "timeout" in uri else 60)


def test_a_no_in_a_uri_is_a_no(connect: Connect) -> None:
    """Extras of a URI are text, and `false` is a text that is not empty."""
    for value in ("false", "0", ""):
        hook = connect("ptengine", f"ptengine://:{{key}}@proxy.example.com/http?allow_http={value}")
        with pytest.raises(ConnectionSettingsError, match="http would send the key"):
            hook.endpoint()


async def _asked(hook: Callable[[int], VendorHook], listen_on: str) -> list[str]:
    """Ask for something by a session and by a delivery; give the heads that a server got on a port, without it."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, listen_on, 0)
    port = server.sockets[0].getsockname()[1]
    asking = hook(port)
    with asking.get_conn() as session:
        await asyncio.to_thread(session.get, asking.get_url("/a"))
    async with Transport(asking.endpoint()) as transport:
        assert isinstance(await transport.get("/a"), Answer)
    server.close()
    return [head.replace(f":{port}", ":port") for head in heads]


def test_an_ipv6_address_is_reached(connect: Connect) -> None:
    """By sessions and by deliveries."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")

    heads = asyncio.run(_asked(lambda port: connect("thymia", host=f"http://[::1]:{port}"), "::1"))

    assert ["\r\nHost: [::1]:port\r\n" in head for head in heads] == [True, True]


def test_a_host_in_another_alphabet_is_sent_encoded(connect: Connect) -> None:
    """By sessions and by deliveries: in the address that a proxy gets, and in the header."""

    def hook(port: int) -> VendorHook:
        extra = {"proxy": f"http://127.0.0.1:{port}", "allow_http": True}
        return connect("thymia", host="http://münchen.example", extra=extra)

    heads = asyncio.run(_asked(hook, "127.0.0.1"))

    for head in heads:
        assert head.startswith("GET http://xn--mnchen-3ya.example/a HTTP/1.1\r\n")
        assert "\r\nHost: xn--mnchen-3ya.example\r\n" in head
    assert len(heads) == 2


def test_an_api_path_in_the_host(connect: Connect) -> None:
    """Which part to leave out is said, by deliveries, sessions and *Test*."""
    for vendor, host, part in (
        ("ptengine", "https://api.ptengine.com/v1/user/profiles", "/v1/user/profiles"),
        ("gerosense", "proxy.example/api/v1.1/samples", "/api/v1.1/samples"),
        ("thymia", "https://us.api.thymia.ai/v1/user-data/mood", "/v1/user-data"),
    ):
        hook = connect(vendor, host=host)
        with pytest.raises(ConnectionSettingsError, match=f"connection 'mine': .* remove '{part}'"):
            hook.endpoint()
        assert f"remove '{part}'" in hook.test_connection()[1]


@pytest.mark.parametrize(
    "uri",
    [None, "ptengine://:{key}@proxy.example/?__extra__=%7B%22proxy%22%3A+%22http%3A%2F%2Fp%3A1%22%2C%7D"],
    ids=["as JSON", "as a URI"],
)
def test_an_extra_that_is_not_json(connect: Connect, uri: str | None) -> None:
    """Airflow takes it for none: the proxy that it names would be passed by."""
    hook = connect("ptengine", uri, extra='{"proxy": "http://p:1",}')

    for use in (hook.endpoint, hook.get_conn):
        with pytest.raises(ConnectionSettingsError, match="connection 'mine': its extra is not valid JSON \\(line 1"):
            use()
    assert hook.test_connection()[0] is False


@pytest.mark.parametrize("pasted", ["Bearer {key}", "Authorization: Bearer {key}", "'{key}'", "{key}\n"])
def test_what_is_pasted_along_with_a_token(connect: Connect, key: str, pasted: str) -> None:
    """It is said, and the token isn't shown."""
    hook = connect("gerosense", host="https://proxy.example", password=pasted.format(key=key))

    works, said = hook.test_connection()

    assert (works, key in said) == (False, False)
    assert "this connection: the password contains" in said
    assert "it must be the vendor's bearer token and nothing else" in said
