"""Properties of the batching, for any number of records in any order."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.sending.batcher import Batch, GroupBatcher, OrderedBatcher
from airflow_provider_userdata.delivery.sending.batchers import Batcher, batcher
from airflow_provider_userdata.records.json_lines import JsonLines
from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.records.record_batch import RecordBatch, ranges
from airflow_provider_userdata.vendors.contract import BatchLimits
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia

SAMPLES = BatchLimits(minimum=3, maximum=1000)
FEW_SAMPLES = BatchLimits(minimum=3, maximum=6)


def numbered(count: int) -> list[Record]:
    """Make records that only have their position."""
    return [Record(b"{}", position=place) for place in range(count)]


def batches_of(made: Batcher, records: Sequence[Record], chunk: int) -> list[Batch]:
    """Give all batches of records that come in chunks."""
    found: list[Batch] = []
    for start in range(0, len(records), chunk):
        found.extend(made.add(records[start : start + chunk]))
    return found + made.flush()


@given(
    count=st.integers(0, 5_000) | st.integers(0, 5).flatmap(lambda k: st.integers(1000 * k, 1000 * k + 3)),
    chunk=st.sampled_from([1, 2, 3, 997, 1000, 1001, 10_000]),
)
def test_samples_are_batched_in_order_and_within_the_limits(count: int, chunk: int) -> None:
    """Every sample once, in order, in `ceil(n / 1000)` requests of 3 to 1000, but for fewer than 3 in all (G3, G4)."""
    made = OrderedBatcher(SAMPLES)

    batches = batches_of(made, numbered(count), chunk)

    sent = [record.position for batch in batches for record in batch]
    assert sent + [record.position for record in made.pending] == list(range(count))
    assert len(made.pending) == (count if count < 3 else 0)
    assert len(batches) == (math.ceil(count / 1000) if count >= 3 else 0)
    assert all(3 <= len(batch) <= 1000 for batch in batches)
    if len(batches) > 1 and count % 1000 in {1, 2}:
        assert len(batches[-2]) - len(batches[-1]) in {0, 1}


@given(steps=st.lists(st.integers(0, 20) | st.none(), max_size=30), grouped=st.booleans())
def test_what_is_let_go_early_keeps_the_limits(steps: list[int | None], grouped: bool) -> None:
    """Wherever memory runs short, every record goes once, and no batch is too small for a request (G3)."""
    made: Batcher = GroupBatcher(BatchLimits(maximum=6, user_once=True)) if grouped else OrderedBatcher(FEW_SAMPLES)
    records = numbered(sum(filter(None, steps)))
    for record in records:
        record.user = str(record.position)
    batches: list[Batch] = []
    left = list(records)
    for step in steps:
        batches += made.relieve() if step is None else made.add(left[:step])
        left = left[step or 0 :]
        assert step is not None or len(made.pending) < 6

    batches += made.flush()

    sent = [record.position for batch in batches for record in batch]
    assert sent + [record.position for record in made.pending] == list(range(len(records)))
    assert all((1 if grouped else 3) <= len(batch) <= 6 for batch in batches)
    assert grouped or len(made.pending) == (len(records) if len(records) < 3 else 0)


@given(chunks=st.lists(st.integers(0, 20), max_size=30))
def test_no_samples_pile_up(chunks: list[int]) -> None:
    """Beyond one batch and what evens out the last one, nothing waits for company."""
    made = OrderedBatcher(FEW_SAMPLES)

    for chunk in chunks:
        batches = made.add(numbered(chunk))
        assert all(len(batch) == 6 for batch in batches)
        assert len(made.pending) < 6 + 3


@st.composite
def profiles(draw: st.DrawFn) -> list[Record]:
    """Draw users that return, with groups of keys that interleave, each one object or several that are equal."""
    users = draw(st.integers(1, 12))
    groups = [("user_id", f"field{number % 5}") for number in range(10)]
    drawn_from = st.sampled_from(groups[: draw(st.integers(1, 10))])
    drawn = draw(st.lists(st.tuples(st.integers(1, users), drawn_from), max_size=120))
    return [Record(b"[]", group=group, user=f"u{user}", position=place) for place, (user, group) in enumerate(drawn)]


@given(
    records=profiles(),
    maximum=st.integers(1, 7),
    window=st.integers(1, 40),
    chunk=st.integers(1, 50),
)
def test_profiles_are_batched_by_keys_and_in_each_users_order(
    records: list[Record], maximum: int, window: int, chunk: int
) -> None:
    """One set of keys and each user once a batch, nothing lost, and a user's rows leave in order (P5, P8)."""
    made = GroupBatcher(BatchLimits(maximum=maximum, user_once=True), window)

    batches = batches_of(made, records, chunk)

    assert made.pending == []
    left = [record.position for batch in batches for record in batch]
    assert sorted(left) == list(range(len(records)))
    assert all(0 < len(batch) <= maximum for batch in batches)
    assert all(len({record.group for record in batch}) == 1 for batch in batches)
    assert all(max(Counter(record.user for record in batch).values()) == 1 for batch in batches)
    by_user = defaultdict(list)
    for batch in batches:
        for record in batch:
            by_user[record.user].append(record.position)
    assert all(places == sorted(places) for places in by_user.values())


