"""Explains why a connection test failed, in the same words as a delivery."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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
_PAGE = "It sent a page of HTML, as proxies and firewalls do"
_WHAT_TO_DO = {
    2: "it was expected to answer something else; is the connection's host right?",
    4: "it refuses this request; is the connection's host right?",
    5: "something is wrong on its side; try again later",
    408: "it waited too long for the request; try again",
    425: "it takes no such request yet; try again later",
    429: "it takes no more requests for now; try again in a few minutes",
    501: "it doesn't know this kind of request; is the connection's host right?",
    503: "it takes no requests for now; try again later",
}
"""What to do about an answer: by status, or by its first digit."""
_MANY_HEADERS = Failure("it answered with over 100 headers, which this test can't read", "a delivery can read them")


def answered(response: requests.Response) -> str:
    """Describe an answer that a connection test didn't expect, and say what to do; without the answer's body."""
    if said := barred(response):
        return said
    return _with_page(_shared_reason(response.status_code, response.headers), response)


def answered_without(lack: str, response: requests.Response) -> str:
    """Describe an answer whose status is right, but not its body.

    :param lack: what the body should hold.
    """
    return _with_page(f"answered {response.status_code}, but without {lack}; is the connection's host right?", response)


def decoded(response: requests.Response) -> dict[Any, Any]:
    """Return the JSON object of an answer's body; an empty one if it holds something else."""
    body = Answer(response.status_code, response.headers, response.content).json()
    return body if isinstance(body, dict) else {}


def is_page(response: requests.Response) -> bool:
    """Return whether an answer is a page of HTML: a proxy's or a gateway's, because the vendors answer with JSON."""
    return Answer(response.status_code, response.headers, response.content).looks_like() == "a page of HTML"


def barred(response: requests.Response) -> str | None:
    """Return what kept the request from the vendor, if a proxy or gateway answered in its place; else None."""
    if response.status_code == PROXY_WANTS_CREDENTIALS:
        return _shared_reason(PROXY_WANTS_CREDENTIALS, {})
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
        return f"{_shared_reason(PROXY_WANTS_CREDENTIALS, {})} ({endpoint.way})"
    in_handshake = any(isinstance(cause, TimeoutError) and "handshake" in str(cause) for cause in causes)
    written = not in_handshake and not any(isinstance(cause, _BEFORE_SENDING) for cause in causes)
    if tunnel is not None:
        failure = failures.of_proxy(int(tunnel[1]))
    elif any("more than 100 headers" in str(cause) for cause in causes):
        failure = _MANY_HEADERS
    else:
        at_proxy = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
        failure = failures.explain(
            error, secure=endpoint.secure, written=written, seconds=endpoint.timeout, at_proxy=at_proxy
        )
    return failure.said_of(endpoint.way, written=written)


def _with_page(said: str, response: requests.Response) -> str:
    """Add a hint to a sentence if the answer is a page of HTML."""
    return f"{said}{'' if said.endswith('?') else '.'} {_PAGE}" if is_page(response) else said


def _shared_reason(status: int, headers: Mapping[str, str]) -> str:
    meaning = shared_meaning(Answer(status, headers, b""))
    if isinstance(meaning, Stop):
        return meaning.reason
    return f"answered {status}: {_WHAT_TO_DO.get(status) or _WHAT_TO_DO[status // 100]}"
