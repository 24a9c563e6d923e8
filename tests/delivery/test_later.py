"""A long wait ends the run, which comes back later, or is slept through; it never goes beyond `max_wait`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.sender import MAINTENANCE_PAUSE, Patience
from airflow_provider_userdata.errors import LaterError, StoppedError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import MemoryStore

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Later = Callable[[float, Callable[[], None]], None]
Attempt = Callable[..., Result]

MAY_DEFER = Patience(longest_sleep=60.0)


@pytest.fixture
def attempt(plan: Callable[..., Plan]) -> Attempt:
    """Make the next attempt of one run, with the checkpoint of the last."""
    store, made = MemoryStore(max_tries=3), []

    def attempted(vendor: str, source: Any, **given: Any) -> Result:
        made.append(vendor)
        given.setdefault("patience", MAY_DEFER)
        return Delivery(plan(vendor, source, attempt=f"{len(made)}-x", store=store, more_attempts=True, **given)).run()

    return attempted


@pytest.fixture
def spend(clock: Clock) -> Callable[[float], None]:
    """Let time pass between two attempts."""
    return lambda seconds: asyncio.run(clock.wait(asyncio.Event(), seconds))


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
@pytest.mark.parametrize("fault", ["429 retry-after=600", "503 retry-after=600", "429 retry-after=date+600"])
def test_a_pause_of_over_a_minute_ends_the_run_until_then(
    fault: str, vendor: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, clock: Clock
) -> None:
    """The error says when to come back; nothing else is sent, nothing is lost, and no time is spent."""
    sandbox.vendors[vendor].script("ok x2", fault)
    begun = clock.seconds()

    ended = deliver(vendor, rows(vendor, 5_000), max_in_flight=1, patience=MAY_DEFER)

    assert isinstance(ended.error, LaterError)
    assert ended.error.retriable
    assert timedelta(seconds=595) <= ended.error.until - clock.now() <= timedelta(seconds=601)
    assert sandbox.vendors[vendor].counts.requests == 3
    assert clock.seconds() - begun < 60
    assert (ended.report.rejected, ended.report.unknown) == (0, 0)


@pytest.mark.parametrize(("seconds", "longest"), [(60, 60.0), (600, None), (3000, None)])
def test_a_pause_that_may_be_slept_through_is(
    seconds: int, longest: float | None, sandbox: Sandbox, deliver: Deliver, rows: Rows, clock: Clock
) -> None:
    """A minute is waited for where the task is, and so is any pause of a task that can't defer."""
    sandbox.thymia.script(f"429 retry-after={seconds}")
    begun = clock.seconds()

    ended = deliver("thymia", rows("thymia", 20), patience=Patience(longest_sleep=longest))

    assert (ended.error, ended.report.delivered) == (None, 20)
    assert clock.seconds() - begun >= seconds


def test_maintenance_of_two_minutes_is_slept_through_where_nothing_defers(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, later: Later, clock: Clock
) -> None:
    """Without a longest sleep, the run waits where it is, and then delivers all (G13)."""
    sandbox.gerosense.maintenance = True
    begun = clock.seconds()
    later(120, lambda: setattr(sandbox.gerosense, "maintenance", False))

    ended = deliver("gerosense", rows("gerosense", 2_000))

    assert (ended.error, ended.report.delivered) == (None, 2_000)
    assert 120 <= clock.seconds() - begun <= 150


def test_maintenance_of_two_minutes_is_spent_elsewhere_where_the_task_may_defer(
    sandbox: Sandbox, attempt: Attempt, rows: Rows, later: Later, spend: Callable[[float], None], clock: Clock
) -> None:
    """With a longest sleep, each look costs a moment, and the last attempt delivers all, once (G13)."""
    sandbox.gerosense.maintenance = True
    later(120, lambda: setattr(sandbox.gerosense, "maintenance", False))
    samples = rows("gerosense", 2_000)

    ends: list[Result] = []
    while not ends or isinstance(ends[-1].error, LaterError):
        ends.append(attempt("gerosense", samples))
        if isinstance(ends[-1].error, LaterError):
            assert ends[-1].error.until - clock.now() == timedelta(seconds=MAINTENANCE_PAUSE)
            spend(MAINTENANCE_PAUSE)

    assert (ends[-1].error, ends[-1].report.delivered) == (None, 2_000)
    assert len(ends) == 3
    assert (sandbox.gerosense.counts.records, sandbox.gerosense.counts.repeated) == (2_000, 0)


def test_maintenance_that_begins_in_the_middle_comes_back_for_the_rest(
    sandbox: Sandbox, attempt: Attempt, rows: Rows, spend: Callable[[float], None]
) -> None:
    """A 503 asks the status; what was delivered before is not sent again after (G13)."""
    samples = rows("gerosense", 5_000)

    def going_down() -> Any:
        for place, sample in enumerate(samples):
            if place == 2_500:
                sandbox.gerosense.maintenance = True
            yield sample

    first = attempt("gerosense", going_down(), requests_per_second=10)
    assert isinstance(first.error, LaterError)
    sandbox.gerosense.maintenance = False
    spend(60)
    second = attempt("gerosense", samples)

    assert (second.error, second.report.delivered) == (None, 5_000)
    assert (sandbox.gerosense.counts.records, sandbox.gerosense.counts.repeated) == (5_000, 0)


