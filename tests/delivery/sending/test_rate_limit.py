"""How far apart requests go out follows from what a vendor lets through, refuses, and asks to wait."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.sending.rate_limit import MOST, RateLimit

Takes = Callable[[float], bool]
"""Says whether a vendor takes a request that arrives at that second."""
IN_FLIGHT = 16
ROUND_TRIP = 0.02
AT_ONCE = 0.0005
"""The round trip of a vendor that answers as soon as a request is there."""
MOST_A_SECOND = IN_FLIGHT / ROUND_TRIP


@dataclass(frozen=True, slots=True)
class Served:
    """What a vendor took in a second, and which share it refused."""

    accepted: float
    refused: float


def served(
    takes: Takes,
    pause: float | Callable[[float], float] | None,
    since: float,
    until: float,
    *,
    most: int = IN_FLIGHT,
    round_trip: float = ROUND_TRIP,
) -> Served:
    """Send to a vendor all that may be sent, and count from one second to another.

    :param pause: the seconds that a refusal asks to wait, if it does, or what gives them.
    :param most: how many may be in flight.
    """
    spacing, now, sent_at, paused_until = RateLimit(), 0.0, -math.inf, -math.inf
    in_flight: list[tuple[float, float, bool]] = []
    counts = {True: 0, False: 0}
    while now < until:
        while in_flight and in_flight[0][0] <= now:
            at, sent, accepted = heapq.heappop(in_flight)
            counts[accepted] += at >= since
            if accepted:
                spacing.passed(at)
                continue
            spacing.refused(sent, at)
            if pause is not None:
                seconds = pause(at) if callable(pause) else pause
                paused_until = max(paused_until, at + seconds)
                spacing.paused(at, seconds)
        turn = max(sent_at + spacing.seconds, paused_until)
        if len(in_flight) < most and turn <= now:
            sent_at = now
            heapq.heappush(in_flight, (now + round_trip, now, takes(now + round_trip / 2)))
            continue
        moments = [at for at, *_ in in_flight[:1]] + ([turn] if len(in_flight) < most else [])
        now = max(min(moments), math.nextafter(now, math.inf))
    return Served(counts[True] / (until - since), counts[False] / max(1, counts[True] + counts[False]))


def limited(rate: float | Callable[[float], float], saved: float | None = None) -> Takes:
    """Make a vendor that takes so many requests a second, and saves up those of one second, or so many."""
    tokens, last = math.inf, 0.0

    def takes(now: float) -> bool:
        nonlocal tokens, last
        per_second = rate(now) if callable(rate) else rate
        tokens = min(max(1.0, per_second) if saved is None else saved, tokens + (now - last) * per_second)
        last = now
        taken = tokens >= 1
        tokens -= taken
        return taken

    return takes


def counting(most: int, seconds: float) -> Takes:
    """Make a vendor that takes so many requests in each stretch of so many seconds, at once or spread."""
    taken: dict[int, int] = {}

    def takes(now: float) -> bool:
        stretch = int(now // seconds)
        taken[stretch] = taken.get(stretch, 0) + 1
        return taken[stretch] <= most

    return takes


def refusing(share: float) -> Takes:
    """Make a vendor that refuses a share of the requests, however many there are."""
    chance = random.Random(1)
    return lambda _: chance.random() >= share


@pytest.mark.parametrize("per_second", [3, 20, 100, 900])
@pytest.mark.parametrize("saves", [True, False])
def test_the_spacing_finds_a_vendors_rate(per_second: int, saves: bool) -> None:
    """Nearly all that the vendor allows is used, and few requests are refused, whether or not it saves up a second."""
    found = served(limited(per_second, None if saves else 1.0), None, 30, 90, most=1, round_trip=AT_ONCE)

    assert found.accepted >= (0.9 if saves else 0.75) * per_second
    assert found.refused * found.accepted <= 0.08 * per_second


@pytest.mark.parametrize("per_second", [1, 3, 20, 300])
@pytest.mark.parametrize("saves", [True, False])
def test_many_in_flight_find_a_vendors_rate(per_second: int, saves: bool) -> None:
    """Nearly all that the vendor allows is used, and few requests are refused, whether or not it saves up a second."""
    found = served(limited(per_second, None if saves else 1.0), None, 60, 240)

    assert found.accepted >= (0.95 if saves and per_second > 1 else 0.6) * per_second
    assert found.refused <= 0.13


@pytest.mark.parametrize("pause", [1.0, 10.0, 60.0])
@pytest.mark.parametrize("per_second", [1, 3, 60])
@pytest.mark.parametrize("saves", [True, False])
def test_pauses_after_a_refusal_take_little_of_the_time(saves: bool, per_second: int, pause: float) -> None:
    """Where a refusal costs a pause, the spacing comes near the refused one more slowly, and most of a rate is used."""
    found = served(limited(per_second, None if saves else 1.0), pause, 20 * pause, 80 * pause)

    assert found.accepted >= 0.5 * per_second
    assert found.refused * found.accepted <= (1 + per_second * ROUND_TRIP / 2) * 0.4 / pause


def test_a_vendor_that_takes_a_few_a_minute_gets_them() -> None:
    """What is in flight at the start is refused, and tells nothing; what passes later does."""
    found = served(limited(0.1), None, 600, 6000)

    assert found.accepted >= 0.07
    assert found.refused <= 0.1


def test_a_vendor_that_counts_by_the_minute_loses_nothing() -> None:
    """What was let through in all, pauses counted, is the rate: from then on requests go evenly."""
    found = served(counting(100, 60), lambda now: 60 - now % 60, 60, 1260)

    assert found.accepted >= 0.95 * 100 / 60
    assert found.refused <= 0.03


def test_a_vendor_that_takes_nothing_for_a_while_is_not_taken_for_a_slow_one() -> None:
    """Refusals of a time in which nothing at all is taken don't add up: what is taken when it opens, is sent."""
    assert served(counting(100, 10), None, 60, 600).accepted >= 0.95 * 100 / 10


