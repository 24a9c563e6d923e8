"""Messages for requests without an answer: what happened, what to check, and whether a retry may help."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from airflow_provider_userdata.delivery.sending.failures import Failure, explain
from airflow_provider_userdata.delivery.sending.transport import Endpoint, NoAnswer, Transport
from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PASSWORD = "proxy-secret"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(answer: bytes) -> Serve:
    """Return a server that answers everything with the same bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while await reader.read(65536):
                writer.write(answer)
        writer.close()

    return serve


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read once and close the connection."""
    await reader.read(65536)
    writer.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give no answer for a minute, which passes at once: the clock of the loop that both sides share is put forward."""
    loop = asyncio.get_running_loop()
    while await reader.read(65536):
        loop.time = lambda now=loop.time: now() + 60  # type: ignore[method-assign,misc]
    writer.close()


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve on a port of this machine, and yield `host:port`."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def _post(url: str, **endpoint: Any) -> Answer | NoAnswer:
    settings = {"timeout": 5.0, "connection": "mine", **endpoint}
    async with Transport(Endpoint(url, {"x-api-key": "geheim"}, **settings)) as transport:
        return await transport.post(Request("/v1/path", (b"{}",)))


def failed(
    serve: Serve, url: str = "http://{}", *, served_by: ssl.SSLContext | None = None, **settings: Any
) -> NoAnswer:
    """Send a request that gets no answer.

    :param url: the server's `host:port` is filled in.
    """

    async def run() -> NoAnswer:
        async with listening(serve, served_by) as place:
            address = url.format(place, port=place.rpartition(":")[2])
            answer = await _post(address, **settings)
        assert isinstance(answer, NoAnswer)
        assert f"(connection 'mine', host {address.partition('//')[2]})" in answer.reason
        assert "/v1/path" not in answer.reason
        return answer

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("names", "server", "said", "stops"),
    [
        (["other.example"], {}, "its certificate is for another host (is the connection's host right?)", True),
        (["127.0.0.2"], {}, "its certificate is for another host", True),
        (["127.0.0.1"], {"by_itself": True}, "its certificate is self-signed ('verify' in the", True),
        (["127.0.0.1"], {"days": -1}, "its certificate has expired, or isn't valid yet", False),
    ],
)
def test_a_certificate_that_is_not_accepted(
    authority: Any, names: list[str], server: dict[str, Any], said: str, stops: bool
) -> None:
    """The fault is named, and nothing was sent; an expired one may be renewed while the task retries."""
    trusted = ssl.create_default_context(cafile=authority.path)

    answer = failed(answering(OK), "https://{}", served_by=authority.server(*names, **server), tls=trusted)

    assert answer.reason.startswith("can't be reached (")
    assert said in answer.reason
    assert (answer.written, answer.stops) == (False, stops)


def test_a_certificate_of_another_name(authority: Any) -> None:
    """TLS has one error code for a host that is a name, and another for an address."""
    trusted = ssl.create_default_context(cafile=authority.path)

    answer = failed(answering(OK), "https://localhost:{port}", served_by=authority.server("other.example"), tls=trusted)

    assert "its certificate is for another host (is the connection's host right?)" in answer.reason
    assert (answer.written, answer.stops) == (False, True)


def test_a_certificate_of_an_authority_that_is_not_known(authority: Any) -> None:
    """The message names the extra that lists trusted authorities."""
    answer = failed(answering(OK), "https://{}", served_by=authority.server("127.0.0.1"))

    assert "signed by an authority that isn't trusted here ('verify' in the connection's extra" in answer.reason
    assert (answer.written, answer.stops) == (False, True)


