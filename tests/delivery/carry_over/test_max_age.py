"""Samples that were held for longer than they may be are rejected by the next run, and counted."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import DAY, CarryOverFolder, HeldFiles
from airflow_provider_userdata.delivery.closing import Closing
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.recording.attempt_files import AttemptFiles
from airflow_provider_userdata.delivery.sending import Patience
from airflow_provider_userdata.errors import RejectsError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_users import GeroSenseUsers
from tests.delivery.replaying.conftest import again
from tests.delivery.resuming.conftest import attempt, store
from tests.doubles import Crash, MemoryStore, crashing

__all__ = ["again", "attempt", "store"]

Rows = Callable[..., list[dict[str, Any]]]
Run = Callable[..., Result]
Open = Callable[..., CarryOverFolder]
Lines = Callable[[str | None], list[dict[str, Any]]]


@pytest.fixture
def folder(tmp_path: Path) -> Open:
    """Open the folder of held samples as a run does: ``folder("run", day=3, max_age=2)``."""

    def opened(run: str, day: float = 0, max_age: float | None = 10) -> CarryOverFolder:
        return CarryOverFolder(tmp_path / "held", "steps", "us", run, max_age=max_age, now=lambda: day * DAY)

    return opened


@pytest.fixture
def run(deliver: Callable[..., Result], folder: Open, tmp_path: Path) -> Run:
    """Deliver as the run of a day: ``run(3, samples, max_age=2)``."""

    def ran(day: float, source: Any, vendor: Any = None, max_age: float | None = 10, **given: Any) -> Result:
        held = folder(f"day {day}", day, max_age)
        return deliver(vendor or GeroSense("steps"), source, output=tmp_path / f"day {day}", held=held, **given)

    return ran


def fates(result: Result) -> tuple[int, int, int, int]:
    """Give the numbers of records: read, delivered, rejected, held."""
    report = result.report
    return report.read, report.delivered, report.rejected, report.held


def test_what_waited_for_too_long_is_rejected_and_counted(run: Run, rows: Rows, lines: Lines, sandbox: Sandbox) -> None:
    """With the rule and the reason, whole; the run's own samples go out, and nothing of the old ones is left."""
    samples = rows("gerosense", 5)
    run(0, samples[:2])

    ended = run(11, samples[2:])

    assert fates(ended) == (5, 3, 2, 0)
    assert (ended.report.invalid, ended.report.reasons) == (2, {"A8": 2})
    first, second = lines(ended.report.rejects)
    assert (first["position"], first["fate"], first["rule"]) == (0, "rejected", "A8")
    assert first["reason"] == "was held for 11 days; held_max_age allows 10"
    assert [first["record"], second["record"]] == samples[:2]
    assert [sample["device_name"] for sample in sandbox.gerosense.arrived()] == [
        sample["device_name"] for sample in samples[2:]
    ]
    assert run(12, rows("gerosense", 3, 20)).report.read == 3


@pytest.mark.parametrize(("day", "max_age"), [(10, 10), (400, None)])
def test_what_may_still_wait_is_sent(day: float, max_age: float | None, run: Run, rows: Rows) -> None:
    """Two old samples get a third one in time; without a maximum age, there is always time."""
    samples = rows("gerosense", 3)
    run(0, samples[:2], max_age=max_age)

    assert fates(run(day, samples[2:], max_age=max_age)) == (3, 3, 0, 0)


def test_the_age_counts_from_when_a_sample_was_first_held(run: Run, folder: Open, rows: Rows) -> None:
    """A run that holds it on doesn't make it younger; one that was held later waits for as long by itself."""
    samples = rows("gerosense", 2)
    run(0, samples[:1])
    assert fates(run(6, samples[1:])) == (2, 0, 0, 2)

    assert fates(run(11, [])) == (2, 0, 1, 1)
    assert folder("later", 11).count() == 1
    assert fates(run(17, [])) == (1, 0, 1, 0)


def test_users_wait_each_for_themselves(run: Run, rows: Rows, sandbox: Sandbox) -> None:
    """One user's old samples are rejected; another's, which are not as old, go out with a third one (G14)."""
    users = GeroSenseUsers(GeroSense("steps"))
    old, young = ([{**sample, "user_id": user} for sample in rows("gerosense", 3)] for user in "ab")
    run(0, old[:2], users)
    run(5, young[:2], users)

    assert fates(run(11, young[2:], users)) == (5, 3, 2, 0)


def test_a_line_of_an_earlier_version_counts_from_its_file(run: Run, folder: Open, rows: Rows, tmp_path: Path) -> None:
    """It doesn't say since when it waits."""
    samples = rows("gerosense", 2)
    run(0, samples)
    (file,) = (tmp_path / "held").glob("*.jsonl")
    file.write_text("".join(f"{json.dumps(sample)}\n" for sample in samples))
    os.utime(file, (3 * DAY,) * 2)

    other = folder("other", 12)
    assert list(other.claim()) == [json.dumps(sample).encode() for sample in samples]
    other.release(read=False, complete=False)
    assert fates(run(13, [])) == (2, 0, 0, 2)
    assert fates(run(14, [])) == (2, 0, 2, 0)


