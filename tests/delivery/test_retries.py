"""Requests are sent again where that may help, as often and as fast as allowed, and no longer."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.plan import Ended
from airflow_provider_userdata.delivery.sending import Patience
from airflow_provider_userdata.delivery.transport import Endpoint, Transport
from airflow_provider_userdata.errors import VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors.contract import Request

Deliver = Callable[..., Ended]
Rows = Callable[..., list[dict[str, Any]]]
Lines = Callable[[str | None], list[dict[str, Any]]]
Later = Callable[[float, Callable[[], None]], None]

ALL = ("thymia", "gerosense", "ptengine")


@pytest.fixture
def sent_at(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[float]:
    """Collect the moments at which requests are sent, on the test's clock."""
    moments: list[float] = []
    post = Transport.post

    async def noted(transport: Transport, request: Request) -> Any:
        moments.append(clock.seconds())
        return await post(transport, request)

    monkeypatch.setattr(Transport, "post", noted)
    return moments


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("fault", ["408", "425", "429", "500", "502", "503", "504", "500 body=html", "503 body=big"])
def test_what_may_pass_is_sent_again(vendor: str, fault: str, sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """A vendor's trouble costs attempts, no records (A2)."""
    sandbox.vendors[vendor].script(f"{fault} x5")

    ended = deliver(vendor, rows(vendor, 3 if vendor == "gerosense" else 1))

    assert ended.error is None
    assert ended.report.delivered == ended.report.read
    assert (ended.report.requests, ended.report.retries) == (6, 5)


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("fault", ["503", "429", "cut"])
def test_used_up_attempts_end_the_run(
    vendor: str, fault: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: Lines
) -> None:
    """After `max_attempts` the vendor counts as down, in the way that is retried, and the source isn't drained."""
    sandbox.vendors[vendor].script(f"{fault} x99999")

    ended = deliver(vendor, rows(vendor, 20_000), max_in_flight=2, patience=Patience(max_attempts=4))

    assert isinstance(ended.error, VendorDownError)
    assert ended.error.retriable
    assert sandbox.vendors[vendor].counts.requests <= 2 * 4
    assert ended.report.read < 20_000 or vendor == "gerosense"
    assert ended.report.delivered == ended.report.rejected == 0
    if fault == "cut":
        assert {line["rule"] for line in lines(ended.report.rejects) if line["fate"] == "unknown"} == {"A3"}
    else:
        assert ended.report.unknown == 0


@pytest.mark.parametrize("after", ["7", "date+30", "0", "'Wed, 21 Oct 2015 07:28:00 GMT'"])
@pytest.mark.parametrize("status", [429, 503])
def test_what_the_vendor_asks_to_wait_uses_no_attempt(
    after: str, status: int, sandbox: Sandbox, deliver: Deliver, rows: Rows, sent_at: list[float]
) -> None:
    """`Retry-After`, in seconds or as a date, is obeyed as often as it comes, and never without a pause (A2)."""
    sandbox.thymia.script(f"{status} retry-after={after} x20")

    ended = deliver("thymia", rows("thymia", 1), patience=Patience(max_attempts=1))

    assert (ended.error, ended.report.delivered, ended.report.retries) == (None, 1, 20)
    pauses = [later - earlier for earlier, later in pairwise(sent_at)]
    assert all(pause >= (7 if after == "7" else 1) for pause in pauses)
    if after == "date+30":
        assert pauses[0] >= 25


@pytest.mark.parametrize("after", ["soon", "nan", "-x", "''", "'Sun, 06 Nov 1994 08:49:37 +99999999999999999999'"])
def test_a_pause_that_cannot_be_read_uses_an_attempt(
    after: str, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """A `Retry-After` without meaning is none (A4)."""
    sandbox.thymia.script(f"429 retry-after={after} x9")

    ended = deliver("thymia", rows("thymia", 1), patience=Patience(max_attempts=3))

    assert isinstance(ended.error, VendorDownError)
    assert ended.report.requests == 3


def test_a_pause_holds_for_every_request(sandbox: Sandbox, deliver: Deliver, rows: Rows, sent_at: list[float]) -> None:
    """While a vendor asks for a pause, nothing else is sent either (A2)."""
    sandbox.thymia.script("429 retry-after=100")

    ended = deliver("thymia", rows("thymia", 50), max_in_flight=1)

    assert ended.report.delivered == 50
    assert min(sent_at[1:]) - sent_at[0] >= 100


@pytest.mark.parametrize("fault", ["429 retry-after=600 x99999", "503 retry-after=600 x99999", "429 retry-after=86400"])
def test_waiting_has_an_end(
    fault: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, clock: Clock, lines: Lines
) -> None:
    """`max_wait` without an accepted request ends the run; it doesn't start a wait that goes beyond (A4)."""
    begun = clock.seconds()
    sandbox.ptengine.script(fault)

    ended = deliver("ptengine", rows("ptengine", 100), patience=Patience(max_wait=3600))

    assert isinstance(ended.error, VendorDownError)
    assert "max_wait" in str(ended.error)
    assert clock.seconds() - begun <= 3600
    assert ended.report.requests <= 7
    assert {(line["fate"], line["rule"]) for line in lines(ended.report.rejects)} == {("held", "A4")}


def test_an_accepted_request_begins_the_wait_anew(sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """As long as something is accepted now and then, a slow vendor is waited for."""
    sandbox.thymia.script(*["429 retry-after=50 x3", "ok"] * 10)

    ended = deliver("thymia", rows("thymia", 10), max_in_flight=1, patience=Patience(max_wait=160))

    assert (ended.error, ended.report.delivered) == (None, 10)


@pytest.mark.parametrize("per_second", [0.5, 4, 50])
def test_requests_a_second_are_a_hard_limit(
    per_second: float, sandbox: Sandbox, deliver: Deliver, rows: Rows, sent_at: list[float]
) -> None:
    """Also with requests that are sent again and with pauses, no more go out in any second than may."""
    sandbox.random_faults("thymia", seed=3, chances={"503": 0.2, "429 retry-after=3": 0.1, "cut": 0.1})

    ended = deliver("thymia", rows("thymia", 120), requests_per_second=per_second, patience=Patience(max_attempts=50))

    assert ended.report.delivered == 120
    assert len(sent_at) == ended.report.requests > 120
    most, window = math.ceil(per_second), max(1.0, 1 / per_second)
    assert all(later - earlier >= window for earlier, later in zip(sent_at, sent_at[most:], strict=False))


def test_maintenance_is_waited_for(sandbox: Sandbox, deliver: Deliver, rows: Rows, later: Later) -> None:
    """While the vendor says that it is in maintenance, nothing is sent; then all goes (G13)."""
    sandbox.gerosense.maintenance = True
    later(200, lambda: setattr(sandbox.gerosense, "maintenance", False))

    ended = deliver("gerosense", rows("gerosense", 1001))

    assert (ended.error, ended.report.delivered, ended.report.requests) == (None, 1001, 2)


def test_maintenance_that_begins_in_the_middle_is_waited_for(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, later: Later
) -> None:
    """A 503 asks the vendor's status, and the request waits until it is over."""
    samples = rows("gerosense", 5_000)

    def going_down() -> Any:
        for place, sample in enumerate(samples):
            if place == 2_500:
                sandbox.gerosense.maintenance = True
            yield sample

    later(300, lambda: setattr(sandbox.gerosense, "maintenance", False))

    ended = deliver("gerosense", going_down(), requests_per_second=0.1)

    assert (ended.error, ended.report.delivered) == (None, 5_000)


def test_maintenance_without_an_end_ends_the_run(sandbox: Sandbox, deliver: Deliver, rows: Rows, clock: Clock) -> None:
    """Maintenance that outlasts `max_wait` fails in the way that is retried, and nothing was sent."""
    sandbox.gerosense.maintenance = True
    begun = clock.seconds()

    ended = deliver("gerosense", rows("gerosense", 10), patience=Patience(max_wait=600))

    assert isinstance(ended.error, VendorDownError)
    assert "maintenance" in str(ended.error)
    assert (ended.report.requests, ended.report.delivered) == (0, 0)
    assert clock.seconds() - begun <= 600


def test_a_refused_connection_is_not_in_doubt(deliver: Deliver, rows: Rows, refusing_port: int) -> None:
    """Where nobody listens, nothing can have arrived: all is held, nothing unknown (A3)."""
    nowhere = Endpoint(f"http://127.0.0.1:{refusing_port}", {"x-api-key": "geheim"}, timeout=5)

    ended = deliver("thymia", rows("thymia", 5), endpoint=nowhere, patience=Patience(on_doubt="hold"))

    assert isinstance(ended.error, VendorDownError)
    assert (ended.report.unknown, ended.report.resent) == (0, 0)
    assert ended.report.held == ended.report.read
