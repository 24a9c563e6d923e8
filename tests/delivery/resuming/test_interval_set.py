"""Positions that are settled: ranges that do what a set of numbers does."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet, packed, unpacked
from airflow_provider_userdata.records.record_batch import ranges

RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), max_size=12)
SCATTERED = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 400)), max_size=30)


def numbers(ranges: list[tuple[int, int]]) -> set[int]:
    """Give the positions one by one."""
    return {position for start, length in ranges for position in range(start, start + length)}


def is_as(settled: IntervalSet, expected: set[int]) -> None:
    """Check a set of positions against a plain one, and that its ranges are in order, apart, and not empty."""
    ranges = [*settled.ranges()]
    assert numbers(ranges) == expected
    assert all(length > 0 for _, length in ranges)
    assert all(start + length < after for (start, length), (after, _) in itertools.pairwise(ranges))
    assert len(settled) == len(expected)
    assert settled.end == max(expected, default=-1) + 1
    assert settled.below == next(position for position in range(10**5) if position not in expected)
    assert all((position in settled) is (position in expected) for position in range(-1, 80))


@given(RANGES)
def test_what_is_added_is_in(ranges: list[tuple[int, int]]) -> None:
    """Ranges that overlap, touch, repeat or are empty make one set."""
    is_as(IntervalSet(ranges), numbers(ranges))


@given(RANGES, RANGES)
def test_what_is_discarded_is_out(ranges: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    """Ranges are cut, split and removed; those that were not in change nothing."""
    settled, expected = IntervalSet(ranges), numbers(ranges)
    for start, length in others:
        settled.discard(start, length)
        expected -= numbers([(start, length)])
        is_as(settled, expected)


@given(RANGES, RANGES)
@example([(42, 9)], [(0, 1), (10, 1), (20, 1), (42, 5)])  # one begins as another does
@example([(0, 1), (10, 1), (20, 1), (42, 9)], [(42, 5), (30, 1), (31, 1), (0, 1)])
@example([(0, 5)], [(10, 1), (20, 1), (30, 1), (40, 1)])  # all come later
@example([(0, 5)], [(10, 9), (15, 9), (30, 1), (40, 1)])  # two overlap
def test_many_ranges_at_once_are_as_one_by_one(ranges: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    """Whether they are new or not, in or not, in order or not."""
    one, other = IntervalSet(ranges), IntervalSet(ranges)
    one.add_all(others)
    is_as(one, numbers([*ranges, *others]))
    other.discard_all(others)
    is_as(other, numbers(ranges) - numbers(others))


@given(st.sets(st.integers(0, 100)), st.sets(st.integers(0, 100)))
def test_what_fills_gaps_is_added_and_taken_out(there: set[int], more: set[int]) -> None:
    """A batch's positions with holes, whose holes were settled before: the usual case of many ranges."""
    settled = IntervalSet((position, 1) for position in there - more)
    some = ranges(sorted(more))
    settled.add_all(some)
    is_as(settled, there | more)
    settled.discard_all(some)
    is_as(settled, there - more)


@given(RANGES, RANGES)
def test_the_difference_of_two_sets(ranges: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    """`without` gives what the other lacks, and changes neither."""
    one, other = IntervalSet(ranges), IntervalSet(others)

    is_as(one.without(other), numbers(ranges) - numbers(others))
    is_as(one, numbers(ranges))
    is_as(other, numbers(others))


@given(SCATTERED, st.integers(0, 6000))
def test_what_is_packed_is_unpacked(ranges: list[tuple[int, int]], start: int) -> None:
    """From a start on, all positions come back; those before don't."""
    text = packed(IntervalSet(ranges), start)

    assert numbers([*unpacked(text, start)]) == {position for position in numbers(ranges) if position >= start}
    assert text.isascii()
    assert '"' not in text
    assert "\\" not in text


def test_nothing_is_packed_as_nothing() -> None:
    """An empty set takes no room."""
    assert packed(IntervalSet(), 0) == packed(IntervalSet([(0, 9)]), 9) == ""
    assert [*unpacked("", 5)] == []


def test_where_position_0_is_open_the_difference_ends() -> None:
    """The first range in flight, later ones settled: the difference is found, and found in finite time."""
    assert [*IntervalSet([(0, 100)]).without(IntervalSet([(0, 0), (40, 10)])).ranges()] == [(0, 40), (50, 50)]
