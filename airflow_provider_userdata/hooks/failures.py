"""Explains why a connection test failed, in the same words as a delivery."""

from __future__ import annotations

import re

import requests
import urllib3.exceptions

from airflow_provider_userdata.delivery.sending import Endpoint, Failure, failures
from airflow_provider_userdata.vendors import PROXY_WANTS_CREDENTIALS, Answer, Stop, shared_meaning

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_BEFORE_SENDING = (
    requests.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
)
_MANY_HEADERS = Failure("it answered with over 100 headers, which this test can't read", "a delivery can read them")


def answered(response: requests.Response) -> str:
    """Describe an answer that a connection test didn't expect, without its body."""
    if said := barred(response):
        return said
    meaning = shared_meaning(Answer(response.status_code, response.headers, b""))
    return meaning.reason if isinstance(meaning, Stop) else f"answered {response.status_code}, which is unexpected"


def barred(response: requests.Response) -> str | None:
    """Return what kept the request from the vendor, if a proxy or gateway answered in its place; else None."""
    if response.status_code == PROXY_WANTS_CREDENTIALS:
        return _proxy_wants_credentials()
    failure = failures.of_refusal(response.content) if response.status_code == 400 else None
    return f"answered 400: {failure.what} ({failure.look_at})" if failure else None


def explained(error: requests.RequestException, endpoint: Endpoint) -> str:
    """Return why no answer came.

    :param error: what `requests` raised.
    :param endpoint: where the request went.
    """
    if isinstance(error, requests.TooManyRedirects) and error.response is not None:
        return f"{answered(error.response)} ({endpoint.way})"
    causes = list(failures.causes(error))
    tunnel = next((found for cause in causes if (found := _TUNNEL.match(str(cause)))), None)
    if tunnel is not None and int(tunnel[1]) == PROXY_WANTS_CREDENTIALS:
        return f"{_proxy_wants_credentials()} ({endpoint.way})"
    in_handshake = any(isinstance(cause, TimeoutError) and "handshake" in str(cause) for cause in causes)
    written = not in_handshake and not any(isinstance(cause, _BEFORE_SENDING) for cause in causes)
    if tunnel is not None:
        failure = failures.of_proxy(int(tunnel[1]))
    elif any("more than 100 headers" in str(cause) for cause in causes):
        failure = _MANY_HEADERS
    else:
        at_proxy = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
        failure = failures.explain(error, endpoint.way, written=written, seconds=endpoint.timeout, at_proxy=at_proxy)
    return failure.said_of(endpoint.way, written=written)


def _proxy_wants_credentials() -> str:
    meaning = shared_meaning(Answer(PROXY_WANTS_CREDENTIALS, {}, b""))
    assert isinstance(meaning, Stop)  # noqa: S101  # the same for every vendor
    return meaning.reason
