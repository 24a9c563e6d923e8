"""Sends one HTTP request and reads its answer, over aiohttp: a delivery speaks HTTP only here.

Only aiohttp's documented API is used; the tests run on aiohttp 3.11 and on the newest release.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import inspect
import io
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from airflow_provider_userdata.delivery.sending import failures
from airflow_provider_userdata.delivery.sending.failures import Failure, TooLongHeadersError
from airflow_provider_userdata.vendors import PROXY_WANTS_CREDENTIALS, Answer, Request

LONGEST_ANSWER = 1024 * 1024
"""Bytes of an answer that are read. A receipt is much shorter; the rest of a longer error page is not needed."""
_LARGE_BODY = 1024 * 1024
"""Bytes above which aiohttp warns about a body in one piece and wants it in a file object."""
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_BAD_REQUEST = 400
_LIMITS: Mapping[str, Any] = {
    "max_line_size": failures.LONGEST_HEADER,
    "max_field_size": failures.LONGEST_HEADER,
}
if "max_headers" in inspect.signature(aiohttp.ClientSession).parameters:
    # Newer versions of aiohttp limit the number of headers. Allow as many as fit into the length.
    _LIMITS = {**_LIMITS, "max_headers": failures.LONGEST_HEADERS // len("a:\r\n")}
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go and how, as a hook reads it from an Airflow connection.

    :param url: scheme, host, port and path, without a slash at the end.
    :param headers: the vendor's credential; never shown in messages.
    :param timeout: seconds for a whole request, with its answer.
    :param tls: certificates to trust; True trusts those of the machine, False disables the check.
    :param proxy: the address of a proxy, or None; never shown in full, because it may hold a password.
    :param connection: the Airflow connection's id, for messages.
    :param login: name and password of an account, if a login gives the credential; never shown.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    timeout: float = 60.0
    tls: ssl.SSLContext | bool = True
    proxy: str | None = field(default=None, repr=False)
    connection: str = ""
    login: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def account(self) -> str:
        """What tells the vendor's accounts apart: the login's name, or the credential itself."""
        return "".join(self.headers.values()) if self.login is None else self.login[0]

    @property
    def way(self) -> str:
        """What messages may show of it: the connection's id, and the hosts and ports of the vendor and the proxy."""
        parts = [f"connection {self.connection!r}"] if self.connection else []
        parts.append(f"host {_host_and_port(self.url)}")
        if self.proxy:
            parts.append(f"proxy {_host_and_port(self.proxy)}")
        return ", ".join(parts)

    @property
    def address(self) -> str:
        """The scheme, host and port."""
        return f"{urlsplit(self.url).scheme}://{_host_and_port(self.url)}"

    @property
    def secure(self) -> bool:
        """Whether the vendor is reached over https."""
        return self.url.lower().startswith("https:")


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The result of a request that got no answer.

    :param reason: what happened and what to check; the vendor's name goes before it.
    :param written: whether the vendor may have seen the request: then it is in doubt (A3).
    :param timed_out: whether the time ran out.
    :param stops: whether a retry can't help until somebody changes something.
    """

    reason: str
    written: bool
    timed_out: bool = False
    stops: bool = False


class Transport:
    """Sends requests over a pool of connections: an async context manager.

    A POST is sent exactly once. aiohttp may repeat a GET whose reused connection turned out to be closed.
    Redirects are not followed, and neither cookies nor the proxies in environment variables are used.

    :raises ValueError: a header of the endpoint holds a control character.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._headers = {**endpoint.headers, **_HEADERS, **_for_proxy(endpoint)}
        if any(_CONTROL_CHARACTER.search(name + value) for name, value in self._headers.items()):
            raise ValueError("a header holds a control character")
        self._session: aiohttp.ClientSession
        # Parsing takes time, and there are few paths.
        self._url = functools.cache(lambda path: URL(endpoint.url + path, encoded=True))

    async def __aenter__(self) -> Transport:
        """Open the pool."""
        endpoint = self.endpoint
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_connected)
        trace.on_connection_reuseconn.append(_connected)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=endpoint.tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=endpoint.proxy,
            timeout=aiohttp.ClientTimeout(),
            trace_configs=[trace],
            trust_env=False,
            **_LIMITS,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pool and all connections."""
        await self._session.close()

    async def post(self, request: Request) -> Answer | NoAnswer:
        """Send a request once and return its answer."""
        body, own = request.body, request.headers
        if request.content_type != _HEADERS["Content-Type"]:
            own = {**own, "Content-Type": request.content_type}
        return await self._send("POST", request.path, io.BytesIO(body) if len(body) > _LARGE_BODY else body, own)

    async def get(self, path: str) -> Answer | NoAnswer:
        """Return the answer to a GET of a path below the endpoint's address."""
        return await self._send("GET", path)

    async def _send(
        self, method: str, path: str, body: bytes | io.BytesIO | None = None, own: Mapping[str, str] | None = None
    ) -> Answer | NoAnswer:
        exchange = _Exchange()
        request = self._session.request(
            method,
            self._url(path),
            headers={
                **self._headers,
                **(own or {}),
            },  # not the session's headers: it would show those to a proxy, credential included
            data=body,
            allow_redirects=False,
            trace_request_ctx=exchange,
        )
        try:
            async with asyncio.timeout(self.endpoint.timeout), request as response:
                await exchange.read(response)
        except aiohttp.ClientHttpProxyError as error:
            if error.status == PROXY_WANTS_CREDENTIALS:
                return Answer(error.status, error.headers or {}, b"")
            return self._no_answer(failures.of_proxy(error.status), written=False)
        except (aiohttp.ClientError, TooLongHeadersError, OSError) as error:  # a TimeoutError is an OSError
            if exchange.response is None:
                return self._failed(error, written=exchange.written)
        answer = exchange.answer()
        failure = failures.of_refusal(answer.body) if answer.status == _BAD_REQUEST else None
        return answer if failure is None else self._no_answer(failure, written=False)

    def _failed(self, error: BaseException, *, written: bool) -> NoAnswer:
        """Explain why no answer came."""
        endpoint = self.endpoint
        at_proxy = isinstance(error, aiohttp.ClientConnectorError) and _is_about(error, endpoint.proxy)
        failure = failures.explain(
            error, secure=endpoint.secure, written=written, seconds=endpoint.timeout, at_proxy=at_proxy
        )
        return self._no_answer(failure, written=written, timed_out=isinstance(error, TimeoutError))

    def _no_answer(self, failure: Failure, *, written: bool, timed_out: bool = False) -> NoAnswer:
        said = failure.said_of(self.endpoint.way, written=written)
        return NoAnswer(said, written and not failure.stops, timed_out, failure.stops)


