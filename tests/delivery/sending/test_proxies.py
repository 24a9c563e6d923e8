"""Requests through a proxy: its refusals differ from the vendor's failures, and its password is never shown."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending.transport import Endpoint, NoAnswer, Transport
from airflow_provider_userdata.errors import RefusedError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PASSWORD = "proxy-secret"
CREDENTIALS = base64.b64encode(f"me:{PASSWORD}".encode())
Deliver = Callable[..., Result]
Rows = Callable[[str, int], list[dict[str, Any]]]


class Proxy:
    """A proxy that connects or forwards if it gets its password, and answers 407 otherwise.

    :param refusal: a status that it answers to everybody.
    """

    def __init__(self, refusal: int = 0) -> None:
        self._refusal = refusal
        self.asked = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        with suppress(asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            status = self._refusal or (200 if b"Basic " + CREDENTIALS in head else 407)
            if status != 200:
                writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
            elif head.startswith(b"CONNECT "):
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await _join(reader, writer, head.split()[1].decode())
            elif head.startswith(b"POST http://"):  # a request without the host would lead nowhere
                writer.write(OK)
        writer.close()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: str) -> None:
    """Copy all bytes from one side to the other."""
    host, _, port = place.rpartition(":")
    there, to_there = await asyncio.open_connection(host.strip("[]"), int(port))

    async def carry(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while some := await source.read(65536):
                to.write(some)
        to.close()

    await asyncio.gather(carry(reader, to_there), carry(there, writer))


def sent_through(
    through: Proxy, *, vendor: ssl.SSLContext | None, user: str = f"me:{PASSWORD}@", **settings: Any
) -> Answer | NoAnswer:
    """Send a request to a vendor on this machine through the proxy."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while await reader.read(65536):
                writer.write(OK)
        writer.close()

    async def run() -> Answer | NoAnswer:
        there = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=vendor)
        between = await asyncio.start_server(through, "127.0.0.1", 0)
        port, proxy_port = (server.sockets[0].getsockname()[1] for server in (there, between))
        url = f"http{'s' if vendor else ''}://127.0.0.1:{port}"
        way = {"timeout": 5.0, "proxy": f"http://{user}127.0.0.1:{proxy_port}", "connection": "mine", **settings}
        async with Transport(Endpoint(url, {"x-api-key": "geheim"}, **way)) as transport:
            answer = await transport.post(Request("/v1/path", (b"{}",)))
            assert transport.endpoint.way.startswith(f"connection 'mine', host 127.0.0.1:{port}, proxy ")
        there.close()
        between.close()
        if isinstance(answer, NoAnswer):
            assert transport.endpoint.way in answer.reason
            assert PASSWORD not in answer.reason
        return answer

    return asyncio.run(run())


@pytest.fixture
def trusted(authority: Any) -> ssl.SSLContext:
    """Trust the tests' authority."""
    return ssl.create_default_context(cafile=authority.path)


@pytest.mark.parametrize("secure", [True, False])
def test_a_proxy_with_its_password_passes_on(authority: Any, trusted: ssl.SSLContext, secure: bool) -> None:
    """It connects to a vendor over https, and forwards requests to one over http."""
    vendor = authority.server("127.0.0.1") if secure else None

    answer = sent_through(Proxy(), vendor=vendor, tls=trusted)

    assert isinstance(answer, Answer)
    assert answer.status == 200


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("user", ["", "me:wrong@"])
def test_a_proxy_that_wants_credentials(authority: Any, secure: bool, user: str) -> None:
    """Its 407 is the same answer to a CONNECT and to a request that it should forward."""
    answer = sent_through(Proxy(), vendor=authority.server("127.0.0.1") if secure else None, user=user)

    assert isinstance(answer, Answer)
    assert answer.status == 407


@pytest.mark.parametrize(
    ("status", "said", "stops"),
    [
        (403, "the proxy answered 403 instead of connecting (does it allow this host?)", True),
        (405, "the proxy answered 405", True),
        (408, "the proxy answered 408", False),
        (425, "the proxy answered 425", False),
        (429, "the proxy answered 429", False),
        (502, "the proxy answered 502 instead of connecting (does it reach this host?)", False),
        (504, "the proxy answered 504", False),
    ],
)
def test_a_proxy_that_does_not_connect(authority: Any, status: int, said: str, stops: bool) -> None:
    """What it forbids stays forbidden; what it can't reach may be reachable later; nothing was sent."""
    answer = sent_through(Proxy(status), vendor=authority.server("127.0.0.1"))

    assert isinstance(answer, NoAnswer)
    assert said in answer.reason
    assert (answer.written, answer.stops) == (False, stops)


def test_a_vendor_behind_a_proxy(authority: Any, trusted: ssl.SSLContext) -> None:
    """A certificate for another host is the vendor's, not the proxy's."""
    answer = sent_through(Proxy(), vendor=authority.server("other.example"), tls=trusted)

    assert isinstance(answer, NoAnswer)
    assert ": its certificate is for another host (is the connection's host right?)" in answer.reason


@pytest.mark.parametrize("secure", [True, False])
def test_a_proxy_that_is_not_there(authority: Any, refusing_port: int, secure: bool) -> None:
    """The message says that the proxy refused the connection, or that its name was not found."""
    vendor = authority.server("127.0.0.1") if secure else None
    for proxy, said in (
        (f"http://me:{PASSWORD}@127.0.0.1:{refusing_port}", "the proxy refused the connection"),
        (f"http://me:{PASSWORD}@nowhere.invalid:1", "the proxy's name was not found (is the proxy right"),
        (f"http://me:{PASSWORD}@nirgendwö.invalid:1", "the proxy's name was not found (is the proxy right"),
    ):
        answer = sent_through(Proxy(), vendor=vendor, proxy=proxy)

        assert isinstance(answer, NoAnswer)
        assert said in answer.reason
        assert (answer.written, answer.stops) == (False, False)


