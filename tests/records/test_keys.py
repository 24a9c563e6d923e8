"""Keys side by side are the same keys that they would be in a list, and still tell where they came from."""

from __future__ import annotations

from itertools import compress

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.records.keys import Keys, split

MADE = st.lists(st.lists(st.binary(min_size=3, max_size=3), max_size=6), max_size=4)


def made(groups: list[list[bytes]]) -> Keys:
    """Join keys that were made together with others."""
    keys = Keys.of(b"", 3)
    for group in groups:
        keys = keys.followed_by(Keys.of(b"".join(group), 3))
    return keys


@given(MADE, st.integers(-30, 30), st.integers(-30, 30), st.integers(-30, 30), st.integers(-30, 30))
def test_any_part_of_any_part_is_that_of_a_list(
    groups: list[list[bytes]], start: int, stop: int, again: int, end: int
) -> None:
    """In its length, joined, one by one, and where an index leads."""
    keys, every = made(groups)[start:stop][again:end], [key for group in groups for key in group][start:stop][again:end]

    assert list(keys) == every
    assert len(keys) == len(every)
    assert keys.joined == b"".join(every)
    assert [keys[place] for place in range(len(keys))] == every
    assert [key for part in keys.parts for key in keys.of_part(part)] == every


@given(MADE, st.lists(st.booleans(), min_size=24, max_size=24))
def test_those_that_are_chosen_are_as_if_made_together(groups: list[list[bytes]], chosen: list[bool]) -> None:
    """In one part, so that they share one origin."""
    keys = made(groups)

    some = keys.where(chosen)

    assert list(some) == list(compress(keys, chosen))
    assert len(some.parts) == bool(some)


def test_a_part_tells_where_it_came_from() -> None:
    """However often it was cut out and joined."""
    joined = b"aabbccdd"
    whole = Keys.of(joined, 2)

    rejoined = whole[2:].followed_by(whole[:2])[1:3]

    assert [(part.origin is joined, part.start, part.stop) for part in rejoined.parts] == [(True, 6, 8), (True, 0, 2)]
    assert list(split(joined, 2)) == [b"aa", b"bb", b"cc", b"dd"]
