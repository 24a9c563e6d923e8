"""Requests pass in their order, no more at once than may, no sooner than may, and none when the delivery is halted."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.sending.throttle import Permit, Throttle

MakePace = Callable[..., Throttle]


async def turns(count: int = 20) -> None:
    """Let everybody else go on."""
    for _ in range(count):
        await asyncio.sleep(0)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine."""
    asyncio.run(asyncio.wait_for(coroutine, 20))


async def passed(pace: Throttle) -> Permit:
    """Pass, or fail the test."""
    permit = await pace.permission()
    assert permit is not None
    return permit


def assert_within(per_second: float, moments: list[float]) -> None:
    """Check each second, and where the rate is below one a second the time between two requests."""
    most, window = math.ceil(per_second), max(1.0, 1 / per_second)
    assert all(later - earlier >= window for earlier, later in zip(moments, moments[most:], strict=False))


@pytest.fixture
def make_pace(clock: Clock) -> MakePace:
    """Make a pace; the process itself is never busy, unless said."""

    def made(most: int = 16, per_second: float | None = None, **given: Any) -> Throttle:
        given.setdefault("halted", asyncio.Event())
        given.setdefault("busy", lambda: 0.0)
        return Throttle(clock, given.pop("halted"), most, per_second, **given)

    return made


def test_requests_pass_in_the_order_of_asking(make_pace: MakePace) -> None:
    """Whoever asks first goes first, also through a pause and a rate."""

    async def scenario() -> None:
        pace = make_pace(per_second=10)
        pace.pause(5)
        order: list[int] = []

        async def ask(number: int) -> None:
            permit = await passed(pace)
            order.append(number)
            pace.answered(permit)

        await asyncio.gather(*[ask(number) for number in range(30)])
        assert order == list(range(30))

    run(scenario())


@pytest.mark.parametrize("waits_for", ["place", "rate", "pause"])
def test_a_halt_wakes_all(waits_for: str, make_pace: MakePace, clock: Clock) -> None:
    """Nobody passes after a halt, and nobody goes on waiting, whatever for."""

    async def scenario() -> None:
        halted = asyncio.Event()
        pace = make_pace(1, 1e-4 if waits_for == "rate" else None, halted=halted)
        await passed(pace)
        if waits_for != "place":
            pace.release()
        if waits_for == "pause":
            pace.pause(1e6)
        begun = clock.seconds()
        asking = [asyncio.ensure_future(pace.permission()) for _ in range(10)]
        await asyncio.sleep(0)
        halted.set()
        pace.wake()

        assert await asyncio.gather(*asking) == [None] * 10
        assert clock.seconds() == begun

    run(scenario())


def test_who_gives_up_waiting_holds_up_nobody(make_pace: MakePace) -> None:
    """A request that is cancelled while it waits leaves its turn to the next."""

    async def scenario() -> None:
        pace = make_pace(1)
        first = await passed(pace)
        asking = [asyncio.ensure_future(pace.permission()) for _ in range(3)]
        await turns()
        asking[0].cancel()
        await turns()
        pace.answered(first)

        assert await asking[1] is not None

    run(scenario())


@pytest.mark.parametrize("paused", [False, True])
def test_who_gives_up_as_its_turn_comes_holds_up_nobody(paused: bool, make_pace: MakePace) -> None:
    """A request that is cancelled as it gets its permit, or in a pause its turn, leaves it to the next."""

    async def scenario() -> None:
        pace = make_pace(1)
        first = await passed(pace)
        asking = [asyncio.ensure_future(pace.permission()) for _ in range(2)]
        await turns()
        if paused:
            pace.pause(5)
        pace.answered(first)
        asking[0].cancel()

        assert await asking[1] is not None

    run(scenario())


