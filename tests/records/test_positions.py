"""Positions kept as ranges are the numbers that they stand for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.records.positions import Positions
from airflow_provider_userdata.records.record_batch import ranges

FIRST, COUNT = 5, 30
PLACES = st.sets(st.integers(0, COUNT - 1)).map(sorted)
BOUND = st.integers(-2 * COUNT, 2 * COUNT) | st.none()


def both(places: list[int]) -> tuple[Positions, list[int]]:
    """Give positions without those at some places, and the numbers."""
    positions = range(FIRST, FIRST + COUNT)
    return Positions.of(positions, without=places), [positions[n] for n in range(COUNT) if n not in places]


@given(places=PLACES, start=BOUND, stop=BOUND)
def test_they_are_a_sequence_of_their_numbers(places: list[int], start: int | None, stop: int | None) -> None:
    """One by one, all in a row, in parts and as ranges."""
    made, numbers = both(places)

    assert (len(made), list(made)) == (len(numbers), numbers)
    assert [made[n] for n in range(-len(made), len(made))] == [*numbers, *numbers]
    assert list(made[start:stop]) == numbers[start:stop]
    assert made.ranges() == ranges(numbers)
    assert made[start:stop].ranges() == ranges(numbers[start:stop])


@given(places=PLACES, cuts=st.lists(st.integers(0, COUNT), max_size=4).map(sorted))
def test_parts_that_follow_each_other_are_the_whole(places: list[int], cuts: list[int]) -> None:
    """However they are cut, ranges that touch are one again."""
    whole, numbers = both(places)
    again = whole[:0]
    for start, stop in zip([0, *cuts], [*cuts, COUNT], strict=True):
        again = again.followed_by(whole[start:stop])

    assert list(again) == numbers
    assert again.ranges() == whole.ranges()


def test_a_range_is_positions() -> None:
    """Also an empty one."""
    assert list(Positions.of(range(3, 6))) == [3, 4, 5]
    assert Positions.of(range(3, 3)).ranges() == []
