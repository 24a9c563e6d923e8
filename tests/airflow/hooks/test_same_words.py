"""*Test* explains failures in the same words as a delivery: two HTTP libraries, real servers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from airflow_provider_userdata.delivery.sending.transport import NoAnswer, Transport
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.vendors.answers import Stop
from airflow_provider_userdata.vendors.thymia import Thymia

Connect = Callable[..., VendorHook]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serving = Callable[..., str]
PASSWORD = "proxy-secret"


def answering(answer: bytes) -> Serve:
    """Answer whatever comes, once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read(65536)
            writer.write(answer)
        writer.close()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read until the client leaves, without an answer."""
    with suppress(OSError):
        while await reader.read(65536):
            pass
    writer.close()


def both(hook: VendorHook) -> str:
    """Return what *Test* says after the vendor's name: what a delivery says, but for the connection's name."""

    async def delivered() -> str:
        async with Transport(hook.endpoint()) as transport:
            answer = await transport.get("/v1/account")
            if isinstance(answer, NoAnswer):
                return answer.reason
            meaning = Thymia("mood").meaning(answer)
            assert isinstance(meaning, Stop)
            return f"{meaning.reason} ({transport.endpoint.way})"

    works, said = hook.test_connection()
    assert not works
    title, _, rest = said.partition(" ")
    assert title == "Thymia"
    assert rest == asyncio.run(delivered()).replace("connection 'mine', host ", "this connection, host ")
    assert "this connection, host " in rest
    assert PASSWORD not in rest
    return rest


@pytest.mark.parametrize(
    ("names", "server", "trusts", "said"),
    [
        (["other.example"], {}, True, "its certificate is for another host"),
        (["127.0.0.1"], {"days": -1}, True, "its certificate has expired, or isn't valid yet"),
        (["127.0.0.1"], {"by_itself": True}, True, "its certificate is self-signed"),
        (["127.0.0.1"], {}, False, "its certificate is signed by an authority that isn't trusted here"),
    ],
)
def test_certificates(
    serving: Serving, connect: Connect, authority: Any, names: list[str], server: Any, trusts: bool, said: str
) -> None:
    """For another host, expired, self-signed, or signed by an unknown authority."""
    place = serving(answering(b""), authority.server(*names, **server))
    extra = {"verify": str(authority.path)} if trusts else {}

    assert said in both(connect("thymia", host=place, extra=extra))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "gave no answer"),
        (b"", "it closed the connection (does it speak https there?)"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "http was sent to an https port"),
        (b"220 mail.example ESMTP\r\n", "what it answered is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: %b\r\n\r\n" % (b"a" * 70_000), "its headers are longer than 64 kB in one line"),
        (
            b"HTTP/1.1 302 No\r\nLocation: https://sso.example/x?y\r\n\r\n",
            "a redirect, which is not followed, to sso.ex",
        ),
        (b"HTTP/1.1 404 No\r\n\r\n", "answered 404: this address does not exist"),
        (b"HTTP/1.1 407 No\r\n\r\n", "answered 407: the proxy requires credentials"),
    ],
)
def test_answers(serving: Serving, connect: Connect, answer: bytes, said: str) -> None:
    """Answers that aren't HTTP, that can't be read, and that end a run."""
    assert said in both(connect("thymia", host=f"http://{serving(answering(answer))}"))


def test_https_on_a_port_for_http(serving: Serving, connect: Connect) -> None:
    """The other way round, it is told by TLS."""
    place = serving(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    assert "it doesn't speak https at that port" in both(connect("thymia", host=place))


def test_https_on_a_port_that_hangs_up(serving: Serving, connect: Connect) -> None:
    """A port for http may do so, and one that asks for a client certificate."""
    said = both(connect("thymia", host=serving(answering(b""))))

    assert "it closed the connection (does it speak http there, or ask for a client certificate?)" in said


def test_names_and_ports(connect: Connect, refusing_port: int) -> None:
    """A name that isn't found, and a port without a server."""
    assert "its name was not found" in both(connect("thymia", host="nowhere.invalid"))
    assert "it refused the connection" in both(connect("thymia", host=f"127.0.0.1:{refusing_port}"))


@pytest.mark.parametrize(
    ("scheme", "said"), [("http", "it didn't answer within 0.5 s"), ("https", "no connection was made within 0.5 s")]
)
def test_time(serving: Serving, connect: Connect, scheme: str, said: str) -> None:
    """A timeout, of the answer or of connecting, which includes the TLS handshake."""
    assert said in both(connect("thymia", host=f"{scheme}://{serving(silent)}", extra={"timeout": 0.5}))


def test_nobody_takes_the_connection(connect: Connect) -> None:
    """As behind a firewall: a queue of connections that is full takes no other one."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(full.getsockname())
        said = both(connect("thymia", host=f"127.0.0.1:{full.getsockname()[1]}", extra={"timeout": 0.2}))
        for one in waiting:
            one.close()

    assert "no connection was made within 0.2 s (is there a firewall in between?)" in said


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [407, 403, 502])
def test_a_proxy_that_refuses(serving: Serving, connect: Connect, scheme: str, status: int) -> None:
    """It is named, without its password; over http, its 403 and 502 look like the vendor's."""
    place = serving(answering(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status))
    extra = {"proxy": f"http://me:{PASSWORD}@{place}", "allow_http": True}
    hook = connect("thymia", host=f"{scheme}://vendor.example", extra=extra)

    said = hook.test_connection()[1] if (scheme, status) == ("http", 502) else both(hook)

    assert f"host vendor.example, proxy {place})" in said
    assert f"answered {status}" in said


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there(connect: Connect, scheme: str, refusing_port: int) -> None:
    """The message says that the proxy refused the connection, or that its name was not found."""
    for proxy, said in (
        (f"127.0.0.1:{refusing_port}", "the proxy refused the connection"),
        ("nowhere.invalid:1", "the proxy's name was not found"),
    ):
        extra = {"proxy": f"http://me:{PASSWORD}@{proxy}", "allow_http": True}
        assert said in both(connect("thymia", host=f"{scheme}://vendor.example", extra=extra))


def test_over_a_hundred_headers(serving: Serving, connect: Connect) -> None:
    """Python's own client takes no more; a delivery does, and the message says so."""
    lines = b"".join(b"x-%d: a\r\n" % number for number in range(300))
    place = serving(answering(b"HTTP/1.1 200 OK\r\n%b\r\n{}" % lines))

    works, said = connect("thymia", host=f"http://{place}").test_connection()

    assert not works
    assert "it answered with over 100 headers, which this test can't read (a delivery can read them)" in said


def test_a_path_that_may_stand_there_twice(
    sandbox: Any, connect: Connect, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a proxy's own path is called as the API's, a 404 has a hint, and a delivery a warning."""
    hook = connect("gerosense", host=f"{sandbox.url}/api")

    works, said = hook.test_connection()

    logged = caplog.text + capsys.readouterr().out  # Airflow 2 logs, 3 prints
    hint = "the host ends with '/api', and the API's paths begin with it"
    assert (works, "answered 404" in said, hint in said, hint in logged) == (False, True, True, True)