def test_all_who_may_pass_do_so_at_once(make_pace: MakePace) -> None:
    """Places that come free are given away in one turn of the loop, not one a turn: that would slow all down."""

    async def scenario() -> None:
        pace = make_pace(8)
        while pace._concurrency.limit < 8:
            for permit in [await passed(pace) for _ in range(pace._concurrency.limit)]:
                pace.answered(permit)
        first = [await passed(pace) for _ in range(8)]
        asking = [asyncio.ensure_future(pace.permission()) for _ in range(20)]
        await turns()
        for permit in first:
            pace.answered(permit)
        await turns(1)

        assert [asked.done() for asked in asking] == [True] * 8 + [False] * 12

    run(scenario())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    most=st.integers(1, 8),
    per_second=st.none() | st.sampled_from([0.3, 0.5, 1.0, 2.5, 7.0, 100.0]),
    seed=st.randoms(use_true_random=False),
)
def test_neither_place_nor_rate_is_ever_exceeded(
    most: int, per_second: float | None, seed: Any, make_pace: MakePace, clock: Clock
) -> None:
    """With answers, pushbacks, pauses and breaks in any order, no more are in flight than may, and none is early."""

    async def scenario() -> None:
        pace = make_pace(most, per_second)
        permit_of, limits = pace._permit, pace._concurrency

        def permit(*, waited: bool) -> Permit:
            # What is in flight when the limit shrinks stays there: none passes until there are fewer.
            assert pace._in_flight < limits.limit <= most
            return permit_of(waited=waited)

        pace._permit = permit  # type: ignore[method-assign]
        in_flight = 0
        moments: list[float] = []

        async def request() -> None:
            nonlocal in_flight
            permit = await passed(pace)
            in_flight += 1
            moments.append(clock.seconds())
            assert in_flight <= most
            await clock.wait(asyncio.Event(), seed.choice([0.0, 0.1, 2.0]))
            in_flight -= 1
            match seed.randrange(5):
                case 0:
                    pace.pushed_back(permit, too_soon=True)
                case 1:
                    pace.pushed_back(permit)
                case 2:
                    pace.release()
                    pace.pause(seed.choice([0.0, 3.0]))
                case _:
                    pace.answered(permit)

        await asyncio.gather(*[request() for _ in range(60)])
        if per_second is not None:
            assert_within(per_second, moments)

    run(scenario())


