"""The records are not the same at the second attempt as they were at the first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

Rows = list[dict[str, Any]]
Records = Callable[[int], Rows]
TO: dict[str, Any] = {
    "task_id": "upload",
    "max_in_flight": 1,
    "max_attempts": 1,
    "retries": 2,
    "retry_delay": timedelta(0),
}


def _added_in_front(rows: Rows) -> Rows:
    return [rows[-1], *rows[:-1], rows[-1]]


def _changed(rows: Rows) -> Rows:
    return [*rows[:1], rows[2], *rows[2:]]


def _reordered(rows: Rows) -> Rows:
    return rows[::-1]


def _cut_short(rows: Rows) -> Rows:
    return rows[:1]


CHANGES = [_added_in_front, _changed, _reordered, _cut_short]


def _source(first: Rows, change: Callable[[Rows], Rows]) -> Callable[..., Rows]:
    """Give the records at the first attempt, and changed at every later one."""

    def rows(ti: Any) -> Rows:
        return first if ti.try_number == 1 else change(first)

    return rows


@pytest.mark.parametrize("change", CHANGES)
def test_thymia_gets_nothing_of_a_changed_source(
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    moods: Records,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Rows], Rows],
) -> None:
    """Sending twice would duplicate: red, without another attempt, and the message names the ways out."""
    sandbox.thymia.script("ok x5", "503")
    with new_dag() as dag:
        ThymiaUploadOperator(upload_type="mood", source=_source(moods(9), change), **TO)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["failed"], [2])
    assert sandbox.thymia.counts.records == 5
    told = capsys.readouterr().out
    assert "SourceChangedError: source: its first 9 records are not those that the attempt before read" in told
    assert "ORDER BY" in told
    assert "resume=False" in told
    assert run.xcom("upload", "report")["delivered"] == 5


def test_gerosense_gets_nothing_of_a_changed_source(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    """Samples have no key that a second copy would meet: red, and not retried."""
    sandbox.gerosense.script("ok", "503")
    with new_dag() as dag:
        GerosenseSamplesOperator(data_type="steps", source=_source(samples(2500), _reordered), **TO)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["failed"], [2])
    assert sandbox.gerosense.counts.accepted_requests == 1
    assert "SourceChangedError" in capsys.readouterr().out


@pytest.mark.parametrize("change", CHANGES)
def test_ptengine_gets_a_changed_source_from_the_first_record(
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    people: Records,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[Rows], Rows],
) -> None:
    """A profile sent twice is the same profile: the log says that all is sent again, and the report counts it anew."""
    sandbox.ptengine.script("ok", "503")
    rows = people(250)
    with new_dag() as dag:
        PtengineProfilesOperator(source=_source(rows, change), **TO)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [2])
    assert "The source changed since an earlier attempt: all its records are sent again" in caplog.text
    report = run.xcom("upload")
    assert report["read"] == report["delivered"] == len(change(rows))
    assert sandbox.ptengine.counts.records == 100 + len(change(rows))


def test_an_author_may_have_it_otherwise(new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records) -> None:
    """`on_changed_source="restart"` sends all to Thymia once more."""
    sandbox.thymia.script("ok x5", "503")
    with new_dag() as dag:
        source = _source(moods(9), _added_in_front)
        ThymiaUploadOperator(upload_type="mood", source=source, on_changed_source="restart", **TO)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [2])
    assert sandbox.thymia.counts.records == 15


def test_records_that_follow_are_no_change(new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records) -> None:
    """What was added at the end goes out with the rest."""
    sandbox.thymia.script("ok x5", "503")
    more = moods(12)
    with new_dag() as dag:
        ThymiaUploadOperator(upload_type="mood", source=_source(more[:9], lambda _: more), **TO)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [2])
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == 12
