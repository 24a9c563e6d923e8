"""What an attempt at a task knows of those before it."""

from __future__ import annotations

import logging
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException

from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

Records = Callable[[int], list[dict[str, Any]]]
ONE_BY_ONE: dict[str, Any] = {"task_id": "upload", "upload_type": "mood", "max_in_flight": 1, "max_attempts": 1}
SOON: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(0)}
CLEAR_IT = "Clear the task, and it continues where this attempt ended"


class StateStore:
    """Airflow's task state store, where no Airflow is needed around it."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """Give a value, or None."""
        return self.values.get(key)

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        self.values[key] = value


def test_each_mapped_task_has_a_checkpoint_of_its_own(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records
) -> None:
    """Both are interrupted, at different records, and both go on where they were."""
    sandbox.thymia.script("ok x2", "503", "ok x3", "ok x3", "503")
    records = moods(10)
    with new_dag() as dag:
        sources = [lambda: records[:5], lambda: records[5:]]
        ThymiaUploadOperator.partial(**ONE_BY_ONE, **SOON).expand(source=sources)
    run = run_dag(dag)
    assert run.states("upload") == ["success", "success"]
    counts = sandbox.thymia.counts
    assert (counts.records, counts.distinct, counts.requests) == (10, 10, 12)
    assert [run.xcom("upload", map_index=index)["delivered"] for index in (0, 1)] == [5, 5]


@pytest.mark.airflow_3
def test_a_worker_without_the_files_goes_on_from_the_checkpoint(
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    output: Path,
    moods: Records,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second attempt runs elsewhere: it says so, and sends only what the checkpoint doesn't cover."""
    sandbox.thymia.script("ok x4", "503")
    hosts = ["here"]
    monkeypatch.setattr("socket.gethostname", lambda: hosts[-1])

    def lose_the_files(context: Any) -> None:
        shutil.rmtree(output)
        hosts.append("elsewhere")

    with new_dag() as dag:
        ThymiaUploadOperator(source=moods(9), on_retry_callback=lose_the_files, **ONE_BY_ONE, **SOON)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [2])
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == 9
    assert run.xcom("upload")["delivered"] == 9
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "can't be read here: this attempt goes on from the checkpoint" in warning
    assert len(run.lines(output, "upload", "receipts")) == 5


def test_without_resume_an_attempt_sends_all_again(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records
) -> None:
    """`resume=False`: the second attempt knows nothing of the first, and counts only its own."""
    sandbox.thymia.script("ok x4", "503")
    with new_dag() as dag:
        ThymiaUploadOperator(source=moods(9), resume=False, **ONE_BY_ONE, **SOON)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [2])
    counts = sandbox.thymia.counts
    assert (counts.records, counts.distinct) == (13, 9)
    report = run.xcom("upload")
    assert (report["read"], report["delivered"], report["requests"]) == (9, 9, 9)


@pytest.mark.airflow_3
def test_an_attempt_after_a_time_out_goes_on(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records, strike: Any
) -> None:
    """`execution_timeout` strikes while the vendor hangs: the next attempt sends the rest, and what was in doubt."""
    sandbox.thymia.script("ok x3", "hang")
    with new_dag() as dag:
        ThymiaUploadOperator(source=moods(6), execution_timeout=timedelta(hours=1), **ONE_BY_ONE, **SOON)
    strike(signal.SIGALRM, lambda: sandbox.thymia.counts.records == 3 and sandbox.thymia.counts.in_flight == 1)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [2])
    counts = sandbox.thymia.counts
    assert (counts.records, counts.distinct, counts.requests) == (6, 6, 7)
    report = run.xcom("upload")
    assert (report["read"], report["delivered"], report["unknown"], report["resent"]) == (6, 6, 0, 1)


def test_an_attempt_after_a_kill_goes_on(
    context: Any, sandbox: Sandbox, moods: Records, marker: str, strike: Any
) -> None:
    """`on_kill` ends an attempt; another worker goes on from what the state store holds, which quotes no record."""
    sandbox.thymia.script("ok x3", "hang")
    store = context["task_state_store"] = StateStore()
    operator = ThymiaUploadOperator(source=moods(6), **ONE_BY_ONE)
    before = signal.signal(signal.SIGUSR1, lambda *_: operator.on_kill())
    strike(signal.SIGUSR1, lambda: sandbox.thymia.counts.records == 3 and sandbox.thymia.counts.in_flight == 1)
    try:
        with pytest.raises(AirflowException, match="StoppedError"):
            operator.execute(context)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert marker not in str(store.values)
    context["ti"] = replace(context["ti"], try_number=2)
    report = ThymiaUploadOperator(source=moods(6), **ONE_BY_ONE).execute(context)
    assert (report["read"], report["delivered"], report["resent"]) == (6, 6, 1)
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == 6


def _skip() -> list[dict[str, Any]]:
    raise AirflowSkipException("no data today")


def _break() -> list[dict[str, Any]]:
    raise ValueError("a database is down")


@pytest.mark.airflow_3
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, True),
        ({"retries": 1}, True),
        ({"source": _break}, True),
        ({"execution_timeout": timedelta(seconds=1), "max_attempts": 9}, True),
        ({"resume": False}, False),
        ({"source": _break, "validate_only": True}, False),
        ({"source": _skip}, False),
        ({"max_rejected": -1}, False),
    ],
)
def test_the_last_attempt_says_how_to_go_on(
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    moods: Records,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, Any],
    said: bool,
) -> None:
    """Where no attempt is left and one could go on, the package's last line says to clear the task."""
    sandbox.thymia.script("503 x99")
    given: dict[str, Any] = {**ONE_BY_ONE, "source": moods(3), "retry_delay": timedelta(0), **options}
    with new_dag() as dag:
        ThymiaUploadOperator(**given)
    run = run_dag(dag)
    assert run.tries("upload") == [options.get("retries", 0) + 1]
    own = [line for line in capsys.readouterr().out.splitlines() if "airflow_provider_userdata.operators" in line]
    assert [CLEAR_IT in line for line in own if "[error" in line][-1:] == [True] * said
    assert sum(CLEAR_IT in line for line in own) == int(said)


def test_a_green_task_that_is_repeated_gives_its_report(context: Any, sandbox: Sandbox, moods: Records) -> None:
    """The marker of a run that is done is all that is left in the store: no attempt after it sends anything."""
    store = context["task_state_store"] = StateStore()
    first = ThymiaUploadOperator(source=moods(6), **ONE_BY_ONE).execute(context)
    assert store.values["checkpoint"]["done"] == first
    context["ti"] = replace(context["ti"], try_number=2)
    assert ThymiaUploadOperator(source=moods(6), **ONE_BY_ONE).execute(context) == first
    assert sandbox.thymia.counts.requests == 6
