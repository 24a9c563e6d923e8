"""The checkpoint is small whatever the source, and one that would be too large is not written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.reading.digest import SourceDigest
from airflow_provider_userdata.delivery.resuming import checkpoint_writer
from airflow_provider_userdata.delivery.resuming.checkpoint import Checkpoint, Completed, decoded
from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet
from airflow_provider_userdata.delivery.resuming.position_tracker import PositionTracker
from airflow_provider_userdata.errors import SourceBrokeError
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles.stores import LARGEST

Attempt = Callable[..., Result]
CHUNK = 1000


def checkpoint(progress: PositionTracker) -> Checkpoint:
    """Make a checkpoint, with all that takes room in it."""
    return Checkpoint(
        attempt="12-0123abcd",
        host="h" * 64,
        folder="/" + "d" * 2000,
        journals={f"{kind}-12-0123abcd": 10**12 for kind in ("receipts", "rejects", "sent")},
        tally={"reasons": {f"G{number}": 10**9 for number in range(50)}},
        waiting_since=datetime.now(UTC),
        **progress.marks(),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("positions", "max_in_flight"),
    [
        (200_000, 16),
        (200_000, 100),
        pytest.param(1_000_000, 16, marks=pytest.mark.long),
        pytest.param(1_000_000, 1000, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("sets", [1, 50])
@pytest.mark.parametrize("size", [100, 1000])
def test_many_positions_settled_out_of_order_fit(positions: int, max_in_flight: int, sets: int, size: int) -> None:
    """Batches of interleaved records, answered in any order: what is settled and what is in flight fits."""
    chance = random.Random(f"{max_in_flight} {sets} {size}")
    progress, source, settled, sent = PositionTracker(), SourceDigest(), set[int](), set[int]()
    in_flight: list[list[tuple[int, int]]] = []
    window = sets * size
    for start in range(0, positions, CHUNK):
        marks = source.take([b"{}"] * CHUNK)
        progress.record_read(marks, marks)
        if (start + CHUNK) % window:
            continue
        for first in range(start + CHUNK - window, start + CHUNK - window + sets):
            batch = [(position, 1) for position in range(first, first + window, sets)]
            progress.record_sent(batch)
            in_flight.append(batch)
            sent.update(position for position, _ in batch)
            if len(in_flight) > max_in_flight:
                done = in_flight.pop(chance.randrange(len(in_flight)))
                progress.record_outcome(done)
                settled.update(position for position, _ in done)
    made = checkpoint(progress)
    assert made.fits
    assert len(msgspec.json.encode(made)) < LARGEST
    read = decoded(json.loads(json.dumps(msgspec.to_builtins(made))))
    assert read == made
    assert len(made.settled()) == len(settled)
    assert all(
        position in settled for start, length in made.settled().ranges() for position in (start, start + length - 1)
    )
    assert len(made.sent()) == len(sent) - len(settled)


@pytest.mark.slow
def test_positions_that_are_scattered_too_far_do_not_fit() -> None:
    """A million positions of which chance has settled a half are not squeezed in, and not cut either."""
    chance = random.Random(1)
    progress = PositionTracker()
    for position in range(0, 1_000_000, 2):
        progress.record_outcome([(position, 1 + (chance.random() < 0.5))])

    assert not checkpoint(progress).fits


@pytest.mark.slow
@pytest.mark.parametrize("max_in_flight", [16, 1000])
def test_profiles_of_fifty_interleaved_sets_are_gone_on_with(
    max_in_flight: int,
    attempt: Attempt,
    whole: Callable[..., None],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sets of keys that take turns, and come in any order: every checkpoint is small, and nothing is sent twice."""
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.01)
    chance = random.Random(2)
    numbers = [*(number % 50 for number in range(15_000)), *(chance.randrange(50) for _ in range(15_000))]
    records = [{"user_id": f"geheim-{number}", f"plan-{kind}": "a"} for number, kind in enumerate(numbers)]

    def broken(at: int) -> Any:
        yield from records[:at]
        raise SourceBrokeError("the cursor was closed")

    for at in (9_000, 21_000):
        assert attempt("ptengine", broken(at), max_in_flight=max_in_flight).error is not None
    ended = attempt("ptengine", records, max_in_flight=max_in_flight)

    whole(ended.report, 30_000)
    assert (sandbox.ptengine.counts.records, sandbox.ptengine.counts.repeated) == (30_000, 0)


@pytest.mark.parametrize("value", [None, "a", 1, [], {}, {"done": {}}, {"attempt": 1}])
def test_what_is_no_checkpoint_is_none(value: object) -> None:
    """Nothing, or something else, is not gone on from."""
    assert decoded(value) is None


def test_a_marker_is_read_back() -> None:
    """What `Completed` writes, it reads."""
    done = Completed(done={"read": 1}, red=True, max_tries=3)

    assert decoded(json.loads(json.dumps(msgspec.to_builtins(done)))) == done


def test_an_empty_checkpoint_has_nothing_settled() -> None:
    """Before anything is settled, no position is."""
    made = checkpoint(PositionTracker())

    assert [*made.settled().ranges()] == [*made.sent().ranges()] == [*IntervalSet().ranges()] == []
