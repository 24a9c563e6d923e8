"""Runs of a task hand samples that are too few to the next one, and every run counts what it carried in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over.folder import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.recording.append_log import LocalLog
from airflow_provider_userdata.errors import OutputError, RefusedError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors.gerosense import GeroSense

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]
Run = Callable[..., Result]


@pytest.fixture
def run(deliver: Deliver, tmp_path: Path) -> Run:
    """Deliver as a run of a task: ``run("monday", samples, data_type="bpm")``."""

    def ran(name: str, source: Any, data_type: str = "steps", **given: Any) -> Result:
        held = CarryOverFolder(tmp_path / "held", data_type, "us", name)
        return deliver(GeroSense(data_type), source, output=tmp_path / name, held=held, **given)

    return ran


@pytest.fixture
def waiting(tmp_path: Path) -> Callable[[], int]:
    """Count the samples that wait for the next run."""
    return lambda: CarryOverFolder(tmp_path / "held", "steps", "us", "nobody").count()


def names(sandbox: Sandbox) -> list[str]:
    """Give the devices of the accepted samples, in order of arrival."""
    return [sample["device_name"] for sample in sandbox.gerosense.arrived()]


def test_held_samples_go_out_first_in_the_next_run(
    run: Run, sandbox: Sandbox, rows: Rows, waiting: Callable[[], int]
) -> None:
    """Samples that were too few come first in the next run's positions and counts (G4)."""
    samples = rows("gerosense", 5)

    first = run("monday", samples[:2])
    second = run("tuesday", samples[2:])

    assert (first.report.read, first.report.held) == (2, 2)
    assert (second.report.read, second.report.delivered) == (5, 5)
    assert names(sandbox) == [sample["device_name"] for sample in samples]
    assert waiting() == 0


def test_what_stays_too_few_is_carried_on(run: Run, sandbox: Sandbox, rows: Rows, waiting: Callable[[], int]) -> None:
    """A sample a day goes out on the third day, once."""
    samples = rows("gerosense", 3)

    reports = [run(f"day {day}", [sample]).report for day, sample in enumerate(samples)]

    assert [(report.read, report.held, report.delivered) for report in reports] == [(1, 1, 0), (2, 2, 0), (3, 0, 3)]
    assert sorted(names(sandbox)) == [sample["device_name"] for sample in samples]
    assert waiting() == 0


def test_a_repeated_attempt_does_not_hold_twice(
    run: Run, sandbox: Sandbox, rows: Rows, waiting: Callable[[], int]
) -> None:
    """An attempt that reads the same two samples again supersedes what it held before."""
    samples = rows("gerosense", 3)
    run("monday", samples[:2])
    run("monday", samples[:2], attempt="2-y")

    assert waiting() == 2
    run("tuesday", samples[2:])

    assert sandbox.gerosense.counts.repeated == 0
    assert sandbox.gerosense.counts.records == 3


def test_other_kinds_of_samples_wait_apart(run: Run, sandbox: Sandbox, rows: Rows) -> None:
    """Steps that are held don't go out with heart rates."""
    run("monday", rows("gerosense", 2))
    run("monday too", rows("gerosense", 3, first=10), data_type="bpm")

    assert {sample["data_type"] for sample in sandbox.gerosense.arrived()} == {"bpm"}
    assert sandbox.gerosense.counts.records == 3


@pytest.mark.parametrize("fault", ["503 x99", "401", "429 retry-after=86400"])
def test_a_run_that_fails_leaves_what_it_carried_in(
    fault: str, run: Run, sandbox: Sandbox, rows: Rows, waiting: Callable[[], int]
) -> None:
    """Where the vendor takes nothing, the carried samples wait on for the next run, and no longer."""
    samples = rows("gerosense", 6)
    run("monday", samples[:2])
    sandbox.gerosense.script(fault)

    failed = run("tuesday", samples[2:])

    assert isinstance(failed.error, VendorDownError | RefusedError)
    assert (failed.report.read, failed.report.held) == (6, 6)
    assert waiting() == 2
    sandbox.gerosense.clear_faults()
    assert run("tuesday", samples[2:], attempt="2-y").report.delivered == 6
    assert waiting() == 0
    assert sandbox.gerosense.counts.repeated == 0


def test_carried_samples_that_may_have_arrived_are_not_carried_again(
    run: Run, sandbox: Sandbox, rows: Rows, waiting: Callable[[], int]
) -> None:
    """What is unknown has its fate: the next run doesn't send it again."""
    samples = rows("gerosense", 3)
    run("monday", samples[:2])
    sandbox.gerosense.script("207")

    assert run("tuesday", samples[2:]).report.unknown == 3
    assert waiting() == 0


def test_a_run_whose_fates_cannot_be_made_claims_nothing(
    run: Run, rows: Rows, tmp_path: Path, waiting: Callable[[], int]
) -> None:
    """Without a place for the fates, what earlier runs held stays where it is."""
    run("monday", rows("gerosense", 2))
    (tmp_path / "tuesday").write_text("")

    failed = run("tuesday", rows("gerosense", 3, first=5))

    assert failed.report.read == 0
    assert waiting() == 2


def test_what_was_carried_in_stays_where_its_fates_cannot_be_written(
    run: Run, rows: Rows, waiting: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed files are removed only when the fates of their samples are written."""
    run("monday", rows("gerosense", 2))

    def full(_: LocalLog) -> None:
        raise OutputError("output_path: no space left on device")

    monkeypatch.setattr(LocalLog, "flush", full)
    failed = run("tuesday", rows("gerosense", 3, first=5))

    assert isinstance(failed.error, OutputError)
    assert waiting() == 2


def test_two_runs_at_once_never_send_the_same(
    run: Run, sandbox: Sandbox, rows: Rows, waiting: Callable[[], int]
) -> None:
    """While one run is under way, another one doesn't see what it carried in."""
    run("monday", rows("gerosense", 2))
    begun, go = threading.Event(), threading.Event()
    ended: list[Result] = []

    def slowly() -> Iterator[dict[str, Any]]:
        begun.set()
        go.wait(60)
        yield from rows("gerosense", 3, first=10)

    thread = threading.Thread(target=lambda: ended.append(run("tuesday", slowly())))
    thread.start()
    begun.wait(60)
    assert run("wednesday", rows("gerosense", 3, first=20)).report.read == 3
    go.set()
    thread.join(60)

    assert ended[0].report.read == ended[0].report.delivered == 5
    assert sandbox.gerosense.counts.records == sandbox.gerosense.counts.distinct == 8
    assert waiting() == 0


def test_only_checking_leaves_what_is_held_alone(run: Run, rows: Rows, waiting: Callable[[], int]) -> None:
    """With `validate_only`, earlier samples are neither claimed nor counted, and none are added."""
    run("monday", rows("gerosense", 2))

    assert run("tuesday", rows("gerosense", 1, first=9), validate_only=True).report.read == 1
    assert waiting() == 2
