"""Streams of delivered records: what is there was delivered."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from airflow_provider_userdata.ledger import SqlLedger, Stream
from airflow_provider_userdata.ledger.ledger import MOST_BEGINNINGS
from airflow_provider_userdata.ledger.sqlite import MOST_AT_ONCE

NewLedger = Callable[..., SqlLedger]
Keys = Callable[..., bytes]


def test_what_was_marked_is_not_sent_again(new_ledger: NewLedger, keys: Keys) -> None:
    """The first sift gives all, the next only what is new, in order."""
    ledger = new_ledger()
    assert ledger.sift(keys("a", "b", "c")) == [0, 1, 2]
    ledger.mark_delivered(keys("c", "a"))
    assert ledger.sift(keys("a", "b", "c", "d")) == [1, 3]


def test_looking_up_marks_nothing(new_ledger: NewLedger, keys: Keys) -> None:
    """What was sifted and never marked is to be sent again."""
    new_ledger().sift(keys("a"))
    assert new_ledger(run="b").sift(keys("a")) == [0]


def test_nothing_asked_is_nothing_found(new_ledger: NewLedger) -> None:
    """No keys are no work."""
    ledger = new_ledger()
    assert ledger.sift(b"") == []
    ledger.mark_delivered(b"")


def test_a_mark_is_committed_when_it_returns(new_ledger: NewLedger, keys: Keys) -> None:
    """A ledger that is never closed has lost nothing."""
    new_ledger().mark_delivered(keys("a"))
    assert new_ledger(run="b").sift(keys("a", "b")) == [1]


def test_marking_twice_is_marking_once(new_ledger: NewLedger, keys: Keys) -> None:
    """In one call and in two."""
    ledger = new_ledger()
    ledger.mark_delivered(keys("a", "a", "b"))
    ledger.mark_delivered(keys("b", "a"))
    assert ledger.sift(keys("a", "b", "a")) == []


def test_a_key_that_is_new_twice_is_given_twice(new_ledger: NewLedger, keys: Keys) -> None:
    """The caller knows what it has under way."""
    assert new_ledger().sift(keys("a", "a")) == [0, 1]


@pytest.mark.parametrize("partitions", [1, 3, MOST_BEGINNINGS, MOST_BEGINNINGS + 1])
def test_beginnings_alter_no_answer(new_ledger: NewLedger, keys: Keys, partitions: int) -> None:
    """Where nothing begins as the keys do, all are new; where one does, each key is looked up."""
    beginnings = [bytes([255 - number, 0, 255, 255]) for number in range(partitions)]
    ends = keys(*"abcdefghi")
    joined = b"".join(beginnings[n % partitions] + ends[n * 16 + 4 : n * 16 + 16] for n in range(9))
    ledger = new_ledger()
    ledger.mark_delivered(keys(*"abcdefghi"))
    new_ledger(Stream("gerosense", name="another")).mark_delivered(joined)
    assert ledger.sift(joined, b"", beginnings) == list(range(9))
    ledger.mark_delivered(joined[-16:])
    assert ledger.sift(joined, b"", beginnings) == list(range(8))


def test_a_key_at_an_end_of_its_shelf_is_found(new_ledger: NewLedger) -> None:
    """The first and the last that begin so."""
    ledger = new_ledger()
    for number, end in enumerate((b"\x00", b"\xff")):
        beginning = bytes([number, 255, 255, 255])
        ledger.mark_delivered(beginning + end * 12)
        assert ledger.sift(beginning + end * 12, b"", [beginning]) == []


def test_a_look_up_waits_for_no_mark(new_ledger: NewLedger, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may look up in the middle of a mark, and finds what was there before it."""
    ledger = new_ledger()
    ledger.mark_delivered(keys("a"))
    entries = ledger._database.entries
    add, found = entries.add, list[list[int]]()

    def adding(*values: Any) -> None:
        add(*values)
        thread = threading.Thread(target=lambda: found.append(ledger.sift(keys("a", "b"))))
        thread.start()
        thread.join(20)

    monkeypatch.setattr(entries, "add", adding)
    ledger.mark_delivered(keys("b"))
    assert found == [[1]]
    assert ledger.sift(keys("a", "b")) == []