@pytest.mark.parametrize("share", [0.005, 0.02, 0.05, 0.2])
def test_what_is_refused_at_any_rate_slows_nothing(share: float) -> None:
    """A vendor that refuses some, whatever their rate, gets the others as fast as it takes them."""
    assert served(refusing(share), None, 20, 60).accepted >= 0.9 * MOST_A_SECOND * (1 - share)


@pytest.mark.parametrize("share", [0.005, 0.02, 0.05])
@pytest.mark.parametrize("pause", [1.0, 10.0])
def test_what_is_refused_at_any_rate_and_costs_a_pause_slows_a_run_by_little(pause: float, share: float) -> None:
    """Where slowing down spares no pause, requests take some times of what the pauses cost, and no more."""
    cost = pause * share + 1 / MOST_A_SECOND

    assert served(refusing(share), pause, 60, 1200).accepted >= 0.25 / cost


@pytest.mark.parametrize("pause", [None, 1.0, 10.0])
@pytest.mark.parametrize(("before", "after"), [(100, 10), (100, 40), (100, 60), (10, 100)])
def test_a_limit_that_changes_is_found_again(before: int, after: int, pause: float | None) -> None:
    """A vendor's limit that falls or rises within a run is what is used from then on."""
    found = served(limited(lambda now: before if now < 200 else after), pause, 400, 1000)

    assert found.accepted >= 0.7 * after
    assert found.refused <= 0.15


def test_the_spacing_starts_from_the_rate_that_was_let_through() -> None:
    """Answers come in bunches, of as many as are in flight: the rate is that of many bunches."""
    spacing = RateLimit()
    for bunch in range(40):
        for _ in range(16):
            spacing.passed(bunch * 0.05)
    spacing.refused(2.0, now=2.05)

    assert spacing.seconds == pytest.approx(0.05 / 16, rel=0.3)


def test_the_rate_of_a_source_is_not_the_vendors() -> None:
    """Where there was no more to be sent than could be, what was let through says nothing about the vendor."""
    spacing = RateLimit()
    for number in range(60):
        spacing.passed(2.0 * number, pressed=False)
    spacing.refused(120, now=120.1)

    assert spacing.seconds < 0.001


def test_a_time_without_requests_does_not_widen_the_spacing() -> None:
    """An hour in which nothing was to be sent says nothing about the vendor's rate."""
    spacing, now = RateLimit(), 0.0
    for idle in (0, 3600):
        now += idle
        for _ in range(5):
            now += max(0.1, spacing.seconds)
            spacing.passed(now)
        before = spacing.seconds
        spacing.refused(now, now)

    assert 0 < spacing.seconds <= 2 * before


def test_there_is_no_spacing_without_a_refusal_for_the_rate() -> None:
    """A vendor that limits no rate is not slowed down for."""
    spacing = RateLimit()
    for number in range(1000):
        spacing.passed(float(number))

    assert spacing.seconds == 0


def test_refusals_of_one_moment_widen_the_spacing_once() -> None:
    """What was sent before the spacing widened says nothing about the new one."""
    spacing = RateLimit()
    for number in range(10):
        spacing.passed(number * 0.1)
    spacing.refused(0.95, now=1.0)
    wider = spacing.seconds
    spacing.passed(1.005)
    for sent in (0.96, 0.97, 1.0):
        spacing.refused(sent, now=1.01)

    assert 0.9 * wider < spacing.seconds <= wider


@given(st.lists(st.tuples(st.sampled_from(["passed", "refused", "paused"]), st.floats(0, 100)), max_size=300))
def test_the_spacing_is_bounded(events: list[tuple[str, float]]) -> None:
    """Whatever comes, a request goes out every half a minute."""
    spacing, now = RateLimit(), 0.0
    for event, later in events:
        sent, now = now, now + later
        if event == "passed":
            spacing.passed(now)
        else:
            spacing.refused(sent, now)
        if event == "paused":
            spacing.paused(now, later)
        assert 0 <= spacing.seconds <= MOST


@pytest.mark.parametrize("pause", [0, 1, 10])
def test_the_spacing_is_forgotten_when_nothing_is_refused(pause: float) -> None:
    """A limit that was lifted doesn't slow the rest of the run: 150 seconds after a pause of ten it is gone."""
    spacing, now = RateLimit(), 2.0 + pause
    spacing.passed(0)
    spacing.passed(0.1)
    spacing.refused(0.15, now=2.0)
    assert spacing.seconds > 0
    if pause:
        spacing.paused(2.0, pause)
    while spacing.seconds > 0:
        now += spacing.seconds
        spacing.passed(now)

    assert now <= 30 + 15 * pause