def test_a_proxy_with_another_ones_certificate(authority: Any, trusted: ssl.SSLContext) -> None:
    """A proxy over https has a certificate of its own."""

    async def run() -> Answer | NoAnswer:
        between = await asyncio.start_server(Proxy(), "127.0.0.1", 0, ssl=authority.server("other.example"))
        proxy = f"https://127.0.0.1:{between.sockets[0].getsockname()[1]}"
        async with Transport(Endpoint("https://127.0.0.1:1", {}, tls=trusted, proxy=proxy)) as transport:
            answer = await transport.post(Request("/", (b"{}",)))
        between.close()
        return answer

    answer = asyncio.run(run())

    assert isinstance(answer, NoAnswer)
    assert "the proxy's certificate is for another host (is the proxy right?)" in answer.reason


@pytest.mark.parametrize("refusal", [407, 403])
def test_a_proxy_that_refuses_ends_a_delivery(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, authority: Any, refusal: int
) -> None:
    """At once, with an error that Airflow doesn't retry, naming connection, host and proxy; nothing is in doubt."""
    proxy = Proxy(refusal)

    async def run() -> Result:
        between = await asyncio.start_server(proxy, "127.0.0.1", 0)
        address = f"http://me:{PASSWORD}@127.0.0.1:{between.sockets[0].getsockname()[1]}"
        to = Endpoint("https://api.vendor.example", {"x-api-key": "k"}, proxy=address, connection="mine")
        ended = await asyncio.to_thread(deliver, "thymia", rows("thymia", 50), endpoint=to, max_in_flight=1)
        between.close()
        return ended

    ended = asyncio.run(run())

    assert isinstance(ended.error, RefusedError)
    said = {407: "answered 407: the proxy requires credentials", 403: "the proxy answered 403 instead of connecting"}
    assert said[refusal] in str(ended.error)
    assert "connection 'mine', host api.vendor.example, proxy 127.0.0.1:" in str(ended.error)
    assert PASSWORD not in str(ended.error)
    assert (proxy.asked, ended.report.held, ended.report.retries) == (1, 50, 0)


def test_what_no_retry_helps_may_pass_where_requests_were_accepted(
    deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of several servers behind a name may have a wrong certificate for a while: no setting is wrong then."""
    post = Transport.post
    sent = 0

    async def wrong_at_times(transport: Transport, request: Request) -> Answer | NoAnswer:
        nonlocal sent
        sent += 1
        if sent in (5, 9):
            return NoAnswer("can't be reached: its certificate is for another host", written=False, stops=True)
        return await post(transport, request)

    monkeypatch.setattr(Transport, "post", wrong_at_times)
    ended = deliver("thymia", rows("thymia", 20), max_in_flight=1)

    assert (ended.error, ended.report.delivered, ended.report.retries) == (None, 20, 2)


def test_a_wrong_certificate_ends_a_delivery(deliver: Deliver, rows: Rows, authority: Any) -> None:
    """At the first request, with an error that Airflow doesn't retry."""

    async def run() -> Result:
        there = await asyncio.start_server(Proxy(), "127.0.0.1", 0, ssl=authority.server("other.example"))
        tls = ssl.create_default_context(cafile=authority.path)
        to = Endpoint(f"https://127.0.0.1:{there.sockets[0].getsockname()[1]}", {}, tls=tls, connection="mine")
        ended = await asyncio.to_thread(deliver, "thymia", rows("thymia", 5), endpoint=to, max_in_flight=1)
        there.close()
        return ended

    ended = asyncio.run(run())

    assert isinstance(ended.error, RefusedError)
    assert "thymia can't be reached (connection 'mine', host 127.0.0.1:" in str(ended.error)
    assert "its certificate is for another host" in str(ended.error)
    assert (ended.report.requests, ended.report.held) == (1, 5)


def test_nobody_there_ends_a_delivery(deliver: Deliver, rows: Rows, refusing_port: int) -> None:
    """After `max_attempts`, with an error that Airflow retries."""
    to = Endpoint(f"http://127.0.0.1:{refusing_port}", {}, connection="mine")

    ended = deliver("thymia", rows("thymia", 5), endpoint=to)

    assert isinstance(ended.error, VendorDownError)
    assert "it refused the connection (is the port right, is the service up?), after 6 attempts" in str(ended.error)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "thymia answered 401: the key or token is not valid (connection 'mine', host 127.0.0.1:"),
        (302, "thymia answered 302: a redirect, which is not followed, to elsewhere.example; is the connection's host"),
    ],
)
def test_an_answer_that_ends_a_delivery_names_who_gave_it(deliver: Deliver, rows: Rows, status: int, said: str) -> None:
    """It names the connection and its host, and only the host of a redirect's address."""
    answer = f"HTTP/1.1 {status} No\r\nLocation: https://elsewhere.example/x?key=geheim\r\nContent-Length: 0\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer.encode())
        writer.close()

    async def run() -> Result:
        there = await asyncio.start_server(serve, "127.0.0.1", 0)
        to = Endpoint(f"http://127.0.0.1:{there.sockets[0].getsockname()[1]}", {}, connection="mine")
        ended = await asyncio.to_thread(deliver, "thymia", rows("thymia", 5), endpoint=to, max_in_flight=1)
        there.close()
        return ended

    ended = asyncio.run(run())

    assert isinstance(ended.error, RefusedError)
    assert said in str(ended.error)
    assert "/x" not in str(ended.error)
