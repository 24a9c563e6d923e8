"""How a task ends: red or green, retried or not, stopped by a time-out or a kill."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

Records = Callable[[int], list[dict[str, Any]]]
SOON: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(0)}


@pytest.mark.parametrize(
    ("max_rejected", "state"), [(0, "failed"), (1, "failed"), (2, "success"), (0.1, "failed"), (0.2, "success")]
)
def test_rejects_decide_the_colour(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records, max_rejected: float, state: str
) -> None:
    """Two of ten records are bad: a number or a share allows them or doesn't, and the other eight arrive either way."""
    with new_dag() as dag:
        source = [*people(8), {"plan": "a"}, {"plan": "b"}]
        PtengineProfilesOperator(task_id="upload", source=source, max_rejected=max_rejected, **SOON)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == ([state], [1])
    assert sandbox.ptengine.counts.records == 8
    report = run.xcom("upload", "report" if state == "failed" else "return_value")
    assert (report["delivered"], report["rejected"]) == (8, 2)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_vendor_that_refuses_is_not_asked_again(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records, status: int
) -> None:
    """Wrong key or address: red at once, though retries are left, and the records are held in the rejects file."""
    sandbox.ptengine.script(str(status))
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=people(300), max_in_flight=1, **SOON)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["failed"], [1])
    assert sandbox.ptengine.counts.requests == 1
    report = run.xcom("upload", "report")
    assert (report["read"], report["held"]) == (300, 300)


def test_a_vendor_that_is_down_is_tried_in_the_next_attempt(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, moods: Records
) -> None:
    """Three attempts deliver all, and nothing twice; what an attempt left out is in no rejects file any more."""
    sandbox.thymia.script("ok x2", "503", "ok x3", "503")
    with new_dag() as dag:
        ThymiaUploadOperator(
            task_id="upload", upload_type="mood", source=moods(9), max_in_flight=1, max_attempts=1, **SOON
        )
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [3])
    counts = sandbox.thymia.counts
    assert (counts.records, counts.distinct, counts.requests) == (9, 9, 11)
    report = run.xcom("upload")
    assert (report["read"], report["delivered"], report["held"], report["resent"]) == (9, 9, 0, 0)
    assert report["requests"] == 11
    receipts = sorted(output.rglob("receipts-*"))
    assert [(path.name[:10], len(path.read_text().splitlines())) for path in receipts] == [
        ("receipts-1", 2),
        ("receipts-2", 3),
        ("receipts-3", 4),
    ]
    assert run.lines(output, "upload", "rejects") == []


def test_a_vendor_that_stays_down_ends_red(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records) -> None:
    """All attempts of the task are used, and the last one's report is there."""
    sandbox.ptengine.script("503 x9")
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=people(3), max_attempts=1, **SOON)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["failed"], [3])
    assert run.xcom("upload", "report")["held"] == 3


@pytest.mark.alone
@pytest.mark.airflow_3
def test_a_time_out_ends_a_delivery(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, moods: Records, strike: Any
) -> None:
    """`execution_timeout` is red while the vendor hangs, and every record that was read has its fate in a file."""
    sandbox.thymia.script("ok x3", "hang x9")
    with new_dag() as dag:
        ThymiaUploadOperator(
            task_id="upload",
            upload_type="mood",
            source=moods(6),
            max_in_flight=1,
            execution_timeout=timedelta(hours=1),
        )
    strike(signal.SIGALRM, lambda: sandbox.thymia.counts.records == 3 and sandbox.thymia.counts.in_flight == 1)
    started = time.monotonic()
    run = run_dag(dag)
    assert run.states("upload") == ["failed"]
    assert time.monotonic() - started < 8
    report = run.xcom("upload", "report")
    assert (report["delivered"], report["unknown"], report["held"]) == (3, 1, 2)
    assert len(run.lines(output, "upload", "receipts")) == 3
    fates = [(line["position"], line["fate"]) for line in run.lines(output, "upload", "rejects")]
    assert sorted(fates) == [(3, "unknown"), (4, "held"), (5, "held")]


