"""Airflow backfills and catches up, several runs at once, and each run reads the day before once more."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata.sandbox import Sandbox

RUNS = 4
A_DAY = 20
"""Records. Each run reads two days, so all together read five."""


LATENCY = 0.5
"""Seconds that a request takes: long enough for tasks that don't take turns to meet."""


def delivered(runs: list[Any]) -> int:
    """See that each run ends well and accounts for all that it read; tell how much they delivered together."""
    assert [run.ends() for run in runs] == ["success"] * RUNS
    reports = [run.xcom() for run in runs]
    assert [report["read"] for report in reports] == [2 * A_DAY] * RUNS
    assert [report["delivered"] + report["unchanged"] for report in reports] == [2 * A_DAY] * RUNS
    return sum(int(report["delivered"]) for report in reports)


def most_at_once(runs: list[Any]) -> int:
    """Tell how many runs there were at one time."""
    spans: list[tuple[str, str]] = [run.span() for run in runs]
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


def test_a_backfill_sends_each_record_once(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """Its runs come at once, whatever the DAG's `max_active_runs`, and their tasks take turns."""
    userdata_sandbox.gerosense.latency = LATENCY
    days = "--from-date", "2024-05-01", "--to-date", "2024-05-04"
    airflow.backfill("backfilled", *days, "--max-active-runs", str(RUNS))
    runs = airflow.unpause("backfilled", RUNS)
    assert delivered(runs) == 5 * A_DAY
    counts = userdata_sandbox.gerosense.counts
    assert (counts.records, counts.distinct, counts.most_in_flight) == (5 * A_DAY, 5 * A_DAY, 1)
    assert most_at_once(runs) == RUNS


def test_a_catch_up_sends_each_record_once(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """Its runs come at once, and their tasks take turns."""
    userdata_sandbox.gerosense.latency = LATENCY
    runs = airflow.unpause("caught_up", RUNS)
    assert delivered(runs) == 5 * A_DAY
    counts = userdata_sandbox.gerosense.counts
    assert (counts.records, counts.distinct, counts.most_in_flight) == (5 * A_DAY, 5 * A_DAY, 1)
    assert most_at_once(runs) > 1


def test_tasks_at_once_lose_nothing(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """Where an author doesn't let them take turns, what one has on its way another may send too; all arrives."""
    thymia = userdata_sandbox.thymia
    thymia.latency = LATENCY
    runs = airflow.unpause("caught_up_at_once", RUNS)
    airflow.wait(lambda: thymia.counts.in_flight > 1)
    thymia.latency = 0.0
    assert delivered(runs) == thymia.counts.records
    assert thymia.counts.distinct == 5 * A_DAY
