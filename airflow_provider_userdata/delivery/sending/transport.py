"""One request and its answer, over aiohttp: the only place that speaks HTTP for the volume."""

from __future__ import annotations

import asyncio
import inspect
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from yarl import URL

from airflow_provider_userdata.delivery.sending import failures
from airflow_provider_userdata.delivery.sending.failures import Failure, TooLongHeadersError, Way
from airflow_provider_userdata.vendors import PROXY_WANTS_CREDENTIALS, Answer, Request

LONGEST_ANSWER = 1024 * 1024
"""Bytes of an answer that are read: a receipt is far shorter, and an error page of any length is survived."""
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_NO_OTHER_TIMEOUT = aiohttp.ClientTimeout()
_SWITCHING_PROTOCOLS = 101
_BAD_REQUEST = 400
_LIMITS = {
    "max_line_size": failures.LONGEST_HEADER,
    "max_field_size": failures.LONGEST_HEADER,
    # As many as fit; older ones of aiohttp count none.
    "max_headers": failures.LONGEST_HEADERS // len("a:\r\n"),
}
_KNOWN_LIMITS: Mapping[str, Any] = {
    name: limit
    for name, limit in _LIMITS.items()
    if name in inspect.signature(ResponseHandler.set_response_params).parameters
}
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, and how: what a hook makes of an Airflow connection.

    :param url: scheme, host and port, without a slash at the end.
    :param headers: the vendor's credential; never shown.
    :param timeout: seconds that a request may take in all.
    :param tls: the certificates that the vendor's own is checked by; True takes the machine's, False checks none.
    :param proxy: a proxy's address, or None; never shown, since it may hold a password.
    :param connection: the Airflow connection's id, for messages.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    timeout: float = 60.0
    tls: ssl.SSLContext | bool = True
    proxy: str | None = field(default=None, repr=False)
    connection: str = ""

    @property
    def way(self) -> Way:
        """What messages say of it."""
        return Way(self.connection, self.url, self.proxy)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A request that got no answer.

    :param reason: what happened, and what to look at, in a clause whose subject is the vendor.
    :param written: whether the vendor may have seen the request, so that it is in doubt (A3).
    :param timed_out: whether the vendor was too slow.
    :param stops: whether it lasts until somebody changes something.
    """

    reason: str
    written: bool
    timed_out: bool = False
    stops: bool = False


class Transport:
    """Sends requests over a pool of connections. Used inside the loop, as a context manager.

    The pool and the reading of answers are aiohttp's. Its session is left out: it works out anew for each request what
    is the same for all of them, which takes as long as all the rest of a request.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._pool: aiohttp.TCPConnector | None = None
        self._heads: dict[tuple[str, str], bytes] = {}

    async def __aenter__(self) -> Transport:
        """Open the pool."""
        self._pool = aiohttp.TCPConnector(limit=0, ssl=self._endpoint.tls)
        self._any_request = aiohttp.ClientRequest(
            "GET",
            URL(self._endpoint.url, encoded=True),
            headers=_safe({**self._endpoint.headers, **_HEADERS}),
            proxy=URL(self._endpoint.proxy) if self._endpoint.proxy else None,
            loop=asyncio.get_running_loop(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pool and all connections."""
        if self._pool is not None:
            await self._pool.close()

    @property
    def way(self) -> Way:
        """What messages say of where requests go."""
        return self._endpoint.way

    async def post(self, request: Request) -> Answer | NoAnswer:
        """Send a request, once, and give its answer."""
        return await self._once("POST", request.path, request)

    async def get(self, path: str) -> Answer | NoAnswer:
        """Ask for a path below the endpoint's address."""
        return await self._once("GET", path)

    async def _once(self, method: str, path: str, request: Request | None = None) -> Answer | NoAnswer:
        if self._pool is None:
            raise RuntimeError("the transport is not open")
        exchange = _Exchange()
        try:
            async with asyncio.timeout(self._endpoint.timeout):
                connection = await self._pool.connect(self._any_request, [], _NO_OTHER_TIMEOUT)
                # Only now, since making a connection may add a header that a proxy asks for.
                head = self._heads.get((method, path)) or self._head(method, path)
                rest = (b"\r\n",) if request is None else (b"Content-Length: %d\r\n\r\n" % request.size, *request.parts)
                await exchange.run(connection, b"".join([head, *rest]))
        except aiohttp.ClientHttpProxyError as error:
            if error.status == PROXY_WANTS_CREDENTIALS:
                return Answer(error.status, error.headers or {}, b"")
            return self._no_answer(failures.of_proxy(error.status), written=False)
        except (aiohttp.ClientError, HttpProcessingError, TooLongHeadersError, TimeoutError, OSError) as error:
            if exchange.message is None:
                return self._failed(error, written=exchange.written)
        answer = exchange.answer()
        failure = failures.of_refusal(answer.body) if answer.status == _BAD_REQUEST else None
        return answer if failure is None else self._no_answer(failure, written=False)

    def _failed(self, error: BaseException, *, written: bool) -> NoAnswer:
        """Say why no answer came."""
        endpoint = self._endpoint
        at_proxy = isinstance(error, aiohttp.ClientConnectorError) and _is_about(error, endpoint.proxy)
        failure = failures.explain(error, endpoint.way, written=written, seconds=endpoint.timeout, at_proxy=at_proxy)
        return self._no_answer(failure, written=written, timed_out=isinstance(error, TimeoutError))

    def _no_answer(self, failure: Failure, *, written: bool, timed_out: bool = False) -> NoAnswer:
        said = failure.said_of(self._endpoint.way, written=written)
        return NoAnswer(said, written and not failure.stops, timed_out, failure.stops)

    def _head(self, method: str, path: str) -> bytes:
        """Write what all requests of a method to a path begin with, and keep it: there are few paths."""
        url = URL(self._endpoint.url + path, encoded=True)
        by_proxy = self._any_request.proxy is not None and not self._any_request.is_ssl()
        lines = [f"{method} {url if by_proxy else url.raw_path_qs} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self._any_request.headers.items()]
        head = self._heads[method, path] = "\r\n".join([*lines, ""]).encode()
        return head


class _Exchange:
    """A request on a connection, and as much as came of its answer."""

    def __init__(self) -> None:
        self.written = False
        self.message: RawResponseMessage | None = None
        self._body = bytearray()
        self._complete = False

    async def run(self, connection: Connection, request: bytes) -> None:
        """Send the request, read the answer, and give the connection back, or close it where its state is unknown."""
        try:
            await self._send_and_read(connection, request)
        finally:
            # What was answered before all of it was sent can't be followed by another request.
            if self._complete and connection.transport and not connection.transport.get_write_buffer_size():
                connection.release()
            else:
                connection.close()

    async def _send_and_read(self, connection: Connection, request: bytes) -> None:
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None:
            raise aiohttp.ClientConnectionError
        protocol.set_response_params(read_until_eof=True, **_KNOWN_LIMITS)
        self.written = True
        transport.write(request)
        message, content = await protocol.read()
        while message.code < 200 and message.code != _SWITCHING_PROTOCOLS:  # not the answer yet
            message, content = await protocol.read()
        if sum(len(name) + len(value) + 4 for name, value in message.raw_headers) > failures.LONGEST_HEADERS:
            raise TooLongHeadersError
        self.message = message
        while not content.at_eof():
            self._body += await content.readany()
            if len(self._body) > LONGEST_ANSWER:
                return
        self._complete = True

    def answer(self) -> Answer:
        """Give the answer, or what came of it."""
        assert self.message is not None  # noqa: S101  # or there is no answer
        body = bytes(self._body[:LONGEST_ANSWER])
        return Answer(self.message.code, self.message.headers, body, self._complete)


def _safe(headers: dict[str, str]) -> dict[str, str]:
    """Check that no header ends before its end."""
    for name, value in headers.items():
        if _CONTROL_CHARACTER.search(name + value):
            raise ValueError("a header holds a control character")
    return headers


def _is_about(error: aiohttp.ClientConnectorError, proxy: str | None) -> bool:
    """Say whether it is the proxy that couldn't be connected to."""
    if proxy is None:
        return False
    url = URL(proxy)
    same_host = error.host in {url.host, url.raw_host} and error.port == url.port
    return isinstance(error, aiohttp.ClientProxyConnectionError) or same_host
