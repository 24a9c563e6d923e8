"""How many requests may be in flight follows from the answers alone."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.sending.concurrency_limit import START, ConcurrencyLimit

FAST = 0.1
SLOW = 1.0


def a_round(concurrency: ConcurrencyLimit, seconds: float = FAST, pushed_back: int = 0) -> int:
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


def at(limit: int, most: int = 100) -> ConcurrencyLimit:
    """Give one that has doubled up to a limit."""
    concurrency = ConcurrencyLimit(most)
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
    concurrency = ConcurrencyLimit(most)
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
    concurrency = ConcurrencyLimit(100)

    assert concurrency.limit == START
    assert [a_round(concurrency) for _ in range(2)] == [2 * START, 4 * START]
    assert a_round(concurrency, pushed_back=1) == 2 * START
    assert [a_round(concurrency) - 2 * START for _ in range(3)] == [1, 2, 3]


def test_it_ends_at_the_most() -> None:
    """Neither the start nor doubling goes beyond what is allowed."""
    most = 3 * START - 1
    concurrency = ConcurrencyLimit(most)

    assert [a_round(concurrency) for _ in range(3)] == [2 * START, most, most]
    assert ConcurrencyLimit(1).limit == 1


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
    concurrency = ConcurrencyLimit(64)
    for _ in range(40):
        before = concurrency.limit
        spread = max(base / 6, 0.003)
        assert a_round(concurrency, max(0.0, base + chance.uniform(-spread, spread))) >= before

    assert concurrency.limit == 64


def test_a_vendor_that_is_always_slow_gets_all_it_can_take() -> None:
    """It is growing that counts, not the length."""
    concurrency = ConcurrencyLimit(16)
    for _ in range(5):
        a_round(concurrency, 30.0)

    assert concurrency.limit == 16
