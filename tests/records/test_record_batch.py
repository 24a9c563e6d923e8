"""Records in a batch are the same as one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.records.record_batch import (
    RecordBatch,
    entries_of,
    groups_of,
    joined,
    lines_of,
    ranges,
    users_of,
    where,
    with_entries,
)
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from tests.doubles import table_of_rows

GEROSENSE = GeroSense("bpm")
POSITIONS = st.lists(st.integers(0, 50), unique=True).map(sorted) | st.integers(0, 9).map(lambda end: range(3, 3 + end))


def samples(positions: list[int] | range) -> RecordBatch:
    """Make a batch of samples, each with its position as its value."""
    texts = [
        json.dumps({"device_name": "a", "start_date": "2023-11-01T08:04:51Z", "unit": "count", "value": 1 + place})
        for place in positions
    ]
    records, invalid = GEROSENSE.prepare_texts([text.encode() for text in texts], positions)
    assert isinstance(records, RecordBatch)
    assert not invalid
    return records


def profiles(positions: list[int] | range) -> RecordBatch:
    """Make a batch of users, each with its position as its name."""
    table = [[str(place), "x"] for place in positions]
    records, invalid = Ptengine().prepare_table(table_of_rows(("user_id", "plan"), table, texts=True), table, positions)
    assert isinstance(records, RecordBatch)
    assert not invalid
    return records


@given(positions=POSITIONS, start=st.integers(-9, 9), end=st.integers(-9, 60), of=st.sampled_from([samples, profiles]))
def test_a_part_of_a_batch_is_that_part_of_its_records(
    positions: list[int] | range, start: int, end: int, of: Callable[[list[int] | range], RecordBatch]
) -> None:
    """Slices, single records, all of them in a row and columns are alike, whether they were looked up or not."""
    keys = [b"%02d" % place for place in positions]
    for batch in (of(positions), with_entries(of(positions), keys)):
        records = list(batch)
        assert [record.position for record in records] == list(positions)

        made = batch[start:end]

        assert list(made) == records[start:end]
        assert [made[place] for place in range(len(made))] == records[start:end]
        for column in (lines_of, users_of, entries_of, groups_of):
            assert list(column(made)) == list(column(records[start:end]))


@given(chosen=st.lists(st.booleans(), max_size=9), of=st.sampled_from([samples, profiles]))
def test_chosen_records_are_the_same_side_by_side_and_alone(
    chosen: list[bool], of: Callable[[range], RecordBatch]
) -> None:
    """Those that are left out are missing, and nothing else is."""
    batch = with_entries(of(range(len(chosen))), chosen)

    assert isinstance(batch, RecordBatch)
    assert list(where(batch, chosen)) == where(list(batch), chosen)
    assert [record.position for record in where(batch, chosen)] == [n for n, one in enumerate(chosen) if one]


@given(gaps=st.sets(st.integers(0, 200), max_size=15), first=st.integers(0, 5))
def test_ranges_are_the_positions_whether_few_or_many_are_missing(gaps: set[int], first: int) -> None:
    """Each is as long as it can be, and they hold what was given."""
    positions = [position for position in range(first, 200) if position not in gaps]
    made = ranges(positions)

    assert [position for start, length in made for position in range(start, start + length)] == positions
    assert all(start + length < after for (start, length), (after, _) in pairwise(made))


@given(positions=POSITIONS, cuts=st.lists(st.integers(0, 20), max_size=4))
def test_joined_parts_are_the_whole(positions: list[int] | range, cuts: list[int]) -> None:
    """However a batch is cut, its joined parts are the batch again; a range of positions stays a range."""
    whole = samples(positions)
    ends = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]

    again: Sequence[Record] = whole[:0]
    for start, end in pairwise(ends):
        again = joined(again, whole[start:end])

    assert isinstance(again, RecordBatch)
    assert list(again) == list(whole)
    assert isinstance(again.positions, range) == isinstance(positions, range) or not len(whole)


def test_what_is_not_alike_is_joined_record_by_record() -> None:
    """Users, samples and records on their own stand in one list, in order."""
    some, others = samples(range(3)), profiles(range(3, 5))
    alone = Record(b"{}", position=9)

    assert list(joined(joined(some, others), [alone])) == [*some, *others, alone]
    assert list(joined([alone], some)) == [alone, *some]
