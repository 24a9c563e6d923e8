"""The defaults wait for a vendor that restarts, not for ever, and say what they waited for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.delivery.sending.transport import NoAnswer, Transport
from airflow_provider_userdata.errors import VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Request

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]
Later = Callable[[float, Callable[[], None]], None]

ALL = ("thymia", "gerosense", "ptengine")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("429 retry-after=86400", "answered 429, and asks to wait for 86,400 s: more than max_wait=3600 allows"),
        ("503 retry-after=99999999999", "asks to wait for 99,999,999,999 s: more than max_wait=3600 allows"),
        (
            "429 retry-after=2000 x2",
            "asks to wait for 2,000 s after 2,000 s without an accepted request: more than max_wait=3600 allows",
        ),
        ("429 retry-after='Wed, 01 Jan 2200 02:00:00 +0200'", "asks to wait until 2200-01-01 00:00:00 UTC: more than"),
    ],
)
@pytest.mark.parametrize("vendor", ALL)
def test_a_wait_beyond_what_is_allowed_is_called_what_the_vendor_asked_for(
    vendor: str, fault: str, says: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """Nobody reads of an hour that never was: the error says what was asked, and what `max_wait` allows (A4)."""
    sandbox.vendors[vendor].script(fault)

    ended = deliver(vendor, rows(vendor, 3), max_in_flight=1)

    assert isinstance(ended.error, VendorDownError)
    assert says in str(ended.error)
    assert any(says in line["reason"] for line in lines(ended.report.rejects))


def test_maintenance_beyond_what_is_allowed_says_how_long_it_was_waited_for(
    sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """The error of endless maintenance has the time that was waited, and the time that may be (G13)."""
    sandbox.gerosense.maintenance = True

    ended = deliver("gerosense", rows("gerosense", 3), patience=Patience(max_wait=600))

    says = "the vendor is in maintenance, and would be asked again in 15 s after 600 s without an accepted request"
    assert f"{says}: more than max_wait=600 allows" in str(ended.error)


@pytest.mark.parametrize(("after", "requests"), [("7200", 1), ("300", 3)])
def test_maintenance_that_says_how_long_is_asked_no_earlier(
    after: str,
    requests: int,
    sandbox: Sandbox,
    deliver: Deliver,
    rows: Rows,
    later: Later,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A status page's own `Retry-After` is obeyed, like any other (A2, G13)."""
    sandbox.gerosense.maintenance = True
    later(500, lambda: setattr(sandbox.gerosense, "maintenance", False))
    looks = 0
    get = Transport.get

    async def with_header(transport: Transport, path: str) -> Any:
        nonlocal looks
        looks += 1
        answer = await get(transport, path)
        assert isinstance(answer, Answer)
        return dataclasses.replace(answer, headers={"retry-after": after})

    monkeypatch.setattr(Transport, "get", with_header)
    ended = deliver("gerosense", rows("gerosense", 3))

    assert looks == requests
    if after == "300":
        assert (ended.error, ended.report.delivered) == (None, 3)
    else:
        assert "asks to wait for 7,200 s: more than max_wait=3600 allows" in str(ended.error)


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("fault", ["502", "503", "refused"])
@pytest.mark.parametrize("outage", [10, 120])
@pytest.mark.parametrize("in_flight", [1, 16])
def test_a_vendor_that_restarts_is_waited_for(
    vendor: str,
    fault: str,
    outage: int,
    in_flight: int,
    sandbox: Sandbox,
    deliver: Deliver,
    rows: Rows,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two minutes of refused connections or errors cost the defaults no attempt of the task, wherever they begin."""
    count = {"thymia": 40, "gerosense": 20_000, "ptengine": 2_000}[vendor]
    post = Transport.post
    begun: list[float] = []

    async def down_for_a_while(transport: Transport, request: Request) -> Any:
        if not begun and sandbox.vendors[vendor].counts.accepted_requests >= 5:
            begun.append(clock.seconds())
        if not begun or clock.seconds() >= begun[0] + outage:
            return await post(transport, request)
        refused = NoAnswer("the connection was refused", written=False)
        return refused if fault == "refused" else Answer(int(fault), {}, b"")

    monkeypatch.setattr(Transport, "post", down_for_a_while)
    ended = deliver(vendor, rows(vendor, count), max_in_flight=in_flight)

    assert (ended.error, ended.report.delivered) == (None, count)
    assert clock.seconds() - begun[0] <= {10: 30, 120: 240}[outage]


@pytest.mark.parametrize("fault", ["503", "429", "cut"])
def test_a_dead_vendor_is_not_sent_more_for_it(
    fault: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, clock: Clock
) -> None:
    """The defaults ask a vendor that stays down six times a request, over two minutes and a half (A2)."""
    begun = clock.seconds()
    sandbox.thymia.script(f"{fault} x99999")

    ended = deliver("thymia", rows("thymia", 1_000), max_in_flight=4)

    assert isinstance(ended.error, VendorDownError)
    assert "after 6 attempts" in str(ended.error)
    assert sandbox.thymia.counts.requests <= 4 * 6
    assert 120 <= clock.seconds() - begun <= 200


def test_a_short_wait_of_ones_own_is_used_to_its_end(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, clock: Clock
) -> None:
    """Who allows a minute gets all attempts in that minute."""
    sandbox.thymia.script("503 x99999")

    ended = deliver("thymia", rows("thymia", 1), patience=Patience(max_wait=60))

    assert sandbox.thymia.counts.requests == 6
    assert "after 6 attempts" in str(ended.error)
