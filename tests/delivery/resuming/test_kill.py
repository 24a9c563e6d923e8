"""Deliveries in processes that are killed, at any instant: every record arrives, and few arrive twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.sandbox import Sandbox

Killer = Any


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("vendor", "count", "latency", "settings"),
    [
        ("thymia", 900, 0.01, {"max_in_flight": 4}),
        ("thymia", 400, 0.01, {"max_in_flight": 4, "save_seconds": 1.0}),
        ("gerosense", 30_000, 0.1, {"max_in_flight": 2}),
        ("ptengine", 4_000, 0.1, {"max_in_flight": 2}),
        ("thymia", 500, 0.01, {"max_in_flight": 4, "objects": True}),
        ("ptengine", 2_000, 0.1, {"max_in_flight": 2, "objects": True}),
    ],
)
def test_a_delivery_that_is_killed_again_and_again(
    vendor: str,
    count: int,
    latency: float,
    settings: dict[str, Any],
    kills: int,
    killer: Callable[..., Killer],
    whole: Callable[..., None],
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Killed at random instants, then done: each record has one fate, and what was in flight may come twice.

    On object storage, which can't append, what was accepted since the last part was written may come twice as well. All
    that does is counted.
    """
    chance = random.Random(f"{vendor} {settings}")
    delivery = killer(vendor, count, latency=latency, **settings)
    delivery.attempt(-0.01)  # hardly started

    while not delivery.attempt(chance.uniform(0.001, 0.5) if delivery.kills < kills else None):
        pass

    report = delivery.reports[-1]
    counts = sandbox.vendors[vendor].counts
    allowed = delivery.in_flight + (delivery.lately if settings.get("objects") else 0)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{vendor} {settings}: {delivery.kills} kills, {delivery.attempts} attempts, {count} records, "
            f"{counts.records - counts.distinct} sent twice of {allowed} allowed, {report.resent} counted as resent"
        )
    whole(report, count)
    assert (counts.distinct, report.delivered) == (count, count)
    assert counts.records - counts.distinct <= allowed
    assert report.resent >= counts.records - counts.distinct


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "number"),
    [
        ("before a receipt", 1),
        ("before a receipt", 7),
        ("in the middle of a receipt", 1),
        ("in the middle of a receipt", 7),
        ("in the middle of a reject", 1),
        ("in the middle of what is about to be sent", 2),
        ("in the middle of what is about to be sent", 9),
        ("between a fate and its count", 5),
        ("before the fates are brought to the disk", 1),
        ("before the fates are brought to the disk", 2),
        ("before the fates are brought to the disk", 3),
        ("between fates and checkpoint", 1),
        ("between fates and checkpoint", 2),
        ("between fates and checkpoint", 3),
        ("in the middle of a checkpoint", 1),
        ("in the middle of a checkpoint", 2),
        ("before the done marker", 1),
        ("after the done marker", 1),
    ],
)
def test_a_delivery_that_is_killed_at_a_point(
    where: str, number: int, killer: Callable[..., Killer], whole: Callable[..., None], sandbox: Sandbox, tmp_path: Path
) -> None:
    """Killed between any two steps, it goes on: each record has one fate, and what was in flight may come twice."""
    delivery = killer("ptengine", 2_000, latency=0.02, max_in_flight=2, save_seconds=0.03)
    with (tmp_path / "source.jsonl").open("a") as source:
        source.write('{"plan": "geheim"}\n' * 5)

    assert not delivery.attempt(die=(where, number))
    assert delivery.attempt()

    report, counts = delivery.reports[-1], sandbox.ptengine.counts
    whole(report, 2_005)
    assert (counts.distinct, report.delivered, report.rejected) == (2_000, 2_000, 5)
    assert counts.records - counts.distinct <= delivery.in_flight
    assert counts.records - counts.distinct <= report.resent
    assert delivery.repeated is (where == "after the done marker")
    if "done marker" in where:
        assert counts.records == 2_000
