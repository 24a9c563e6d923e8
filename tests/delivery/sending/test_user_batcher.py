"""Batches of one user each: in any order of the source, every record once, none mixed, none too few or many (G14)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.delivery.sending.batchers import batcher
from airflow_provider_userdata.delivery.sending.few_records import FewRecords
from airflow_provider_userdata.delivery.sending.user_batcher import UserBatcher
from airflow_provider_userdata.records import JsonLines, Record, RecordBatch
from airflow_provider_userdata.vendors import BatchLimits

LIMITS = BatchLimits(minimum=3, maximum=10, one_user=True)


def chunk(users: list[str], first: int, *, columns: bool) -> Any:
    """Make records of some users, at consecutive positions."""
    positions = range(first, first + len(users))
    if columns:
        lines = JsonLines.of([{"n": position} for position in positions], 4)
        return RecordBatch([*positions], positions, lines, users)
    return [
        Record(b'{"n":%d}' % place, user=user, position=place, row=place)
        for user, place in zip(users, positions, strict=True)
    ]


def users_of(batch: Batch) -> set[str | None]:
    """Give whose records a batch has."""
    return {record.user for record in batch}


@settings(max_examples=150, deadline=None)
@given(
    chunks=st.lists(st.tuples(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.booleans()), max_size=12),
    window=st.integers(12, 60),
    relieved=st.sets(st.integers(0, 11)),
    most_few=st.sampled_from([0, 1, 2, 5, 100]),
)
def test_any_source(chunks: list[tuple[list[str], bool]], window: int, relieved: set[int], most_few: int) -> None:
    """Each record is in one batch, or waits with at most one other of its user, in its user's order."""
    made = UserBatcher(LIMITS, window, FewRecords(most=most_few))
    batches: list[Batch] = []
    first = 0
    given_out: dict[str | None, list[int]] = defaultdict(list)
    for number, (users, columns) in enumerate(chunks):
        batches += made.add(chunk(users, first, columns=columns))
        first += len(users)
        waiting: dict[str | None, int] = defaultdict(int)
        for record in made.pending:
            waiting[record.user] += 1
        assert sum(count for count in waiting.values() if count >= LIMITS.minimum) <= window
        if number in relieved:
            batches += made.relieve()
    batches += made.flush()

    for batch in batches:
        assert LIMITS.minimum <= len(batch) <= LIMITS.maximum
        assert len(users_of(batch)) == 1
        for record in batch:
            assert record.body == b'{"n":%d}' % record.position
            given_out[record.user].append(record.position)
    left: dict[str | None, list[int]] = defaultdict(list)
    for record in made.pending:
        left[record.user].append(record.position)
    assert all(len(positions) < LIMITS.minimum for positions in left.values())
    everything = [user for users, _ in chunks for user in users]
    for user in set(everything):
        assert given_out[user] + left[user] == [place for place, one in enumerate(everything) if one == user]


@pytest.mark.parametrize(
    ("count", "sizes"), [(2, []), (3, [3]), (10, [10]), (11, [6, 5]), (22, [10, 6, 6]), (23, [10, 10, 3])]
)
def test_a_users_last_batches_are_evened_out(count: int, sizes: list[int]) -> None:
    """As if the user were alone (G3), however the users are mixed."""
    made = batcher(LIMITS)

    batches = made.add(chunk(["a", "b"] * count, 0, columns=True)) + made.flush()

    assert sorted(len(batch) for batch in batches if users_of(batch) == {"a"}) == sorted(sizes)
    assert len(made.pending) == (2 * count if count < 3 else 0)


def test_where_the_window_is_full_no_user_is_left_with_too_few() -> None:
    """Users that may come again keep as many as their next batch may need."""
    made = UserBatcher(LIMITS, 30)

    early = made.add(chunk(list("abcd") * 8, 0, columns=False))
    late = made.add(chunk(["a", "b", "b"], 32, columns=False)) + made.flush()

    assert [(*users_of(batch), len(batch)) for batch in early] == [("a", 5), ("b", 5), ("c", 5), ("d", 5)]
    assert sorted((*users_of(batch), len(batch)) for batch in late) == [("a", 4), ("b", 5), ("c", 3), ("d", 3)]
    assert made.pending == []


def test_a_sorted_source_needs_the_fewest_requests() -> None:
    """Users that were not seen for half a window leave whole: one request each."""
    made = UserBatcher(LIMITS, 40)
    users = [f"u{number:03}" for number in range(100) for _ in range(9)]

    batches = [
        batch for start in range(0, 900, 7) for batch in made.add(chunk(users[start : start + 7], start, columns=True))
    ]

    assert len(batches + made.flush()) == 100