def test_the_folder_says_how_long_records_may_wait(run: Run, rows: Rows, tmp_path: Path) -> None:
    """By the run that held some last: for whoever lists them."""
    files = HeldFiles(tmp_path / "held")
    run(0, rows("gerosense", 1))
    assert files.max_age() == 10
    run(1, rows("gerosense", 1, 9), max_age=0.5)
    assert files.max_age() == 0.5
    run(1.2, [], max_age=None)
    assert files.max_age() is None


def test_rejected_old_samples_can_be_replayed(
    run: Run, rows: Rows, folder: Open, again: Callable[..., Result], sandbox: Sandbox, tmp_path: Path
) -> None:
    """Still too few, they are held anew, and arrive with a third one, once; other replays find nothing."""
    samples = rows("gerosense", 3)
    run(0, samples[:2])
    run(11, [])
    rejects = RejectsSource([tmp_path / "day 0", tmp_path / "day 11"])

    assert fates(again("gerosense", rejects, held=folder("replay", 12))) == (2, 0, 0, 2)
    assert again("gerosense", rejects, held=folder("other", 12), run="other").report.delivered == 0
    assert fates(run(20, samples[2:])) == (3, 3, 0, 0)
    assert again("gerosense", rejects, held=folder("last", 20), run="last").report.read == 0
    assert sandbox.gerosense.counts.records == sandbox.gerosense.counts.distinct == 3


def test_clearing_the_red_task_does_not_send_them(
    attempt: Callable[..., Result], folder: Open, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """What was rejected for its age stays rejected, while the source's own rejects are corrected and sent."""
    samples = rows("gerosense", 8)
    folder("monday").keep([json.dumps(sample).encode() for sample in samples[:2]])
    wrong = [*samples[2:5], *[{**sample, "unit": "?"} for sample in samples[5:]]]
    red = attempt("gerosense", wrong, max_rejected=2, held=folder("tuesday", 11))
    assert isinstance(red.error, RejectsError)
    assert fates(red) == (8, 3, 5, 0)
    store.max_tries = 1

    green = attempt("gerosense", samples[2:], max_rejected=2, held=folder("tuesday", 11))

    assert (green.error, fates(green)) == (None, (8, 6, 2, 0))
    assert sandbox.gerosense.counts.records == sandbox.gerosense.counts.distinct == 6


def test_what_may_have_been_sent_is_not_too_old(
    attempt: Callable[..., Result], folder: Open, rows: Rows, sandbox: Sandbox
) -> None:
    """A retry that comes too late sends again what was in flight: a rejected record was never sent."""
    samples = rows("gerosense", 5)
    folder("monday").keep([json.dumps(sample).encode() for sample in samples[:2]])
    sandbox.gerosense.script("cut after accepting")
    once = Patience(max_attempts=1)
    attempt("gerosense", samples[2:], held=folder("tuesday", 9), more_attempts=True, patience=once)

    late = attempt("gerosense", samples[2:], held=folder("tuesday", 11))

    assert (late.error, fates(late)) == (None, (5, 5, 0, 0))
    assert late.report.resent == 5


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (AttemptFiles, "flush"),
        (CarryOverFolder, "keep"),
        (CarryOverFolder, "keep_on"),
        (HeldFiles, "write"),
        (Closing, "mark_completed"),
        (AttemptFiles, "remove_unneeded"),
        (CarryOverFolder, "release"),
        (HeldFiles, "remove"),
    ],
)
@pytest.mark.parametrize("after", [True, False])
def test_a_crash_anywhere_rejects_each_once(
    owner: Any,
    name: str,
    after: bool,
    attempt: Callable[..., Result],
    folder: Open,
    rows: Rows,
    lines: Lines,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The old ones are rejected, the younger ones wait on, and the run's own are sent: once each."""
    old, young, own = rows("gerosense", 2), rows("gerosense", 1, 10), rows("gerosense", 1, 20)
    folder("monday").keep([json.dumps(sample).encode() for sample in old])
    folder("tuesday", 5).keep([json.dumps(sample).encode() for sample in young])

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, crashing(getattr(owner, name), after=after))
        with pytest.raises(Crash):
            attempt("gerosense", own, held=folder("friday", 11))
    ended = attempt("gerosense", own, held=folder("friday", 11))

    assert (ended.error, fates(ended)) == (None, (4, 0, 2, 2))
    found = [line for path in (tmp_path / "run").glob("rejects-*.jsonl") for line in lines(str(path))]
    assert Counter(line["position"] for line in found if line["rule"] == "A8") == {0: 1, 1: 1}
    later = folder("sunday", 11)
    assert sorted(json.loads(body)["device_name"] for body in later.claim()) == sorted(
        sample["device_name"] for sample in [*young, *own]
    )
    assert [round(later.days(place) or 0) for place in range(2)] in ([6, 0], [0, 6])
    assert sandbox.gerosense.counts.records == 0
