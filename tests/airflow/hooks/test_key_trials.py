"""How *Test* tries a key: by requests without data, and with no conclusion but the one that an answer allows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from airflow_provider_userdata.hooks.base import VendorHook

Connect = Callable[..., VendorHook]
Serving = Callable[..., str]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WORDS = "zaphod-in-an-answer"
"""Stands in the answers, and must not stand in what *Test* says."""
JSON = json.dumps({"msg": WORDS, "status": WORDS, "timestamp": 1}).encode()
PAGE = f"<!DOCTYPE html><html><body>{WORDS}</body></html>".encode()
TRIALS = {
    "thymia": ("GET", "/v1/account", b""),
    "gerosense": ("POST", "/api/v1.1/samples", b'{"data": []}'),
    "ptengine": ("POST", "/v1/user/profiles", b'{"field_name": [], "values": []}'),
}
POSTS = ("gerosense", "ptengine")


@pytest.mark.parametrize("vendor", TRIALS)
def test_what_is_sent(connect: Connect, vendor_server: Any, vendor: str) -> None:
    """One request without data, to be refused for what it lacks; GeroSense is asked for its status first."""
    connect(vendor, host=vendor_server.url).test_connection()

    assert vendor_server.tried == [TRIALS[vendor]]
    assert len(vendor_server.seen) == (2 if vendor == "gerosense" else 1)


@pytest.mark.parametrize("body", [JSON, b"", b"bad request", b'"<p>"'])
@pytest.mark.parametrize("vendor", POSTS)
def test_a_400_is_a_good_key(connect: Connect, vendor_server: Any, vendor: str, body: bytes) -> None:
    """The vendor took the key, and refused the rest (G13, P12)."""
    vendor_server.answer = (400, {}, body)
    called = {"gerosense": "GeroSense accepts the bearer token", "ptengine": "Ptengine accepts the API key"}

    assert connect(vendor, host=vendor_server.url).test_connection() == (True, called[vendor])


def test_an_account_is_a_good_key(connect: Connect, vendor_server: Any) -> None:
    """Thymia answers with whose it is (T12); anything else is not Thymia."""
    for body, works in (
        (b'{"id": "a", "features": []}', True),
        *((body, False) for body in (JSON, PAGE, b"", b"[]", b"null", b"[" * 100_000)),
    ):
        vendor_server.answer = (200, {}, body)
        ok, message = connect("thymia", host=vendor_server.url).test_connection()
        assert ok is works
        assert ("but without an account; is the connection's host right?" in message) is not works
        assert ("a page of HTML" in message) is (body == PAGE)


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (401, {}, JSON, "answered 401: the key or token is not valid"),
        (403, {}, JSON, "answered 403: the key or token has no permission for this"),
        (403, {}, PAGE, "no permission for this. It sent a page of HTML, as proxies and firewalls do"),
        (404, {}, JSON, "answered 404: this address does not exist; is the connection's host right?"),
        (404, {}, PAGE, "is the connection's host right? It sent a page of HTML, as proxies and firewalls do"),
        (405, {}, JSON, "answered 405, which the vendor's contract doesn't name"),
        (407, {}, PAGE, "answered 407: the proxy requires credentials"),
        (302, {"Location": "https://sso.example/x"}, PAGE, "a redirect, which is not followed, to sso.example"),
        (302, {}, b"", "a redirect, which is not followed"),
        (400, {}, PAGE, "answered 400: it refuses this request; is the connection's host right? It sent a page"),
        (400, {}, b"plain HTTP request was sent to HTTPS port", "http was sent to an https port"),
        (400, {}, b"No required SSL certificate was sent", "it asks for a client certificate"),
        (207, {}, JSON, "answered 207: it was expected to answer something else"),
        (422, {}, JSON, "answered 422: it refuses this request"),
        (408, {}, b"", "answered 408: it waited too long for the request; try again"),
        (
            429,
            {"Retry-After": "1"},
            JSON,
            "answered 429: it takes no more requests for now; try again in",
        ),
        (500, {}, JSON, "answered 500: something is wrong on its side; try again later"),
        (502, {}, PAGE, "something is wrong on its side; try again later. It sent a page of HTML"),
        (503, {"Retry-After": "1"}, JSON, "answered 503: it takes no requests for now; try again later"),
    ],
)
@pytest.mark.parametrize("vendor", TRIALS)
def test_no_other_answer_is_a_good_key(
    connect: Connect, vendor_server: Any, key: str, vendor: str, status: int, headers: Any, body: bytes, said: str
) -> None:
    """Each is said with what to do, after one try, without the key and without a word of the answer."""
    vendor_server.answer = (status, headers, body)

    works, message = connect(vendor, host=vendor_server.url).test_connection()

    assert (works, said in message) == (False, True), message
    assert f"(this connection, host {vendor_server.url.removeprefix('http://')})" in message
    assert len(vendor_server.tried) == 1
    assert WORDS not in message
    assert key not in message


@pytest.mark.parametrize("body", [JSON, PAGE, b"", b'{"msg": "Success", "timestamp": 1}'])
@pytest.mark.parametrize("vendor", POSTS)
def test_a_200_is_no_good_key(connect: Connect, vendor_server: Any, vendor: str, body: bytes) -> None:
    """Whoever takes a request without data may take any key, or be a proxy: it is said that nothing is known."""
    vendor_server.answer = (200, {}, body)

    works, message = connect(vendor, host=vendor_server.url).test_connection()

    assert not works
    assert "could not be tried" in message
    assert "answered 200: it was expected to answer something else" in message
    assert WORDS not in message


@pytest.mark.parametrize(("status", "tried"), [(401, True), (403, True), (200, False), (429, False), (500, False)])
@pytest.mark.parametrize("vendor", POSTS)
def test_whether_the_key_was_tried(connect: Connect, vendor_server: Any, vendor: str, status: int, tried: bool) -> None:
    """Only 401 and 403 are a word about the key."""
    vendor_server.answer = (status, {}, JSON)

    message = connect(vendor, host=vendor_server.url).test_connection()[1]

    assert ("could not be tried" in message) is not tried


def answering(answer: bytes) -> Serve:
    """Answer whatever comes, once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read(65536)
            writer.write(answer)
        writer.close()

    return serve