def test_waiting_adds_up_over_the_attempts_that_come_back(
    sandbox: Sandbox, attempt: Attempt, rows: Rows, spend: Callable[[float], None]
) -> None:
    """Pauses that are spent deferred count for `max_wait`, as if they had been slept through (A4)."""
    sandbox.thymia.script("429 retry-after=2000 x9999")
    records = rows("thymia", 5)

    first = attempt("thymia", records)
    spend(2000)
    second = attempt("thymia", records)

    assert isinstance(first.error, LaterError)
    assert isinstance(second.error, VendorDownError)
    assert "max_wait" in str(second.error)


def test_an_accepted_request_ends_the_waiting_of_all_attempts(
    sandbox: Sandbox, attempt: Attempt, rows: Rows, spend: Callable[[float], None]
) -> None:
    """A vendor that accepts one request a deferral is waited for as long as that takes."""
    sandbox.thymia.script(*["429 retry-after=2000", "ok"] * 8)
    records = rows("thymia", 8)

    for _ in range(8):
        ended = attempt("thymia", records, max_in_flight=1)
        assert isinstance(ended.error, LaterError)
        spend(2000)
    ended = attempt("thymia", records, max_in_flight=1)

    assert (ended.error, ended.report.delivered) == (None, 8)
    assert sandbox.thymia.counts.repeated == 0


@pytest.mark.parametrize("hours", [0.1, 48])
def test_who_tries_again_after_the_waiting_has_ended_waits_anew(
    hours: float, sandbox: Sandbox, attempt: Attempt, rows: Rows, spend: Callable[[float], None]
) -> None:
    """A retry after `max_wait`, or a task that somebody clears days later, doesn't give up at the first pause (A4)."""
    sandbox.thymia.script("429 retry-after=2000 x2")
    records = rows("thymia", 5)
    for _ in range(2):
        last = attempt("thymia", records, max_in_flight=1)
        spend(2000)
    assert isinstance(last.error, VendorDownError)

    spend(hours * 3600)
    sandbox.thymia.rescript("429 retry-after=30 x3")
    ended = attempt("thymia", records, max_in_flight=1)

    assert (ended.error, ended.report.delivered) == (None, 5)


def test_who_tries_again_after_endless_maintenance_waits_anew(
    sandbox: Sandbox, attempt: Attempt, rows: Rows, spend: Callable[[float], None]
) -> None:
    """Maintenance is given up after `max_wait` in all, and Airflow's next attempt waits as long again (G13)."""
    sandbox.gerosense.maintenance = True
    samples = rows("gerosense", 10)
    patience = Patience(longest_sleep=60.0, max_wait=600)
    for _ in range(2):
        ended, count = attempt("gerosense", samples, patience=patience), 1
        while isinstance(ended.error, LaterError):
            spend(60)
            ended, count = attempt("gerosense", samples, patience=patience), count + 1

        assert isinstance(ended.error, VendorDownError)
        assert 10 <= count <= 11
        spend(300)

    assert sandbox.gerosense.counts.requests == 0


class Sleeping:
    """The real time, on which every wait lasts until it is ended."""

    def __init__(self, clock: Clock) -> None:
        self.seconds = clock.seconds
        self.now = clock.now
        self.sleeps = threading.Event()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for the event alone."""
        self.sleeps.set()
        await event.wait()


@pytest.mark.parametrize("sleep", ["retry-after", "backoff", "maintenance", "rate"])
def test_a_kill_ends_a_long_sleep_at_once(
    sleep: str,
    sandbox: Sandbox,
    plan: Callable[..., Plan],
    settle: Callable[[Plan, Result], Result],
    rows: Rows,
    clock: Clock,
) -> None:
    """Whatever a delivery sleeps for, a stop ends it, with a fate for every record."""
    vendor = sandbox.gerosense
    sleeping = Sleeping(clock)
    vendor.maintenance = sleep == "maintenance"
    if sleep in ("retry-after", "backoff"):
        vendor.script("429 retry-after=3000 x99" if sleep == "retry-after" else "503 x99")
    per_second = 0.001 if sleep == "rate" else None
    planned = plan("gerosense", rows("gerosense", 30_000), clock=sleeping, requests_per_second=per_second)
    delivery, ended = Delivery(planned), []
    thread = threading.Thread(target=lambda: ended.append(delivery.run()))
    thread.start()
    assert sleeping.sleeps.wait(60)

    delivery.stop(StoppedError("told to"))
    thread.join(60)

    assert not thread.is_alive()
    report = settle(planned, ended[0]).report
    assert isinstance(ended[0].error, StoppedError)
    assert report.read == report.held + report.delivered
