"""Replays that are killed, and several at once: each record arrives, and twice at most what was in flight."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource
from tests.delivery.replaying.conftest import right, wrong

KILLS = [3, pytest.param(20, marks=pytest.mark.long)]
VENDORS = [("thymia", 300, 0.01), ("ptengine", 30_000, 0.05)]


def replay(tmp_path: Path, run: str = "0") -> dict[str, str]:
    """Give the settings of a run that sends the first one's rejects again."""
    return {"rejects": str(tmp_path / "run"), "run": run, "folder": str(tmp_path / f"again-{run}")}


@pytest.mark.slow
@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize(("vendor", "count", "latency"), VENDORS)
@pytest.mark.parametrize("resumes", [True, False])
def test_a_replay_may_be_killed_again_and_again(
    resumes: bool,
    vendor: str,
    count: int,
    latency: float,
    kills: int,
    killer: Callable[..., Any],
    deliver: Callable[..., Result],
    again: Callable[..., Result],
    rejects: Callable[..., RejectsSource],
    rows: Callable[..., Any],
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """Whether the same run goes on or another one begins: all arrives, and then nothing is left."""
    chance = random.Random(f"{vendor}-{resumes}")
    deliver(vendor, wrong(rows(vendor, count), range(count)))
    delivery = killer(vendor, 0, latency=latency, max_in_flight=2, **replay(tmp_path))

    while True:
        one = {} if resumes else replay(tmp_path, str(delivery.attempts))
        if delivery.attempt(chance.uniform(0.001, 0.4) if delivery.kills < kills else None, **one):
            break

    arrived = sandbox.vendors[vendor].counts
    assert arrived.distinct == count
    assert arrived.records - count <= delivery.in_flight
    if resumes:
        assert delivery.reports[-1].delivered == delivery.reports[-1].read == count
        assert delivery.reports[-1].resent >= arrived.records - count
    last = again(vendor, rejects(fix=right), run="last")
    assert (last.error, last.report.read) == (None, 0)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 7])
@pytest.mark.parametrize("where", ["before a receipt", "in the middle of a receipt", "in the middle of a mark"])
@pytest.mark.parametrize("resumes", [True, False])
def test_killed_between_a_mark_and_its_receipt(
    resumes: bool,
    where: str,
    number: int,
    killer: Callable[..., Any],
    deliver: Callable[..., Result],
    again: Callable[..., Result],
    rejects: Callable[..., RejectsSource],
    rows: Callable[..., Any],
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """At the instants that matter most, nothing is lost, and nothing is left to be sent a second time."""
    deliver("thymia", wrong(rows("thymia", 40), range(40)))
    delivery = killer("thymia", 0, max_in_flight=2, **replay(tmp_path))
    assert not delivery.attempt(die=[where, number])

    assert delivery.attempt() if resumes else delivery.attempt(**replay(tmp_path, "1"))

    arrived = sandbox.thymia.counts
    assert arrived.distinct == 40
    assert arrived.records - 40 <= 2
    assert again("thymia", rejects(fix=right), run="last").report.read == 0


@pytest.mark.slow
def test_of_two_at_once_one_waits(
    deliver: Callable[..., Result],
    again: Callable[..., Result],
    rejects: Callable[..., RejectsSource],
    rows: Callable[..., Any],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each record is sent by one of them, and both end well."""
    monkeypatch.setattr("airflow_provider_userdata.delivery.opening.CLAIM_SECONDS", 0.01)
    deliver("thymia", wrong(rows("thymia", 200), range(200)))
    sandbox.thymia.latency = 0.005
    ended: list[Result] = []

    def send(run: str) -> None:
        ended.append(again("thymia", rejects(fix=right), run=run, clock=Clock(), max_in_flight=2))

    threads = [threading.Thread(target=send, args=(run,)) for run in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [one.error for one in ended] == [None] * 3
    assert sorted(one.report.delivered for one in ended) == [0, 0, 200]
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == 200


def test_it_doesnt_wait_for_ever(
    deliver: Callable[..., Result],
    again: Callable[..., Result],
    rejects: Callable[..., RejectsSource],
    rows: Callable[..., Any],
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """After `max_wait`, it fails in the way that Airflow retries, and has sent nothing."""
    deliver("thymia", wrong(rows("thymia", 10), (1,)))
    other = Replay("other", "1-x")
    other.add(tmp_path / "run", {})
    assert other.claim(resuming=False) is None

    ended = again("thymia", rejects(fix=right))

    assert ended.error is not None
    assert "other" in str(ended.error)
    assert getattr(ended.error, "retriable", False)
    assert sandbox.thymia.counts.records == 9
    other.close()
    assert again("thymia", rejects(fix=right)).report.delivered == 1