@pytest.mark.parametrize("vendor", TRIALS)
def test_no_answer_at_all(
    serving: Serving, connect: Connect, authority: Any, key: str, vendor: str, refusing_port: int
) -> None:
    """Nobody there, no such host, a certificate that isn't trusted, http for https and the reverse, a proxy's no."""
    tls = serving(answering(b""), authority.server("127.0.0.1"))
    proxy = serving(answering(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"))
    trusted = {"verify": str(authority.path)}
    for fields, said in (
        ({"host": f"http://127.0.0.1:{refusing_port}"}, "it refused the connection (is the port right, is the service"),
        ({"host": "nowhere.invalid"}, "its name was not found (is the connection's host right, does this machine"),
        ({"host": tls}, "its certificate is signed by an authority that isn't trusted here ('verify' in the"),
        ({"host": tls, "extra": trusted}, "it closed the connection"),
        ({"host": serving(answering(b"HTTP/1.1 400 No\r\n\r\n"))}, "it doesn't speak https at that port"),
        ({"host": f"http://{serving(answering(bytes.fromhex('15030100020246')))}"}, "http was sent to an https port"),
        ({"host": "vendor.example", "extra": {"proxy": f"http://{proxy}"}}, "the proxy answered 403 instead of conn"),
    ):
        works, message = connect(vendor, **fields).test_connection()
        assert (works, said in message) == (False, True), message
        assert "this connection, host " in message
        assert key not in message


def test_an_unchecked_certificate_is_said(serving: Serving, connect: Connect, authority: Any) -> None:
    """A green test without a check of the certificate says so."""
    refusal = answering(b"HTTP/1.1 400 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    place = serving(refusal, authority.server("other.example"))

    works, message = connect("ptengine", host=place, extra={"verify": "False"}).test_connection()

    assert works
    assert message == (
        "Ptengine accepts the API key; its certificate is not checked, because 'verify' in the extra is false"
    )
