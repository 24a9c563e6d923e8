"""Incremental runs that are killed: nothing is lost, and the next run sends only what has no mark."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import create_engine

from airflow_provider_userdata.ledger import SqlLedger, Stream
from airflow_provider_userdata.sandbox import Sandbox

Killer = Any
SECRET = b"a secret of the tests' own"


def unmarked(database: str, vendor: str, count: int) -> int:
    """Tell how many of so many records the ledger doesn't know."""
    ledger = SqlLedger(database, Stream(vendor), keyed=vendor == "ptengine", run="looks", secret=SECRET)
    ledger.open()
    ledger.close()
    known = "fingerprint IS NOT NULL" if vendor == "ptengine" else "1 = 1"
    engine = create_engine(database)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM userdata_ledger_entries WHERE {known}").scalar()
    engine.dispose()
    return count - int(found or 0)


def until_done(delivery: Killer, kills: int, chance: random.Random) -> None:
    """Kill attempts at random instants, at most so often, until one comes to its end."""
    while not delivery.attempt(chance.uniform(0.05, 0.6) if delivery.kills < kills else None):
        pass


KILLS = [2, pytest.param(8, marks=pytest.mark.long)]
CASES = [("thymia", 600, 0.01), ("gerosense", 30_000, 0.1), ("ptengine", 4_000, 0.1)]


@pytest.mark.slow
@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize(("vendor", "count", "latency"), CASES)
def test_an_incremental_run_that_is_killed_again_and_again(
    vendor: str,
    count: int,
    latency: float,
    kills: int,
    killer: Callable[..., Killer],
    new_database: Callable[[], str],
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All arrives, twice at most what was in flight; then a second run sends what had no mark, and nothing else."""
    chance, database = random.Random(vendor), new_database()
    first = killer(vendor, count, latency=latency, max_in_flight=2, ledger=database, run="1")
    until_done(first, kills, chance)
    counts = sandbox.vendors[vendor].counts
    sent_twice = counts.records - counts.distinct
    left = unmarked(database, vendor, count)

    second = killer(vendor, count, max_in_flight=2, ledger=database, run="2", folder=first.settings["folder"] + "-2")
    assert second.attempt()

    report = second.reports[-1]
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{vendor}: {first.kills} kills, {sent_twice} sent twice of {first.in_flight} allowed; the second run "
            f"sent {report.delivered} of {count}"
        )
    assert counts.distinct == count
    assert sent_twice <= first.in_flight
    assert (report.delivered, report.unchanged) == (left, count - left)
    assert vendor == "ptengine" or left == 0  # of records, receipts are marked by the next attempt


@pytest.mark.slow
@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize(("vendor", "count", "latency"), CASES)
def test_two_runs_of_a_stream_at_once_that_are_killed(
    vendor: str,
    count: int,
    latency: float,
    kills: int,
    killer: Callable[..., Killer],
    new_database: Callable[[], str],
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither loses a record that the other one has, or had claimed."""
    database = new_database()
    runs = [killer(vendor, count, latency=latency, max_in_flight=2, ledger=database, run=name) for name in "12"]
    runs[1].settings["folder"] += "-2"
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda run, seed: until_done(run, kills, random.Random(seed)), runs, (1, 2)))
    counts = sandbox.vendors[vendor].counts
    left = unmarked(database, vendor, count)

    third = killer(vendor, count, max_in_flight=2, ledger=database, run="3", folder=runs[0].settings["folder"] + "-3")
    assert third.attempt()

    report = third.reports[-1]
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{vendor}, two at once: {[run.kills for run in runs]} kills, {counts.records} arrived of {count}, the "
            f"third run sent {report.delivered}"
        )
    assert counts.distinct == count
    assert counts.records <= 2 * count + sum(run.in_flight for run in runs)
    assert (report.delivered, report.unchanged) == (left, count - left)


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["thymia", "ptengine"])
@pytest.mark.parametrize(
    ("where", "number"),
    [("before the marks", 1), ("before the marks", 3), ("after the marks", 3), ("after the marks", 4)],
)
def test_an_incremental_run_that_is_killed_at_a_point(
    vendor: str,
    where: str,
    number: int,
    killer: Callable[..., Killer],
    new_database: Callable[[], str],
    sandbox: Sandbox,
) -> None:
    """Between acceptance and mark, and between mark and checkpoint: a resend at most, never a loss."""
    database = new_database()
    count, latency = (150, 0.01) if vendor == "thymia" else (2_000, 0.02)
    first = killer(vendor, count, latency=latency, max_in_flight=2, save_seconds=0.03, ledger=database, run="1")
    assert not first.attempt(die=(where, number))
    assert first.attempt()
    counts = sandbox.vendors[vendor].counts
    assert counts.distinct == count
    assert counts.records - counts.distinct <= first.in_flight
    left = unmarked(database, vendor, count)
    second = killer(vendor, count, ledger=database, run="2", folder=first.settings["folder"] + "-2")
    assert second.attempt()
    assert second.reports[-1].delivered == left
    assert vendor == "ptengine" or left == 0
