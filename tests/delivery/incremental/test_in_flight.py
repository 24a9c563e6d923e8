"""A duplicate of a record in flight is not sent, and gets that record's outcome."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.incremental import change_filter
from airflow_provider_userdata.delivery.incremental.in_flight import RecordsInFlight, StatesInFlight
from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.records.json_lines import JsonLines
from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.records.record_batch import RecordBatch, joined
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine

CONTENTS = st.lists(st.integers(0, 5), min_size=1, max_size=6)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["look up", "look up one by one"]), CONTENTS),
    st.tuples(st.sampled_from(["deliver", "give up", "mark", "forget"]), st.integers(1, 4)),
)
PROVEN_AFTER_A_MARK: list[tuple[str, Any]] = [
    ("look up", [0]),
    ("deliver", 1),
    ("look up", [0]),
    ("mark", 1),
    ("look up", [1]),
    ("deliver", 1),
    ("look up", [1]),
]


REJOINED: list[tuple[str, Any]] = [
    ("look up", [1, 2]),
    ("look up", [3, 4]),
    ("deliver", 1),
    ("look up one by one", [0]),
    ("give up", 2),
    ("look up", [2, 3, 4]),
    ("mark", 4),
    ("look up", [1, 2]),
]


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(st.lists(STEPS, max_size=40))
@example(PROVEN_AFTER_A_MARK)
@example(REJOINED)
def test_any_course_of_records(steps: list[tuple[str, Any]]) -> None:
    """Each record has one outcome; none is sent while an equal one is in flight or proven; what is marked is proven."""
    in_flight, marked, proven = RecordsInFlight(), set[bytes](), set[bytes]()
    sent: Sequence[Record] = []
    settled: list[int] = []
    positions = 0

    def settle(records: Sequence[Record], duplicates: list[Record]) -> None:
        assert {one.body for one in duplicates} <= {one.body for one in records}
        settled.extend(one.position for one in [*records, *duplicates])

    def look_up(contents: list[int], *, one_by_one: bool) -> None:
        nonlocal positions, sent
        keys = [b"%d" % content for content in contents]
        numbers = range(positions, positions + len(keys))
        positions += len(keys)
        records: Sequence[Record] = RecordBatch(keys, numbers, JsonLines.joined([key + b"\n" for key in keys]))
        chosen = [index for index, key in enumerate(keys) if key not in marked]
        to_send, unchanged = in_flight.divide(list(records) if one_by_one else records, keys, [], chosen)
        assert {one.body for one in unchanged} <= marked | proven
        new = [one.body for one in to_send]
        assert set(new) == set(keys) - marked - proven - {one.body for one in sent}
        assert len(new) == len(set(new))
        sent = joined(sent, to_send)
        settled.extend(one.position for one in unchanged)

    def end(count: int, *, delivered: bool) -> None:
        nonlocal sent
        some, sent = sent[:count], sent[count:]
        note = in_flight.record_delivered if delivered else in_flight.record_undelivered
        settle(some, note(some, in_doubt=False))
        proven.update([one.body for one in some] * delivered)

    def mark(most: int) -> None:
        marks = in_flight.to_mark(most)
        keys = list(marks.entries)
        assert marks.keys == b"".join(keys)
        assert marks.count == len(keys)
        assert proven.issuperset(keys)
        in_flight.marked(marks)
        marked.update(keys)
        proven.difference_update(keys)

    for name, value in steps:
        if name.startswith("look up"):
            look_up(value, one_by_one=name != "look up")
        elif name == "mark":
            mark(value)
        elif name == "forget":
            marked.clear()  # by a command, or because it is too old
        else:
            end(value, delivered=name == "deliver")
    end(len(sent), delivered=True)
    assert sorted(settled) == list(range(positions))
    assert in_flight.unmarked == len(proven)
    mark(sys.maxsize)
    assert in_flight.unmarked == 0
    marked.clear()
    look_up([0, 1, 2], one_by_one=False)  # nothing is left in flight: all of them are sent


def test_a_state_after_one_in_doubt_is_not_believed() -> None:
    """The one before may still arrive after it: it is never marked, though it was delivered."""
    in_flight, key = StatesInFlight(), b"k" * 16
    marked: list[list[bytes]] = []
    for state in (b"a" * 16, b"b" * 16):
        to_send, _ = in_flight.divide([Record(b"{}")], [key], [state], [0])
        in_flight.record_delivered(to_send, in_doubt=state == b"a" * 16)
        proofs = in_flight.to_mark(9)
        in_flight.marked(proofs)
        marked.append([entry.fingerprint for entry in proofs.entries])
    assert marked == [[b"a" * 16], []]


def samples() -> Sequence[Record]:
    """Return five samples of one day."""
    day = b'{"device_name":"ring","start_date":"2024-05-01T08:00:0%dZ","unit":"count","value":1}'
    return GeroSense("steps").prepare_texts([day % second for second in range(5)], range(5)).records


def test_look_ups_of_states_get_their_turn_while_much_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes during a mark waits for one step of it, and a record whose like is proven is still unchanged."""
    monkeypatch.setattr(change_filter, "MARKED_AT_ONCE", 2)
    calls: list[str] = []

    class Noting:
        fingerprints = Fingerprints(b"a secret of the tests' own")

        def open(self) -> None:
            """Open."""

        def sift(self, keys: bytes, _: bytes = b"", __: Sequence[bytes] = ()) -> list[int]:
            calls.append(f"look up {len(keys) // 16}")
            return list(range(len(keys) // 16))

        def mark_delivered(self, keys: bytes, _: bytes = b"") -> None:
            calls.append(f"mark {len(keys) // 16}")

        def close(self) -> None:
            """Close."""

    def users() -> Sequence[Record]:
        return (
            Ptengine()
            .prepare_texts([b'{"user_id":"%d","tier":"gold"}' % number for number in range(5)], range(5))
            .records
        )

    async def run() -> None:
        changes = change_filter.ChangeFilter(Noting(), Ptengine())
        await changes.open()
        sent, _ = await changes.sift(users())
        assert changes.record_delivered(sent, in_doubt=False) == []
        marking = asyncio.ensure_future(changes.mark_delivered())
        await asyncio.sleep(0)
        to_send, unchanged = await changes.sift(users())
        assert (len(to_send), len(unchanged)) == (2, 3)  # the ledger above forgets what it was told
        await marking
        assert changes.unmarked == 0
        await changes.close(asyncio.Event(), 10)

    asyncio.run(run())
    assert calls == ["look up 5", "mark 2", "look up 5", "mark 2", "mark 1"]


def test_a_look_up_finds_what_was_marked_while_it_ran() -> None:
    """Records are looked up while others are marked: what wasn't there yet, and is no longer under way, isn't sent."""
    began, marked = threading.Event(), threading.Event()

    class Slow:
        fingerprints = Fingerprints(b"a secret of the tests' own")

        def sift(self, keys: bytes, _: bytes = b"", __: Sequence[bytes] = ()) -> list[int]:
            began.set()
            assert marked.wait(20)
            return list(range(len(keys) // 16))  # as it was when the look-up began

        def mark_delivered(self, keys: bytes, _: bytes = b"") -> None:
            assert len(keys) == 5 * 16
            marked.set()

    async def run() -> None:
        changes = change_filter.ChangeFilter(Slow(), GeroSense("steps"))  # type: ignore[arg-type]
        changes.record_proven(samples())
        looking_up = asyncio.ensure_future(changes.sift(samples()))
        await asyncio.to_thread(began.wait)
        await changes.mark_delivered()
        assert changes.unmarked == 0
        to_send, unchanged = await looking_up
        assert (len(to_send), len(unchanged)) == (0, 5)

    asyncio.run(asyncio.wait_for(run(), 20))


def test_much_that_is_proven_is_marked_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is marked beside the delivery, before any checkpoint asks for it; little waits for one."""
    monkeypatch.setattr(change_filter, "MARKED_AT_ONCE", 2)
    marked: list[bytes] = []
    first, second = threading.Event(), threading.Event()

    class Noting:
        fingerprints = Fingerprints(b"a secret of the tests' own")

        def mark_delivered(self, keys: bytes, _: bytes = b"") -> None:
            marked.append(keys)
            (second if first.is_set() else first).set()

    async def run() -> None:
        changes = change_filter.ChangeFilter(Noting(), GeroSense("steps"))  # type: ignore[arg-type]
        marking = asyncio.ensure_future(changes.mark_continuously())
        changes.record_delivered([Record(b"", entry=b"%d" % number * 16) for number in range(5)], in_doubt=False)
        await asyncio.to_thread(first.wait)
        await changes.mark_delivered()
        changes.record_delivered([Record(b"", entry=b"l" * 16)], in_doubt=False)
        await asyncio.sleep(0)
        assert not second.is_set()
        changes.record_delivered([Record(b"", entry=b"m" * 16)], in_doubt=False)
        await asyncio.to_thread(second.wait)
        marking.cancel()

    monkeypatch.setattr(GeroSense, "moments", lambda *_: [])
    asyncio.run(asyncio.wait_for(run(), 20))
    assert [len(keys) // 16 for keys in marked] == [5, 2]


def test_two_marks_at_once_end() -> None:
    """The one finds nothing left of what the other has marked."""
    marked: list[bytes] = []

    class Noting:
        fingerprints = Fingerprints(b"a secret of the tests' own")

        def mark_delivered(self, keys: bytes, _: bytes = b"") -> None:
            marked.append(keys)

    async def run() -> None:
        changes = change_filter.ChangeFilter(Noting(), GeroSense("steps"), shows_recent=False)  # type: ignore[arg-type]
        record = Record(b"", entry=b"k" * 16)
        changes.record_delivered([record], in_doubt=False)
        await asyncio.gather(changes.mark_delivered(), changes.mark_delivered())

    asyncio.run(asyncio.wait_for(run(), 20))
    assert marked == [b"k" * 16]