@pytest.mark.airflow_3
def test_a_time_out_leaves_a_signpost_to_held_samples(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records
) -> None:
    """What an earlier run held, and a time-out kept from going out, waits for the next run; its XCom says so."""
    hours: list[list[dict[str, Any]]] = [samples(2), samples(9)[2:]]
    with new_dag() as dag:
        GerosenseSamplesOperator(
            task_id="upload", data_type="steps", source=lambda: hours.pop(0), execution_timeout=timedelta(seconds=1)
        )
    assert run_dag(dag).xcom("upload", "held")["count"] == 2
    sandbox.gerosense.script("hang x9")
    run = run_dag(dag)
    assert run.states("upload") == ["failed"]
    assert run.xcom("upload", "held")["count"] == 2


@pytest.mark.alone
@pytest.mark.airflow_3
def test_a_time_out_ends_a_source_that_hangs(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records) -> None:
    """Nobody waits for a read that never returns; what was read before has arrived or is on record."""
    forever = threading.Event()

    def extract() -> Iterator[dict[str, Any]]:
        yield from people(1000)
        forever.wait(60)

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=extract, execution_timeout=timedelta(seconds=1))
    started = time.monotonic()
    run = run_dag(dag)
    forever.set()
    assert run.states("upload") == ["failed"]
    assert time.monotonic() - started < 8


@pytest.mark.alone
def test_a_kill_ends_a_delivery_in_time(
    context: Any, sandbox: Sandbox, output: Path, people: Records, strike: Any
) -> None:
    """Airflow calls `on_kill` in a signal handler of the waiting main thread, and gives it five seconds."""
    sandbox.ptengine.script("ok", "hang x9")
    operator = PtengineProfilesOperator(task_id="t", source=people(500), max_in_flight=2, max_attempts=1)
    before = signal.signal(signal.SIGUSR1, lambda *_: operator.on_kill())
    strike(signal.SIGUSR1, lambda: sandbox.ptengine.counts.records == 100 and sandbox.ptengine.counts.in_flight == 2)
    started = time.monotonic()
    try:
        with pytest.raises(AirflowException, match="StoppedError: the task was killed") as caught:
            operator.execute(context)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - started < 4.5
    assert not isinstance(caught.value, AirflowFailException)
    report = context["ti"].pushed["report"]
    assert (report["delivered"], report["unknown"], report["held"]) == (100, 200, 200)
    (rejects,) = output.rglob("rejects-*.jsonl")
    assert len(rejects.read_text().splitlines()) == 400


def test_a_kill_before_anything_began_is_no_error() -> None:
    """`on_kill` may come before `execute`."""
    PtengineProfilesOperator(task_id="t", source=[]).on_kill()


@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt])
def test_a_function_that_would_end_the_process_leaves_the_report(
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    moods: Records,
    output: Path,
    raised: type[BaseException],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """`sys.exit()` in a source: red, retried, what was accepted on record, and the exit's text in no log."""

    def exits() -> Iterator[dict[str, Any]]:
        yield from moods(25)
        raise raised("".join(["ge", "heim"]))  # where it was raised is shown

    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=exits, retries=1, retry_delay=timedelta(0))
    run = run_dag(dag)

    assert (run.states("upload"), run.tries("upload")) == (["failed"], [2])
    assert sandbox.thymia.counts.records == 25
    report = run.xcom("upload", "report")
    assert (report["read"], report["delivered"]) == (25, 25)
    assert len(run.lines(output, "upload", "receipts")) == 25
    said = "".join(capfd.readouterr())
    assert f"raised {raised.__name__} at position 25" in said
    assert "geheim" not in said


@pytest.mark.parametrize("when", ["called", "reading"])
@pytest.mark.parametrize(
    ("raised", "state", "tries"),
    [(AirflowSkipException, "skipped", 1), (AirflowFailException, "failed", 1), (ValueError, "failed", 3)],
)
def test_a_function_may_skip_or_fail_its_task(
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    raised: type[Exception],
    state: str,
    tries: int,
    when: str,
) -> None:
    """What an extract function raises means what it means in any task; any other error is retried."""

    def called() -> list[dict[str, Any]]:
        raise raised("no data today")

    def reading() -> Iterator[dict[str, Any]]:
        yield {"user_id": "a"}
        raise raised("no more data today")

    with new_dag() as dag:
        source = called if when == "called" else reading
        PtengineProfilesOperator(task_id="upload", source=source, **SOON)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == ([state], [tries])
