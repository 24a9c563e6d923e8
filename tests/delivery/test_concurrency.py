"""How many requests may be in flight follows from the answers alone, and so does how far apart they go out."""

from __future__ import annotations

import random

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


def served(per_second: float, saved: float) -> tuple[float, float]:
    """Send one after the other to a vendor that limits its rate; give what it took and refused in a second, adapted."""
    spacing, now, tokens = Spacing(), 0.0, saved
    accepted = refused = 0
    while now < 90:
        adapted = now >= 30
        if tokens >= 1:
            tokens -= 1
            accepted += adapted
            spacing.passed(now)
        else:
            refused += adapted
            spacing.refused(now, now)
        wait = max(spacing.seconds, 0.0005)
        now += wait
        tokens = min(saved, tokens + wait * per_second)
    return accepted / 60, refused / 60


@pytest.mark.parametrize("per_second", [3, 20, 100, 900])
@pytest.mark.parametrize("saves", [True, False])
def test_the_spacing_finds_a_vendors_rate(per_second: int, saves: bool) -> None:
    """Nearly all that the vendor allows is used, and few requests are refused, whether or not it saves up a second."""
    accepted, refused = served(per_second, float(per_second) if saves else 1.0)

    assert accepted >= (0.9 if saves else 0.75) * per_second
    assert refused <= 0.08 * per_second


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


def test_the_spacing_is_forgotten_when_nothing_is_refused() -> None:
    """A limit that was lifted doesn't slow the rest of the run."""
    spacing = Spacing()
    spacing.passed(0)
    spacing.passed(1)
    spacing.refused(1.5, now=2.0)
    assert spacing.seconds > 0
    for number in range(300):
        spacing.passed(2.0 + number)

    assert spacing.seconds == 0
