"""How many requests may be in flight follows from the answers alone, and so does how far apart they go out."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.concurrency import START, Concurrency
from airflow_provider_userdata.delivery.spacing import MOST, Spacing

FAST = 0.1
SLOW = 1.0


def a_round(concurrency: Concurrency, seconds: float = FAST, pushed_back: int = 0) -> int:
    """Fill all places, take as many answers, and give the limit after them."""
    places = concurrency.limit
    for in_flight in range(1, places + 1):
        concurrency.sent(in_flight)
    for place in range(places):
        if place < pushed_back:
            concurrency.pushed_back()
        else:
            concurrency.answered(seconds)
    return concurrency.limit


def at(limit: int, most: int = 100) -> Concurrency:
    """Give one that has doubled up to a limit."""
    concurrency = Concurrency(most)
    while concurrency.limit < limit:
        a_round(concurrency)
    return concurrency


@given(
    most=st.integers(1, 64),
    events=st.lists(
        st.tuples(st.sampled_from(["sent", "answered", "pushed_back"]), st.floats(0, 1e6), st.integers(1, 64)),
        max_size=300,
    ),
)
def test_the_limit_stays_between_one_and_the_most(most: int, events: list[tuple[str, float, int]]) -> None:
    """Whatever happens in whatever order, there is always a place, and never one too many."""
    concurrency = Concurrency(most)
    for event, seconds, in_flight in events:
        if event == "sent":
            concurrency.sent(in_flight)
        elif event == "answered":
            concurrency.answered(seconds)
        else:
            concurrency.pushed_back()
        assert 1 <= concurrency.limit <= most


def test_it_doubles_until_the_first_pushback_and_then_grows_by_one() -> None:
    """The start is fast; after the vendor's first word against it, careful."""
    concurrency = Concurrency(100)

    assert concurrency.limit == START
    assert [a_round(concurrency) for _ in range(2)] == [2 * START, 4 * START]
    assert a_round(concurrency, pushed_back=1) == 2 * START
    assert [a_round(concurrency) - 2 * START for _ in range(3)] == [1, 2, 3]


def test_it_ends_at_the_most() -> None:
    """Neither the start nor doubling goes beyond what is allowed."""
    most = 3 * START - 1
    concurrency = Concurrency(most)

    assert [a_round(concurrency) for _ in range(3)] == [2 * START, most, most]
    assert Concurrency(1).limit == 1


def test_what_is_not_used_does_not_grow() -> None:
    """Answers to fewer requests than were allowed prove nothing about more."""
    concurrency = at(START)
    for _ in range(50):
        concurrency.sent(2)
        concurrency.answered(FAST)

    assert concurrency.limit == START


@given(pushed_back=st.integers(1, 16))
def test_one_round_shrinks_it_once(pushed_back: int) -> None:
    """Sixteen refusals of one moment say no more than one of them."""
    assert a_round(at(16), pushed_back=pushed_back) == 8


def test_pushbacks_of_every_round_end_at_one() -> None:
    """A vendor that goes on refusing gets one request at a time."""
    concurrency = at(64)
    limits = [a_round(concurrency, pushed_back=1) for _ in range(30)]

    assert limits == sorted(limits, reverse=True)
    assert limits[-1] == 1


@given(rounds=st.integers(1, 40))
def test_it_recovers(rounds: int) -> None:
    """However far it went down, each round without a pushback adds one."""
    concurrency = at(16)
    for _ in range(rounds):
        low = a_round(concurrency, pushed_back=1)

    assert [a_round(concurrency) for _ in range(3)] == [low + 1, low + 2, low + 3]


def test_a_round_trip_that_grows_shrinks_it() -> None:
    """A vendor under load says so by taking longer: fewer, and no more doubling."""
    concurrency = at(32)

    assert a_round(concurrency, SLOW) < 32
    assert a_round(concurrency, FAST) < 32


@given(seed=st.integers(0, 10_000), base=st.floats(0.0001, 5.0))
def test_noise_shrinks_nothing(seed: int, base: float) -> None:
    """Round trips that differ by a sixth, or by some milliseconds, are no load."""
    chance = random.Random(seed)
    concurrency = Concurrency(64)
    for _ in range(40):
        before = concurrency.limit
        spread = max(base / 6, 0.003)
        assert a_round(concurrency, max(0.0, base + chance.uniform(-spread, spread))) >= before

    assert concurrency.limit == 64


def test_a_vendor_that_is_always_slow_gets_all_it_can_take() -> None:
    """It is growing that counts, not the length."""
    concurrency = Concurrency(16)
    for _ in range(5):
        a_round(concurrency, 30.0)

    assert concurrency.limit == 16


