"""Whatever the vendor does to the requests, all records are delivered in the end, or accounted for."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending.retry import POISON
from airflow_provider_userdata.delivery.sending.sender import Patience, Sender
from airflow_provider_userdata.delivery.sending.throttle import Throttle
from airflow_provider_userdata.delivery.sending.transport import Endpoint, NoAnswer, Transport
from airflow_provider_userdata.errors import VendorDownError
from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox, VendorRateLimit, limits
from airflow_provider_userdata.vendors.contract import Request

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]
Later = Callable[[float, Callable[[], None]], None]

ALL = ("thymia", "gerosense", "ptengine")
COUNTS = {"thymia": 200, "gerosense": 20_000, "ptengine": 5_000}


@pytest.fixture
def opening(unused_port: int) -> Iterator[tuple[Endpoint, Sandbox]]:
    """Give a sandbox that doesn't listen yet, and where it will."""
    sandbox = Sandbox(port=unused_port, keep=None)
    key = SANDBOX_KEYS["thymia"]
    yield Endpoint(f"http://127.0.0.1:{unused_port}", {"x-api-key": key}, timeout=20), sandbox
    sandbox.stop()


def test_connections_that_are_refused_for_a_while_cost_nothing(
    opening: tuple[Endpoint, Sandbox], deliver: Deliver, rows: Rows, later: Later, clock: Clock
) -> None:
    """A vendor that starts to listen after five seconds gets every record, once."""
    endpoint, sandbox = opening
    begun = clock.seconds()
    later(5, sandbox.start)

    ended = deliver("thymia", rows("thymia", 100), endpoint=endpoint, patience=Patience(max_attempts=30))

    assert (ended.error, ended.report.delivered, ended.report.resent) == (None, 100, 0)
    assert (sandbox.thymia.counts.records, sandbox.thymia.counts.repeated) == (100, 0)
    assert clock.seconds() - begun >= 5


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("fault", ["cut after accepting", "half", "504 after accepting", "cut"])
def test_answers_that_get_lost_are_asked_for_again(
    fault: str, vendor: str, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """What was accepted without an answer on record is sent again, and counted as sent twice (A3)."""
    sandbox.random_faults(vendor, seed=5, chances={fault: 0.3})

    ended = deliver(vendor, rows(vendor, COUNTS[vendor]))

    arrived = sandbox.vendors[vendor].counts
    assert ended.error is None
    assert ended.report.delivered + ended.report.unknown == arrived.distinct == COUNTS[vendor]
    assert arrived.repeated <= ended.report.resent
    ends_unknown = vendor == "gerosense" and fault == "half"  # a 200 that breaks off (G10)
    assert (ended.report.unknown > 0, ended.report.resent > 0) == (ends_unknown, not ends_unknown)


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("fault", ["cut after accepting", "half", "504 after accepting", "cut"])
def test_answers_that_get_lost_are_held_where_nothing_may_arrive_twice(
    fault: str, vendor: str, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """With `on_doubt="hold"` nothing arrives twice, and what is in doubt is unknown (A3)."""
    sandbox.random_faults(vendor, seed=6, chances={fault: 0.3})

    ended = deliver(vendor, rows(vendor, COUNTS[vendor]), patience=Patience(on_doubt="hold"))

    report, arrived = ended.report, sandbox.vendors[vendor].counts
    assert ended.error is None
    assert (report.resent, arrived.repeated) == (0, 0)
    assert report.delivered + report.unknown == COUNTS[vendor]
    assert report.delivered <= arrived.distinct


@pytest.mark.parametrize("seed", range(5))
def test_a_vendor_that_fails_often_but_accepts_others_is_not_dead(
    seed: int, sandbox: Sandbox, deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among thousands of requests some fail as often as `max_attempts`, and are sent again all the same."""
    sandbox.random_faults("thymia", seed=seed, chances={"503": 0.3})
    post = Transport.post

    async def until_near_the_end(transport: Transport, request: Request) -> Any:
        if sandbox.thymia.counts.accepted_requests > 2_900:
            sandbox.thymia.clear_faults()  # or the last one, alone, might find a vendor that looks dead
        return await post(transport, request)

    monkeypatch.setattr(Transport, "post", until_near_the_end)
    ended = deliver("thymia", rows("thymia", 3_000), patience=Patience(max_attempts=4))

    assert (ended.error, ended.report.delivered) == (None, 3_000)
    failures = Counter(request.body for request in sandbox.thymia.requests if request.status == 503)
    assert max(failures.values()) >= 4
    assert sandbox.thymia.counts.repeated == 0


def test_a_vendor_that_dies_is_dead_after_max_attempts(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, later: Later
) -> None:
    """What it accepted before it died buys it no more attempts than one that never lived gets."""
    later(10, lambda: sandbox.thymia.script("503 x99999"))

    ended = deliver("thymia", rows("thymia", 20_000), requests_per_second=20, patience=Patience(max_attempts=4))

    assert isinstance(ended.error, VendorDownError)
    assert ended.report.delivered == sandbox.thymia.counts.records > 100
    assert sandbox.thymia.counts.by_status[503] <= 16 * 5


def test_a_request_that_alone_keeps_failing_ends_the_run_at_last(
    deliver: Deliver, rows: Rows, lines: JsonLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor that chokes on one request, and accepts all others, isn't asked for ever."""
    post = Transport.post
    attempts = 0

    async def choking(transport: Transport, request: Request) -> Any:
        nonlocal attempts
        if b'geheim-7"' in request.body:
            attempts += 1
            return NoAnswer("the connection broke", written=False)
        return await post(transport, request)

    monkeypatch.setattr(Transport, "post", choking)
    ended = deliver("thymia", rows("thymia", 9_000), requests_per_second=10, patience=Patience(max_attempts=3))

    assert isinstance(ended.error, VendorDownError)
    assert attempts == POISON * 3
    assert 7 in [line["position"] for line in lines(ended.report.rejects)]
    assert ended.report.delivered > 100


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("after", ["2", "date+4"])
def test_retry_after_in_either_form_is_waited_out(
    after: str, vendor: str, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """Pauses that are asked for, in seconds or as a date, end in everything delivered once (A2)."""
    sandbox.random_faults(vendor, seed=7, chances={f"429 retry-after={after}": 0.2, f"503 retry-after={after}": 0.2})

    ended = deliver(vendor, rows(vendor, COUNTS[vendor]), patience=Patience(max_attempts=1, longest_sleep=60))

    assert (ended.error, ended.report.delivered) == (None, COUNTS[vendor])
    assert sandbox.vendors[vendor].counts.repeated == 0


@pytest.fixture
def on_our_clock(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[tuple[float, int]]:
    """Let the sandbox's rate limit run on the test's clock, each round trip take 50 ms of it, and collect answers.

    On that clock this process is never busy, and the chance of the backoff is the same each time.
    """
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=clock.seconds))
    monkeypatch.setattr(Throttle.__init__, "__defaults__", (None, lambda: 0.0))
    monkeypatch.setattr(Sender.__init__, "__defaults__", (random.Random(1).random,))
    post = Transport.post
    answers: list[tuple[float, int]] = []

    async def slow(transport: Transport, request: Request) -> Any:
        answer = await post(transport, request)
        await clock.wait(asyncio.Event(), 0.05)
        answers.append((clock.seconds(), getattr(answer, "status", 0)))
        return answer

    monkeypatch.setattr(Transport, "post", slow)
    return answers


@pytest.mark.parametrize(
    ("per_second", "retry_after", "longer"),
    [
        (1, 2, 1.4),
        (2, None, 1.1),
        (2, 1, 1.2),
        (10, None, 1.1),
        (10, 1, 1.1),
        (10, 10, 2),
        (60, None, 1.1),
        (60, 1, 1.1),
    ],
)
def test_a_storm_of_429_settles_below_the_vendors_rate(
    per_second: int,
    retry_after: int | None,
    longer: float,
    sandbox: Sandbox,
    deliver: Deliver,
    rows: Rows,
    on_our_clock: list[tuple[float, int]],
) -> None:
    """After the start, hardly any request is refused, and most of what is allowed is used, without being told."""
    sandbox.thymia.rate_limit = VendorRateLimit(per_second, retry_after)
    count = 60 * per_second

    ended = deliver("thymia", rows("thymia", count))

    assert (ended.error, ended.report.delivered) == (None, count)
    begun, over = on_our_clock[0][0], on_our_clock[-1][0]
    adapted = [status for at, status in on_our_clock if begun + 15 < at]
    assert adapted.count(429) <= 0.08 * len(adapted)
    assert over - begun <= longer * 60


@pytest.mark.parametrize("seed", range(4))
def test_a_vendor_that_takes_a_dozen_a_minute_is_not_dead(
    seed: int,
    sandbox: Sandbox,
    deliver: Deliver,
    rows: Rows,
    on_our_clock: list[tuple[float, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a `Retry-After`, too, what is refused waits for its turn, and uses up few attempts."""
    monkeypatch.setattr(Sender.__init__, "__defaults__", (random.Random(seed).random,))
    sandbox.thymia.rate_limit = VendorRateLimit(0.2)

    ended = deliver("thymia", rows("thymia", 100))

    assert (ended.error, ended.report.delivered) == (None, 100)
    assert sandbox.thymia.counts.by_status[429] <= 100
    assert on_our_clock[-1][0] - on_our_clock[0][0] <= 3 * 500


@pytest.mark.parametrize("longest_sleep", [None, 60.0])
@pytest.mark.parametrize("vendor", ALL)
def test_answers_of_ten_megabytes_are_survived(
    vendor: str, longest_sleep: float | None, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """The length of an error page costs neither records nor memory."""
    sandbox.vendors[vendor].script("503 body=big x3", "500 body=big x2", "429 body=big")

    ended = deliver(vendor, rows(vendor, COUNTS[vendor] // 10), patience=Patience(longest_sleep=longest_sleep))

    assert (ended.error, ended.report.delivered) == (None, COUNTS[vendor] // 10)
    assert sandbox.vendors[vendor].counts.repeated == 0


def test_a_server_that_never_answers_leaves_all_in_doubt(deliver: Deliver, rows: Rows, lines: JsonLines) -> None:
    """A request that was written and timed out may have arrived: after the attempts it is unknown (A3)."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        endpoint = Endpoint(f"http://127.0.0.1:{deaf.getsockname()[1]}", {"x-api-key": "geheim"}, timeout=0.5)
        ended = deliver("thymia", rows("thymia", 3), endpoint=endpoint, patience=Patience(max_attempts=2))

    assert isinstance(ended.error, VendorDownError)
    assert "timeout" in str(ended.error)
    assert ended.report.unknown == ended.report.read > 0
    assert {line["rule"] for line in lines(ended.report.rejects)} == {"A3"}


def test_answers_that_hang_now_and_then_are_given_up_and_sent_again(
    sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """A timeout costs an attempt, no record."""
    sandbox.thymia.script("hang", "ok x3", "hang after accepting", "ok x3", "hang")
    endpoint = Endpoint(sandbox.url, {"x-api-key": sandbox.thymia.key}, timeout=0.5)

    ended = deliver("thymia", rows("thymia", 30), endpoint=endpoint)

    assert (ended.error, ended.report.delivered) == (None, 30)
    assert ended.report.resent >= 3  # more on a busy machine, where other answers may come too late as well
    assert 1 <= sandbox.thymia.counts.repeated <= ended.report.resent - 2


def test_what_was_in_doubt_and_then_refused_stays_in_doubt_in_its_parts(
    sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """A batch that may have arrived, and was refused when it came again, is unknown where its halves can't be sent."""
    sandbox.ptengine.script("cut after accepting", "400", "429 retry-after=99999")

    ended = deliver("ptengine", rows("ptengine", 2))

    assert isinstance(ended.error, VendorDownError)
    assert (sandbox.ptengine.counts.records, ended.report.unknown) == (2, 2)


def test_a_status_page_is_asked_at_the_rate_of_all_requests(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking whether the vendor is in maintenance is a request, too: the hard limit holds."""
    moments: list[float] = []
    permission = Throttle.permission

    async def noted(pace: Throttle) -> Any:
        departure = await permission(pace)
        moments.append(clock.seconds())
        return departure

    monkeypatch.setattr(Throttle, "permission", noted)
    sandbox.random_faults("gerosense", seed=1, chances={"503": 0.5})

    ended = deliver("gerosense", rows("gerosense", 20_000), requests_per_second=2, patience=Patience(max_attempts=30))

    assert ended.error is None
    assert all(later - earlier >= 1 for earlier, later in zip(moments, moments[2:], strict=False))
    assert len(moments) > ended.report.requests
