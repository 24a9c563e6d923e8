"""A request whose answer never came may have been accepted: it is sent again and counted, or reported."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.delivery.sending.transport import Endpoint
from airflow_provider_userdata.errors import RefusedError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]

ALL = ("thymia", "gerosense", "ptengine")
HOLD = Patience(on_doubt="hold")


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("fault", ["cut", "cut after accepting", "502", "504 after accepting", "504 body=html"])
def test_what_is_in_doubt_is_sent_again_and_counted(
    vendor: str, fault: str, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """At least once is the default; what may have arrived twice is counted (A3)."""
    sandbox.vendors[vendor].script(fault)
    count = 3 if vendor == "gerosense" else 1

    report = deliver(vendor, rows(vendor, count)).report

    assert (report.delivered, report.resent, report.unknown) == (count, count, 0)
    assert sandbox.vendors[vendor].counts.repeated == (count if "accepting" in fault else 0)


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("fault", ["cut", "cut after accepting", "502", "504 after accepting"])
def test_what_is_in_doubt_is_reported_where_the_author_asks_for_it(
    vendor: str, fault: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """With `on_doubt="hold"` it is unknown, whole, and not sent again; the rest goes on."""
    sandbox.vendors[vendor].script(fault)
    count = {"thymia": 1, "gerosense": 1000, "ptengine": 100}[vendor]
    records = rows(vendor, 2 * count)

    ended = deliver(vendor, records, max_in_flight=1, patience=HOLD)

    found = lines(ended.report.rejects)
    assert ended.error is None
    assert (ended.report.unknown, ended.report.delivered, ended.report.resent) == (count, count, 0)
    assert {line["rule"] for line in found} == {"A3"}
    assert [line["record"] for line in found] == records[:count]
    assert sandbox.vendors[vendor].counts.repeated == 0


@pytest.mark.parametrize("fault", ["503", "429", "425", "408"])
def test_an_answer_that_accepted_nothing_leaves_no_doubt(
    fault: str, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """A vendor that says that it can't is asked again, also with `on_doubt="hold"`."""
    sandbox.thymia.script(f"{fault} x2")

    report = deliver("thymia", rows("thymia", 1), patience=HOLD).report

    assert (report.delivered, report.resent, report.unknown) == (1, 0, 0)


def test_a_doubt_outlives_a_later_stop(sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines) -> None:
    """What may have been accepted before the key ended is unknown, not held (A3, A5)."""
    sandbox.ptengine.script("cut after accepting", "401 x99")

    ended = deliver("ptengine", rows("ptengine", 100))

    assert isinstance(ended.error, RefusedError)
    assert ended.report.unknown == 100
    assert lines(ended.report.rejects)[0]["fate"] == "unknown"


def test_a_doubt_outlives_used_up_attempts(sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """One broken connection among the attempts is enough for a doubt."""
    sandbox.ptengine.script("503", "cut after accepting", "503 x99")

    ended = deliver("ptengine", rows("ptengine", 100))

    assert isinstance(ended.error, VendorDownError)
    assert (ended.report.unknown, ended.report.held) == (100, 0)


@pytest.mark.parametrize("vendor", ["thymia", "ptengine"])
@pytest.mark.parametrize("fault", ["half", "200 body=big"])
def test_a_receipt_that_is_cut_off_is_in_doubt(
    vendor: str, fault: str, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """An answer that breaks off proves nothing, and neither does one without an end (T9, P9)."""
    sandbox.vendors[vendor].script(fault)

    report = deliver(vendor, rows(vendor, 1)).report

    assert (report.delivered, report.resent) == (1, 1)


def test_a_vendor_that_never_answers_is_in_doubt(sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """After the connection's time-out a request counts as in doubt."""
    sandbox.thymia.script("hang")
    key = {"x-api-key": sandbox.thymia.key}

    ended = deliver("thymia", rows("thymia", 1), endpoint=Endpoint(sandbox.url, key, timeout=1.0), patience=HOLD)

    assert (ended.error, ended.report.unknown) == (None, 1)


@pytest.fixture(
    params=[
        b"",
        b"\x00\x01\x02",
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["nothing", "bytes", "text", "no status", "no length", "cut", "bad chunk", "long header", "bad gzip"],
)
def odd_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a server that answers each connection with the same odd bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(request.param)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_an_answer_that_is_no_answer_is_in_doubt(odd_server: str, deliver: Deliver, rows: Rows) -> None:
    """Whatever bytes come back, the request counts as one without an answer."""
    ended = deliver("thymia", rows("thymia", 1), endpoint=Endpoint(odd_server, {}, timeout=5), patience=HOLD)

    assert (ended.error, ended.report.unknown, ended.report.requests) == (None, 1, 1)


def test_an_answer_in_no_known_encoding_is_survived(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that isn't UTF-8 is a success without proof."""
    answer = sandbox.ptengine.success(receipt=True)
    odd = type(answer)(200, b'{"msg": "\xff\xfe"}')
    monkeypatch.setattr(sandbox.ptengine, "success", lambda *, receipt: odd)

    ended = deliver("ptengine", rows("ptengine", 1))

    assert (ended.error, ended.report.unknown) == (None, 1)


def test_an_answer_that_cannot_be_understood_still_leaves_a_fate(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch, lines: JsonLines
) -> None:
    """Should a vendor's own code fail, what was sent is unknown, the run ends, and the counts add up (A5)."""

    def broken(*_: object) -> None:
        raise asyncio.InvalidStateError("no such state")

    monkeypatch.setattr("airflow_provider_userdata.vendors.ptengine.Ptengine.meaning", broken)

    ended = deliver("ptengine", rows("ptengine", 300))

    assert isinstance(ended.error, asyncio.InvalidStateError)
    assert ended.report.unknown >= 100
    assert ended.report.unknown + ended.report.held == 300