@given(records=profiles(), window=st.integers(1, 40), chunk=st.integers(1, 50))
def test_profiles_wait_within_a_window(records: list[Record], window: int, chunk: int) -> None:
    """Fewer records than the window has wait at any time, and all before the window have left."""
    made = GroupBatcher(BatchLimits(maximum=100, user_once=True), window)

    taken = 0
    for start in range(0, len(records), chunk):
        made.add(records[start : start + chunk])
        taken = min(start + chunk, len(records))
        assert len(made.pending) < window
        assert all(record.position >= taken - taken % window for record in made.pending)


def test_users_who_come_once_fill_their_batches() -> None:
    """Where nobody returns and the keys are the same, requests are as few as can be."""
    records = [Record(b"[]", group=("user_id",), user=str(place), position=place) for place in range(10_050)]

    batches = batches_of(GroupBatcher(Ptengine.limits), records, 1000)

    assert [len(batch) for batch in batches] == [100] * 100 + [50]


@pytest.mark.parametrize(
    ("limits", "kind"),
    [(GeroSense.limits, OrderedBatcher), (Thymia.limits, OrderedBatcher), (Ptengine.limits, GroupBatcher)],
)
def test_the_limits_choose_the_way_of_batching(limits: BatchLimits, kind: type[Batcher]) -> None:
    """Only where a user may stand once in a request are records grouped."""
    assert isinstance(batcher(limits), kind)


@given(positions=st.sets(st.integers(0, 200)).map(sorted))
def test_ranges_cover_the_positions_exactly(positions: list[int]) -> None:
    """Ranges name each position once, in order, and are as few as can be."""
    found = ranges(positions)

    assert [start + step for start, length in found for step in range(length)] == positions
    assert all(after > start + length for (start, length), (after, _) in pairwise(found))


@given(st.lists(st.integers(0, 30), max_size=8))
def test_as_many_as_there_is_room_for_are_neither_joined_nor_cut(before: list[int]) -> None:
    """Whatever was added before: soon each batch is what was added once."""
    made = OrderedBatcher(FEW_SAMPLES)
    for count in [*before, made.room]:
        made.add(numbered(count))
    made.add(numbered(made.room))

    added = [numbered(made.room) for _ in range(4)]
    batches = [batch for some in added for batch in made.add(some)]

    assert [id(batch) for batch in batches[-3:]] == [id(some) for some in added[:3]]
    assert made.pending is added[3]


@given(st.integers(0, 20), st.integers(9, 60))
def test_records_side_by_side_stay_so_after_some_that_are_not(single: int, together: int) -> None:
    """Only the batch that holds some of both is made of records one by one; each is in its batch, in order."""
    made = OrderedBatcher(FEW_SAMPLES)
    keys = [b"%d\n" % place for place in range(together)]
    stretch = RecordBatch(keys, range(single, single + together), JsonLines.joined(keys))

    batches = [*made.add(numbered(single)), *made.add(stretch), *made.flush()]

    assert [record.position for batch in batches for record in batch] == list(range(single + together))
    first = -(-single // FEW_SAMPLES.maximum)
    assert all(isinstance(batch, RecordBatch) for batch in batches[first:])