def test_streams_are_apart(new_ledger: NewLedger, keys: Keys) -> None:
    """By vendor, host, port, kind, user and name."""
    streams = [
        Stream("gerosense", "h", None, "steps"),
        Stream("gerosense", "h", None, "bpm"),
        Stream("gerosense", "h", 8443, "steps"),
        Stream("gerosense", "i", None, "steps"),
        Stream("gerosense", "h", None, "steps", "ann"),
        Stream("gerosense", "h", None, "steps", "bob"),
        Stream("thymia", "h", None, "steps"),
        Stream("gerosense", name="mine"),
        Stream("thymia", name="mine"),
    ]
    for number, stream in enumerate(streams):
        ledger = new_ledger(stream)
        assert ledger.sift(keys("a")) == [0], number
        ledger.mark_delivered(keys("a"))


def test_a_name_of_ones_own_stands_for_the_rest(new_ledger: NewLedger, keys: Keys) -> None:
    """A stream with a name stays the same when the address changes."""
    new_ledger(Stream("thymia", "old.example.com", None, "mood", name="moods")).mark_delivered(keys("a"))
    assert new_ledger(Stream("thymia", "new.example.com", 8443, name="moods")).sift(keys("a")) == []


def test_what_is_too_old_counts_as_absent(new_ledger: NewLedger, keys: Keys, clock: Any) -> None:
    """From the day on when it is, whether it is removed yet or not; delivered again, it counts again."""
    ledger = new_ledger(retention_days=2)
    ledger.mark_delivered(keys("a"))
    clock.pass_days(2)
    assert ledger.sift(keys("a")) == []
    clock.pass_days(1)
    assert ledger.sift(keys("a")) == [0]
    ledger.mark_delivered(keys("a"))
    assert ledger.sift(keys("a")) == []


def test_what_is_too_old_is_removed_at_the_next_opening(
    new_ledger: NewLedger, keys: Keys, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps, and only what is too old: without a retention it is then gone, not hidden."""
    monkeypatch.setattr("airflow_provider_userdata.ledger.expiry.STEP", 3)
    ledger = new_ledger()
    ledger.mark_delivered(keys(*"abcdefgh"))
    clock.pass_days(1)
    ledger.mark_delivered(keys("x", "y"))
    clock.pass_days(2)
    removals: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        removals.extend([statement] * statement.startswith("DELETE FROM userdata_ledger_entries"))

    event.listen(Engine, "before_cursor_execute", note)
    new_ledger(run="b", retention_days=2)
    new_ledger(run="c", retention_days=2)
    event.remove(Engine, "before_cursor_execute", note)
    assert len(removals) == 3  # of 3, 3 and 2; once a day
    assert ledger.sift(keys(*"abcdefgh", "x", "y")) == list(range(8))


def test_long_calls_are_cut(new_ledger: NewLedger) -> None:
    """More keys than one statement takes give the same."""
    ledger = new_ledger()
    joined = os.urandom(16 * (MOST_AT_ONCE + 5))
    ledger.mark_delivered(joined[:-32])
    assert ledger.sift(joined) == [MOST_AT_ONCE + 3, MOST_AT_ONCE + 4]
    assert ledger.sift(joined[-32:] + joined) == [0, 1, MOST_AT_ONCE + 5, MOST_AT_ONCE + 6]


def test_keys_of_another_length_are_a_mistake(new_ledger: NewLedger) -> None:
    """They would be cut up wrongly."""
    ledger = new_ledger()
    for call in (ledger.sift, ledger.mark_delivered):
        with pytest.raises(ValueError, match="16 bytes"):
            call(b"short")
        with pytest.raises(ValueError, match="16 bytes"):
            call(bytes(16), bytes(16))
