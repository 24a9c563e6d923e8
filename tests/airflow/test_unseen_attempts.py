"""Before Airflow 3.3, an attempt that can't see the files of those before it knows nothing of them, and says so."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException

from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

KEEPS_STATE = not version("apache-airflow").startswith(("2.", "3.0.", "3.1.", "3.2."))
Records = Callable[[int], list[dict[str, Any]]]
Warnings = Callable[[], list[str]]
ONE_BY_ONE: dict[str, Any] = {"task_id": "upload", "upload_type": "mood", "max_in_flight": 1, "max_attempts": 1}


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Warnings:
    """Give the warnings that speak of attempts that can't be seen."""
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "left nothing" in record.getMessage()
    ]


def attempt(context: Any, number: int, **given: Any) -> Any:
    """Make an attempt at the task, where there is no task state store."""
    context["ti"] = replace(context["ti"], try_number=number)
    return ThymiaUploadOperator(**{**ONE_BY_ONE, **given}).execute(context)


def test_what_attempts_that_cannot_be_seen_may_have_sent_is_counted(
    context: Any, sandbox: Sandbox, output: Path, moods: Records, warnings: Warnings
) -> None:
    """A retry on another worker sends all again: it says so, and no less counts as resent than arrived twice."""
    sandbox.thymia.script("ok x4", "503")
    with pytest.raises(AirflowException):
        attempt(context, 1, source=moods(9))
    assert not warnings()
    shutil.rmtree(output)

    report = attempt(context, 2, source=moods(9))

    (warning,) = warnings()
    assert "attempt 1 " in warning
    assert str(output) in warning
    assert (report["delivered"], report["resent"], sandbox.thymia.counts.repeated) == (9, 9, 4)


def test_a_checkpoint_from_before_attempts_that_cannot_be_seen_is_not_all_there_is(
    context: Any, sandbox: Sandbox, output: Path, moods: Records, tmp_path: Path, warnings: Warnings
) -> None:
    """Where workers take turns, what another one sent meanwhile is in doubt."""
    sandbox.thymia.script("ok x2", "503", "ok x5", "503")
    with pytest.raises(AirflowException):
        attempt(context, 1, source=moods(9))
    with pytest.raises(AirflowException):
        attempt(context, 2, source=moods(9), output_path=tmp_path / "elsewhere")

    report = attempt(context, 3, source=moods(9))

    counts = sandbox.thymia.counts
    assert len(warnings()) == 2
    assert (report["delivered"], report["read"], counts.distinct) == (9, 9, 9)
    assert counts.records - counts.distinct == 5
    assert report["resent"] == 7


def test_nothing_is_sent_where_nothing_may_come_twice(
    context: Any, sandbox: Sandbox, output: Path, moods: Records
) -> None:
    """With `hold`, such an attempt ends before it sends anything, and names the ways out."""
    sandbox.thymia.script("ok x4", "503")
    with pytest.raises(AirflowException):
        attempt(context, 1, source=moods(9), on_doubt="hold")
    shutil.rmtree(output)

    with pytest.raises(AirflowException, match=r"left nothing.*resume=False"):
        attempt(context, 2, source=moods(9), on_doubt="hold")

    assert sandbox.thymia.counts.records == 4
    assert attempt(context, 3, source=moods(9), on_doubt="hold", resume=False)["delivered"] == 9


@pytest.mark.parametrize("fault", [{"max_rejected": -1}, {"thymia_conn_id": "nobody"}, {"source": "/nowhere.jsonl"}])
@pytest.mark.usefixtures("sandbox", "output")
def test_an_attempt_that_failed_before_it_sent_anything_is_no_reason_for_doubt(
    context: Any, moods: Records, warnings: Warnings, fault: dict[str, Any]
) -> None:
    """It was here, and left no checkpoint: so it sent nothing."""
    with pytest.raises((AirflowException, AirflowNotFoundException)):
        attempt(context, 1, **{"source": moods(9), **fault})

    report = attempt(context, 2, source=moods(9), on_doubt="hold")

    assert (warnings(), report["delivered"], report["resent"]) == ([], 9, 0)


def test_a_wait_without_a_worker_slot_may_end_elsewhere(
    context: Any, sandbox: Sandbox, output: Path, moods: Records, warnings: Warnings
) -> None:
    """The first attempt itself may have sent something before it was deferred."""
    sandbox.thymia.script("ok x4", "503")
    with pytest.raises(AirflowException):
        attempt(context, 1, source=moods(9))
    seen = ThymiaUploadOperator(source=moods(9), **ONE_BY_ONE).execute_complete(context)
    assert (warnings(), seen["resent"], sandbox.thymia.counts.repeated) == ([], 0, 0)
    shutil.rmtree(output)

    report = ThymiaUploadOperator(source=moods(9), **ONE_BY_ONE).execute_complete(context)

    assert (len(warnings()), report["resent"], sandbox.thymia.counts.repeated) == (1, 9, 9)


@pytest.mark.skipif(KEEPS_STATE, reason="the checkpoint is in the task state store")
def test_a_retry_on_a_worker_without_the_files(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, moods: Records
) -> None:
    """In a real Airflow before 3.3: what arrived twice is counted, and nothing is lost."""
    sandbox.thymia.script("ok x4", "503")

    def lose_the_files(context: Any) -> None:
        shutil.rmtree(output)

    with new_dag() as dag:
        ThymiaUploadOperator(
            source=moods(9), on_retry_callback=lose_the_files, retries=2, retry_delay=timedelta(0), **ONE_BY_ONE
        )
    run = run_dag(dag)

    counts, report = sandbox.thymia.counts, run.xcom("upload")
    assert (run.states("upload"), run.tries("upload"), counts.distinct) == (["success"], [2], 9)
    assert counts.records - counts.distinct == 4
    assert report["resent"] == 9
