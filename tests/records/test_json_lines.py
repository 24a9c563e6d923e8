"""Texts in pieces are the same texts that they would be one by one."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.records.json_lines import JOINED_AT_ONCE, JsonLines

VALUES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=20)


def lines_of(values: list[str]) -> list[bytes]:
    """Write each value as a line."""
    return [json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values]


@given(VALUES, st.integers(1, 7), st.integers(-25, 25), st.integers(-25, 25))
def test_a_part_is_that_part_of_the_lines(values: list[str], at_once: int, start: int, end: int) -> None:
    """Whatever pieces they are in, and whatever ends a line within a text: slices, single lines and all in a row."""
    expected, made = lines_of(values), JsonLines.of(values, at_once)

    assert [json.loads(line) for line in made] == values
    assert len(made) == len(values)
    assert list(made[start:end]) == list(made)[start:end]
    assert [made[place] for place in range(len(made))] == list(made)
    assert [json.loads(line) for line in expected] == values


@given(VALUES, st.integers(1, 7), st.lists(st.integers(0, 20), max_size=4))
def test_parts_that_follow_each_other_are_the_whole(values: list[str], at_once: int, cuts: list[int]) -> None:
    """However they are cut: as lines, and with commas between them."""
    whole = JsonLines.of(values, at_once)
    ends = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]

    again = JsonLines()
    for start, end in pairwise(ends):
        again = again.followed_by(whole[start:end])

    assert list(again) == list(whole)
    assert json.loads(b"[%b]" % b"".join(again.separated())) == values


@pytest.mark.parametrize("count", [0, 1, JOINED_AT_ONCE, JOINED_AT_ONCE + 1, 3 * JOINED_AT_ONCE - 1])
def test_lines_one_by_one_are_put_into_few_pieces(count: int) -> None:
    """However many there are, they are the same lines, and a part of them is made from the pieces that it is of."""
    lines = [b"%d\n" % number for number in range(count)]
    made = JsonLines.joined(lines)

    assert (list(made), len(made)) == (lines, count)
    assert len(made.separated()) == -(-count // JOINED_AT_ONCE)
    assert list(made[count // 2 :]) == lines[count // 2 :]


def test_a_place_beyond_the_lines_is_an_error() -> None:
    """As in a list."""
    with pytest.raises(IndexError):
        JsonLines.of(["a"], 1)[1]