@pytest.mark.parametrize("answer", [OK, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.9\r\n"])
def test_https_on_a_port_for_http(answer: bytes) -> None:
    """The message says so, and no retry helps."""
    found = failed(answering(answer), "https://{}")

    assert "it doesn't speak https at that port (should the scheme be http, or the port another one?)" in found.reason
    assert (found.written, found.stops) == (False, True)


def test_https_on_a_port_that_hangs_up() -> None:
    """Both possible causes are named, and a retry may help."""
    answer = failed(closing, "https://{}")

    assert "closed the connection (does it speak http there, or ask for a client certificate?)" in answer.reason
    assert (answer.written, answer.stops) == (False, False)


def test_http_on_a_port_for_https_that_hangs_up(authority: Any) -> None:
    """Nothing proves that cause, so the request is in doubt (A3), and the message asks."""
    answer = failed(answering(OK), served_by=authority.server("127.0.0.1"))

    assert answer.reason.startswith("gave no answer (")
    assert "it closed the connection (does it speak https there?)" in answer.reason
    assert (answer.written, answer.stops) == (True, False)


@pytest.mark.parametrize(
    "answer",
    [
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 400 Bad Request\r\n\r\n<html><center>The plain HTTP request was sent to HTTPS port</center>",
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\nYou're speaking plain HTTP to an SSL-enabled server port.<br />",
    ],
    ids=["an alert", "nginx", "Go", "Apache"],
)
def test_http_on_a_port_for_https_that_says_so(answer: bytes) -> None:
    """A server that speaks only TLS accepted nothing: the request is not in doubt, and no retry helps."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        writer.close()

    found = failed(once)

    assert "http was sent to an https port (should the scheme be https?)" in found.reason
    assert (found.written, found.stops) == (False, True)


def test_what_is_no_http() -> None:
    """Something answered, whatever it was: the request is in doubt."""
    answer = failed(answering(b"220 mail.example ESMTP\r\n"))

    assert "what it answered is not HTTP" in answer.reason
    assert (answer.written, answer.stops) == (True, False)


def test_a_name_that_nobody_has() -> None:
    """A name server may come back."""
    answer = failed(silent, "http://nowhere.invalid:81")

    assert "its name was not found (is the connection's host right, does this machine reach its DNS?)" in answer.reason
    assert (answer.written, answer.stops) == (False, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_nobody_listens_on(host: str, refusing_port: int) -> None:
    """A service may come back."""
    answer = failed(silent, f"http://{host}:{refusing_port}")

    assert "it refused the connection (is the port right, is the service up?)" in answer.reason
    assert (answer.written, answer.stops) == (False, False)


def test_too_slow_to_connect() -> None:
    """The TLS handshake is part of connecting: nothing was sent."""
    answer = failed(silent, "https://{}")

    assert "can't be reached" in answer.reason
    assert "no connection was made within 5 s (is there a firewall in between?)" in answer.reason
    assert (answer.written, answer.timed_out, answer.stops) == (False, True, False)


def test_too_slow_to_answer() -> None:
    """The message names the extra that sets the timeout, and the request is in doubt."""
    answer = failed(silent)

    assert "gave no answer" in answer.reason
    assert "it didn't answer within 5 s ('timeout' in the connection's extra)" in answer.reason
    assert (answer.written, answer.timed_out, answer.stops) == (True, True, False)


def _alerting(tls: ssl.SSLContext, server: socket.socket) -> None:
    """Break off a handshake with an alert, which asyncio's servers don't send, and read until the client leaves."""
    connection, _ = server.accept()
    with connection.dup() as whole:
        with suppress(OSError):
            tls.wrap_socket(connection, server_side=True).recv(65536)
        while whole.recv(65536):
            pass


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", ["none", "another authority's"])
def test_a_server_that_asks_for_a_certificate(authority: Any, version: ssl.TLSVersion, shown: str) -> None:
    """The message names the extras for one. TLS 1.3 refuses it only after the request was sent; it is not in doubt."""
    tls = authority.server("127.0.0.1", asks=True)
    tls.maximum_version = version
    trusted = ssl.create_default_context(cafile=authority.path)
    if shown != "none":
        trusted.load_cert_chain(authority.certificate("client", by_itself=True))
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=_alerting, args=(tls, server), daemon=True)
        serving.start()
        answer = asyncio.run(_post(f"https://127.0.0.1:{server.getsockname()[1]}", tls=trusted))
        serving.join(10)

    assert isinstance(answer, NoAnswer)
    assert "a client certificate" in answer.reason
    assert "'client_cert' and 'client_key' in the connection's extra" in answer.reason
    assert not answer.written
    assert answer.stops is (version is ssl.TLSVersion.TLSv1_3 or shown != "none")


@pytest.mark.parametrize("said", [b"No required SSL certificate was sent", b"The SSL certificate error"])
def test_a_proxy_before_the_vendor_that_asks_for_a_certificate(said: bytes) -> None:
    """As nginx says it, in a 400 that is not the vendor's: without a certificate, and with one it doesn't accept."""
    body = b"<html><center>%b</center></html>" % said
    answer = failed(answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)))

    assert "it asks for a client certificate" in answer.reason
    assert (answer.written, answer.stops) == (False, True)


@pytest.mark.parametrize("status", [200, 422, 502])
def test_only_a_400_says_that_the_vendor_was_not_reached(status: int) -> None:
    """An answer of another status may quote these words."""
    body = b"HTTP request to an HTTPS server; No required SSL certificate was sent"
    head = b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n" % (status, len(body))

    async def run() -> Answer | NoAnswer:
        async with listening(answering(head + body)) as place:
            return await _post(f"http://{place}")

    answer = asyncio.run(run())

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN])
@pytest.mark.parametrize(("at_proxy", "which"), [(False, "the connection's host"), (True, "the proxy")])
def test_a_network_without_a_route(number: int, at_proxy: bool, which: str) -> None:
    """Retries go on, because a network may come back."""
    failure = explain(OSError(number, "geheim"), secure=True, written=False, seconds=5.0, at_proxy=at_proxy)

    assert failure == Failure(f"there is no route to {which} from here", "is the network up, is a proxy needed?")


def test_an_error_that_is_not_known() -> None:
    """An error's own message is never shown, because it may hold an address with a password."""
    failure = explain(RuntimeError(f"http://me:{PASSWORD}@p:2/x"), secure=True, written=True, seconds=5.0)

    assert failure == Failure("the connection broke (RuntimeError)")


def test_a_way_shows_no_secret() -> None:
    """Messages show only the host and port of an address."""
    endpoint = Endpoint("https://api.example:1/base", {}, proxy=f"http://me:{PASSWORD}@p:2/x", connection="mine")

    assert endpoint.way == "connection 'mine', host api.example:1, proxy p:2"
    assert Endpoint("https://[::1]:1/base", {}).way == "host [::1]:1"