def served(
    per_second: float, saved: float, pause: float = 0.0, seconds: tuple[float, float] = (30, 90)
) -> tuple[float, float]:
    """Send one after the other to a vendor that limits its rate; give what it took and refused in a second, adapted."""
    spacing, now, tokens = Spacing(), 0.0, saved
    accepted = refused = 0
    while now < seconds[1]:
        adapted = now >= seconds[0]
        wait = 0.0
        if tokens >= 1:
            tokens -= 1
            accepted += adapted
            spacing.passed(now)
        else:
            refused += adapted
            spacing.refused(now, now)
            if pause:
                spacing.paused(now, pause)
                wait = pause
        wait = max(wait, spacing.seconds, 0.0005)
        now += wait
        tokens = min(saved, tokens + wait * per_second)
    adapted_for = seconds[1] - seconds[0]
    return accepted / adapted_for, refused / adapted_for


@pytest.mark.parametrize("per_second", [3, 20, 100, 900])
@pytest.mark.parametrize("saves", [True, False])
def test_the_spacing_finds_a_vendors_rate(per_second: int, saves: bool) -> None:
    """Nearly all that the vendor allows is used, and few requests are refused, whether or not it saves up a second."""
    accepted, refused = served(per_second, float(per_second) if saves else 1.0)

    assert accepted >= (0.9 if saves else 0.75) * per_second
    assert refused <= 0.08 * per_second


@pytest.mark.parametrize("pause", [1.0, 10.0, 60.0])
@pytest.mark.parametrize("per_second", [1, 3, 20, 100, 900])
@pytest.mark.parametrize("saves", [True, False])
def test_pauses_after_a_refusal_take_little_of_the_time(saves: bool, per_second: int, pause: float) -> None:
    """Where a refusal costs a pause, the spacing comes near the refused one more slowly, and most of a rate is used."""
    accepted, refused = served(per_second, float(per_second) if saves else 1.0, pause, (20 * pause, 100 * pause))

    assert accepted >= 0.6 * per_second
    assert refused <= 0.15 / pause


def test_a_vendor_that_counts_by_the_minute_loses_nothing() -> None:
    """What was let through in all, pauses counted, is the rate: from then on requests go evenly."""
    spacing, now, accepted, refused = Spacing(), 0.0, Counter[int](), Counter[int]()
    while now < 20 * 60:
        minute = int(now // 60)
        if accepted[minute] < 100:
            accepted[minute] += 1
            spacing.passed(now)
            now += max(spacing.seconds, 0.01)
        else:
            refused[minute] += 1
            spacing.refused(now, now)
            spacing.paused(now, (minute + 1) * 60 - now)
            now = (minute + 1) * 60

    assert min(accepted.values()) >= 80
    assert sum(refused.values()) <= 20
    assert spacing.seconds > 0.3


def test_the_spacing_starts_from_the_rate_that_was_let_through() -> None:
    """Answers come in bunches, of as many as are in flight: the rate is that of many bunches."""
    spacing = Spacing()
    for bunch in range(40):
        for _ in range(16):
            spacing.passed(bunch * 0.05)
    spacing.refused(2.0, now=2.05)

    assert spacing.seconds == pytest.approx(0.05 / 16, rel=0.3)


def test_a_time_without_requests_does_not_widen_the_spacing() -> None:
    """An hour in which nothing was to be sent says nothing about the vendor's rate."""
    spacing, now = Spacing(), 0.0
    for idle in (0, 3600):
        now += idle
        for _ in range(5):
            now += max(0.1, spacing.seconds)
            spacing.passed(now)
        before = spacing.seconds
        spacing.refused(now, now)

    assert 0 < spacing.seconds <= 1.5 * before


def test_there_is_no_spacing_without_a_refusal_for_the_rate() -> None:
    """A vendor that limits no rate is not slowed down for."""
    spacing = Spacing()
    for number in range(1000):
        spacing.passed(float(number))

    assert spacing.seconds == 0


def test_refusals_of_one_moment_widen_the_spacing_once() -> None:
    """What was sent before the spacing widened says nothing about the new one."""
    spacing = Spacing()
    for number in range(10):
        spacing.passed(number * 0.1)
    spacing.refused(0.95, now=1.0)
    wider = spacing.seconds
    for sent in (0.96, 0.97, 1.0):
        spacing.refused(sent, now=1.01)

    assert 0 < spacing.seconds == wider


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=300))
def test_the_spacing_is_bounded(events: list[tuple[bool, float]]) -> None:
    """Whatever comes, a request a second goes out."""
    spacing, now = Spacing(), 0.0
    for refused, later in events:
        sent, now = now, now + later
        if refused:
            spacing.refused(sent, now)
        else:
            spacing.passed(now)
        assert 0 <= spacing.seconds <= MOST


@pytest.mark.parametrize("pause", [0, 1, 10])
def test_the_spacing_is_forgotten_when_nothing_is_refused(pause: float) -> None:
    """A limit that was lifted doesn't slow the rest of the run: 150 seconds after a pause of ten it is gone."""
    spacing, now = Spacing(), 2.0 + pause
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
