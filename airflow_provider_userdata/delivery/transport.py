"""One request and its answer, over aiohttp: the only place that speaks HTTP for the volume."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace, TracebackType

import aiohttp
from yarl import URL

from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Request

LONGEST_ANSWER = 1024 * 1024
"""Bytes of an answer that are read: a receipt is far shorter, and an error page of any length is survived."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, and how: what a hook makes of an Airflow connection.

    :param url: scheme, host and port, without a slash at the end.
    :param headers: the vendor's credential; never shown.
    :param timeout: seconds that a request may take in all.
    :param verify: whether the vendor's certificate is checked.
    :param ca_file: the certificates that it is checked by; None takes the machine's own.
    :param proxy: a proxy's address, or None; never shown, since it may hold a password.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    timeout: float = 60.0
    verify: bool = True
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A request that got no answer.

    :param reason: the kind of failure.
    :param written: whether the vendor may have seen the request, so that it is in doubt (A3).
    :param timed_out: whether the vendor was too slow.
    """

    reason: str
    written: bool
    timed_out: bool = False


class Transport:
    """Sends requests over a pool of connections. Used inside the loop, as a context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Transport:
        """Open the pool."""
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(_mark_written)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=_ssl(self._endpoint)),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._endpoint.timeout),
            headers={**self._endpoint.headers, "Content-Type": "application/json", "Accept-Encoding": "identity"},
            trace_configs=[tracing],
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pool and all connections."""
        if self._session is not None:
            await self._session.close()

    async def post(self, request: Request) -> Answer | NoAnswer:
        """Send a request, once, and give its answer."""
        return await self._once("POST", request.path, request.body)

    async def get(self, path: str) -> Answer | NoAnswer:
        """Ask for a path below the endpoint's address."""
        return await self._once("GET", path, None)

    async def _once(self, method: str, path: str, body: bytes | None) -> Answer | NoAnswer:
        if self._session is None:
            raise RuntimeError("the transport is not open")
        sent = SimpleNamespace(written=False)
        try:
            async with self._session.request(
                method,
                URL(self._endpoint.url + path, encoded=True),
                data=body,
                allow_redirects=False,
                proxy=self._endpoint.proxy,
                trace_request_ctx=sent,
            ) as response:
                return await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return NoAnswer(_kind(error), sent.written, isinstance(error, TimeoutError))


async def _read(response: aiohttp.ClientResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = bytearray()
    complete = True
    try:
        async for block in response.content.iter_any():
            body += block
            if len(body) > LONGEST_ANSWER:
                complete = False
                response.close()
                break
    except (aiohttp.ClientError, TimeoutError, OSError):
        complete = False
    return Answer(response.status, headers, bytes(body[:LONGEST_ANSWER]), complete)


async def _mark_written(_session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object) -> None:
    context.trace_request_ctx.written = True


def _ssl(endpoint: Endpoint) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=endpoint.ca_file) if endpoint.verify else False


def _kind(error: BaseException) -> str:
    """Name a failure without its message, which may hold an address with a password."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "the connection's certificate was not accepted (TLS)"
    if isinstance(error, TimeoutError):
        return "no answer within the connection's timeout"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the connection's host was not found"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the connection was refused"
    return f"the connection broke ({type(error).__name__})"