class LateClock(Clock):
    """A clock that wakes everybody late, as a busy loop does: by up to twice some seconds."""

    def __init__(self, clock: Clock, lateness: float) -> None:
        self._clock, self._lateness, self._chance = clock, lateness, random.Random(1)

    def seconds(self) -> float:
        """Return the seconds of the clock behind it."""
        return self._clock.seconds()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for longer than was asked for."""
        await self._clock.wait(event, seconds + self._chance.uniform(0, 2 * self._lateness))


@pytest.mark.parametrize("lateness", [0.0, 0.002, 0.02])
@pytest.mark.parametrize(
    ("per_second", "seconds"),
    [(0.05, 1200), (0.5, 120), (0.9, 67), (1.0, 60), (2.5, 60), (3.0, 60), (50.0, 60), (200.0, 10), (1500.0, 6)],
)
def test_what_goes_late_is_made_up_for(per_second: float, seconds: float, lateness: float, clock: Clock) -> None:
    """However late a busy loop lets each request go, nearly all that a rate allows go, and never more in any second."""

    async def scenario() -> None:
        pace = Throttle(LateClock(clock, lateness), asyncio.Event(), 16, per_second, lambda: 0.0)
        begun = clock.seconds()
        moments: list[float] = []
        while clock.seconds() - begun < seconds:
            permit = await passed(pace)
            moments.append(clock.seconds())
            pace.answered(permit)

        assert len(moments) >= 0.97 * seconds * per_second
        assert_within(per_second, moments)

    run(scenario())


def test_an_idle_time_is_made_up_for_by_a_second_at_most(make_pace: MakePace, clock: Clock) -> None:
    """After an hour without anything to send, no more go at once than in any second."""

    async def scenario() -> None:
        pace = make_pace(per_second=10)
        moments: list[float] = []
        for place in range(60):
            if place == 20:
                await clock.wait(asyncio.Event(), 3600)
            permit = await passed(pace)
            moments.append(clock.seconds())
            pace.answered(permit)

        assert_within(10, moments)
        assert moments[-1] - moments[20] >= 2.9

    run(scenario())


def test_a_rate_begins_evenly(make_pace: MakePace, clock: Clock) -> None:
    """The first requests of a run are no burst: a vendor may count by less than a second."""

    async def scenario() -> None:
        pace = make_pace(per_second=20)
        moments: list[float] = []
        for _ in range(20):
            permit = await passed(pace)
            moments.append(clock.seconds())
            pace.answered(permit)

        assert all(later - earlier >= 0.05 - 1e-9 for earlier, later in pairwise(moments))

    run(scenario())


def test_any_rate_is_kept_in_little_memory(make_pace: MakePace, clock: Clock) -> None:
    """A rate that nobody reaches costs no more than any other."""

    async def scenario() -> None:
        pace = make_pace(per_second=1e12)
        for _ in range(100):
            pace.answered(await passed(pace))

    run(scenario())


def test_nothing_passes_in_a_pause(make_pace: MakePace, clock: Clock) -> None:
    """A pause holds for all, also one that begins while they wait; the longer one counts."""

    async def scenario() -> None:
        pace = make_pace(per_second=0.1)
        begun = clock.seconds()
        pace.answered(await passed(pace))
        asking = asyncio.ensure_future(pace.permission())
        await asyncio.sleep(0)
        pace.pause(100)
        pace.pause(50)
        await asking

        assert clock.seconds() - begun >= 100

    run(scenario())


def test_rate_refusals_spread_the_requests(make_pace: MakePace, clock: Clock) -> None:
    """After a 429 there is a time between requests, where there was none."""

    async def scenario() -> None:
        pace = make_pace(1)
        for _ in range(5):
            permit = await passed(pace)
            await clock.wait(asyncio.Event(), 0.1)
            pace.answered(permit)
        permit = await passed(pace)
        await clock.wait(asyncio.Event(), 0.1)
        pace.pushed_back(permit, too_soon=True)
        moments = []
        for _ in range(2):
            permit = await passed(pace)
            moments.append(clock.seconds())
            pace.answered(permit)

        assert moments[1] - moments[0] >= 0.09

    run(scenario())


@pytest.mark.parametrize("too_soon", [False, True])
def test_only_a_rate_limits_pause_has_the_spacing_narrow_slowly(
    too_soon: bool, make_pace: MakePace, clock: Clock
) -> None:
    """A pause that a vendor asks for since it is down says nothing about its rate."""

    async def scenario() -> None:
        pace = make_pace()
        pace.pushed_back(await passed(pace), too_soon=True)
        pace.pause(1000, too_soon=too_soon)
        for _ in range(400):
            pace.answered(await passed(pace))

        assert (pace._spacing.seconds > 0) == too_soon

    run(scenario())


def test_a_slow_source_is_not_taken_for_the_vendors_rate(make_pace: MakePace, clock: Clock) -> None:
    """What went out one by one, for there was no more, leaves no time between requests; what waited does."""

    async def scenario(*, most: int) -> float:
        pace = make_pace(most)
        for _ in range(30):
            permit = await passed(pace)
            await clock.wait(asyncio.Event(), 2.0)
            pace.answered(permit)
        pace.pushed_back(await passed(pace), too_soon=True)
        return pace._spacing.seconds

    found: list[float] = []

    async def both() -> None:
        found.extend([await scenario(most=1), await scenario(most=16)])

    run(both())
    assert found[0] >= 1
    assert found[1] < 0.001


def test_a_busy_start_is_no_slow_vendor(make_pace: MakePace, clock: Clock) -> None:
    """First answers that come while this process is busy make none of the later ones slow: the start stays fast."""

    async def scenario() -> None:
        busy = 0.0
        pace = make_pace(busy=lambda: busy)
        limits = []
        for size in (4, 8):
            permits = [await passed(pace) for _ in range(size)]
            await clock.wait(asyncio.Event(), 0.02)
            busy += 0.018 if size == 4 else 0.0
            for permit in permits:
                pace.answered(permit)
            limits.append(pace._concurrency.limit)

        assert limits == [8, 16]

    run(scenario())


def test_the_process_own_time_is_not_the_vendors(make_pace: MakePace, clock: Clock) -> None:
    """Round trips that grow since this process is busy itself shrink nothing; the same from a vendor do."""

    async def scenario(*, ours: bool) -> int:
        busy = 0.0
        pace = make_pace(busy=lambda: busy)
        for number in range(40):
            permit = await passed(pace)
            await clock.wait(asyncio.Event(), 0.05 if number < 20 else 3.0)
            busy += 2.95 if ours and number >= 20 else 0.0
            pace._concurrency._reached = True
            pace.answered(permit)
        return pace._concurrency.limit

    limits: list[int] = []

    async def both() -> None:
        limits.extend([await scenario(ours=True), await scenario(ours=False)])

    run(both())
    assert limits[0] == 16
    assert limits[1] < 16