class _Exchange:
    """A request, and as much of its answer as has arrived."""

    def __init__(self) -> None:
        self.written = False
        self.response: aiohttp.ClientResponse | None = None
        self._body = bytearray()
        self._complete = False

    async def read(self, response: aiohttp.ClientResponse) -> None:
        """Read the answer, up to `LONGEST_ANSWER`.

        :raises TooLongHeadersError: its headers are longer than `LONGEST_HEADERS`.
        """
        if sum(len(name) + len(value) + 4 for name, value in response.raw_headers) > failures.LONGEST_HEADERS:
            response.close()
            raise TooLongHeadersError
        self.response = response
        while not response.content.at_eof():
            self._body += await response.content.readany()
            if len(self._body) > LONGEST_ANSWER:
                response.close()
                return
        self._complete = True

    def answer(self) -> Answer:
        """Return what has arrived of the answer."""
        assert self.response is not None  # noqa: S101  # otherwise there is no answer
        body = bytes(self._body[:LONGEST_ANSWER])
        return Answer(self.response.status, self.response.headers, body, self._complete)


async def _connected(_session: object, context: SimpleNamespace, _connection: object) -> None:
    """Record that the request may have been written.

    aiohttp calls this when a request gets its connection: after a proxy's CONNECT and the TLS handshake, and before the
    first byte of the request. `on_request_headers_sent` is documented to come only after the headers.
    """
    context.trace_request_ctx.written = True


def _for_proxy(endpoint: Endpoint) -> dict[str, str]:
    """Return a proxy's credential for the requests that it reads: those to a vendor over http.

    aiohttp 3.11 adds it only to the first request on a connection.
    """
    proxy = URL(endpoint.proxy or "")
    if (proxy.user is None and proxy.password is None) or endpoint.secure:
        return {}
    credential = base64.b64encode(f"{proxy.user or ''}:{proxy.password or ''}".encode("latin-1"))
    return {"Proxy-Authorization": f"Basic {credential.decode()}"}


def _host_and_port(url: str) -> str:
    """Return an address without its path and credentials."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return "that is not a valid address"


def _is_about(error: aiohttp.ClientConnectorError, proxy: str | None) -> bool:
    """Return whether the connection to the proxy failed, not the one to the vendor behind it.

    An error's `host` and `port` are public, but aiohttp's reference doesn't list them. They only choose the words.
    """
    if proxy is None:
        return False
    url = URL(proxy)
    same_host = error.host in {url.host, url.raw_host} and error.port == url.port
    return isinstance(error, aiohttp.ClientProxyConnectionError) or same_host
