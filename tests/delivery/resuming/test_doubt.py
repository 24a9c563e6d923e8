"""What was in flight when an attempt ended is in doubt: sent again and counted, or held as unknown (A3)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.resuming import checkpoint_writer
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.errors import ResumeError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Whole = Callable[..., None]
HOLD = Patience(max_attempts=2, on_doubt="hold")


def test_what_was_in_flight_is_sent_again_and_counted(
    crash: Callable[..., None], attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """The one request that was accepted without a receipt comes twice, and the report says so."""
    crash("thymia", rows("thymia", 20), 8, max_in_flight=1)

    report = attempt("thymia", rows("thymia", 20)).report

    whole(report, 20)
    assert (report.resent, sandbox.thymia.counts.repeated, sandbox.thymia.counts.records) == (1, 1, 21)


def test_what_was_in_flight_is_unknown_where_it_must_not_come_twice(
    crash: Callable[..., None], attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """With `hold`, the request that was accepted without a receipt is unknown, under A3, and not sent again."""
    crash("thymia", rows("thymia", 20), 8, max_in_flight=1, patience=HOLD)

    report = attempt("thymia", rows("thymia", 20), patience=HOLD).report

    whole(report, 20)
    assert (report.delivered, report.unknown, report.reasons, report.resent) == (19, 1, {"A3": 1}, 0)
    assert sandbox.thymia.counts.records == 20


def test_what_was_not_accepted_is_in_no_doubt(attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox) -> None:
    """Records of requests that a 503 answered go out in the next attempt, also with `hold`."""
    sandbox.ptengine.script("ok x3", "503 x99")
    first = attempt("ptengine", rows("ptengine", 1_000), patience=HOLD)
    assert isinstance(first.error, VendorDownError)
    sandbox.ptengine.clear_faults()

    second = attempt("ptengine", rows("ptengine", 1_000), patience=HOLD)

    whole(second.report, 1_000)
    assert (second.report.delivered, second.report.unknown, second.report.resent) == (1_000, 0, 0)
    assert sandbox.ptengine.counts.repeated == 0


def test_what_was_sent_again_is_counted_after_another_crash(
    crash: Callable[..., None], attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """A receipt says of how many records there may be two, so that the count outlives a crash before the checkpoint."""
    crash("thymia", rows("thymia", 20), 8, max_in_flight=1)
    crash("thymia", rows("thymia", 20), 5, max_in_flight=1)

    report = attempt("thymia", rows("thymia", 20)).report

    whole(report, 20)
    assert (report.resent, sandbox.thymia.counts.repeated, sandbox.thymia.counts.records) == (2, 2, 22)


def test_what_was_sent_again_is_counted_once(
    crash: Callable[..., None], attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """A receipt that the checkpoint covers is not counted again by the attempts that follow."""
    crash("thymia", rows("thymia", 20), 8, max_in_flight=1)
    sandbox.thymia.script("ok x4", "401")
    assert attempt("thymia", rows("thymia", 20), max_in_flight=1).report.resent == 1

    report = attempt("thymia", rows("thymia", 20)).report

    whole(report, 20)
    assert (report.resent, sandbox.thymia.counts.repeated) == (1, 1)


def test_what_came_back_after_the_last_checkpoint_is_in_no_doubt(
    attempt: Attempt, rows: Rows, whole: Whole, store: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint may say that a request is in flight, of which a file says later that it was not accepted."""

    def save(value: dict[str, Any]) -> None:
        if store.texts and "in_flight" in store.load():
            raise OSError("the store is down")

    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.0)
    store.before_save = save
    sandbox.thymia.latency = 0.05
    sandbox.thymia.script("503 x99")
    assert isinstance(attempt("thymia", rows("thymia", 20), patience=HOLD).error, VendorDownError)
    assert "in_flight" in store.load()
    sandbox.thymia.reset()
    store.before_save = lambda _: None

    report = attempt("thymia", rows("thymia", 20), patience=HOLD).report

    whole(report, 20)
    assert (report.delivered, report.unknown) == (20, 0)


@pytest.mark.parametrize("killed", [True, False])
def test_where_nothing_can_be_appended_to_a_killed_attempt_leaves_more_in_doubt(
    killed: bool,
    crash: Callable[..., None],
    attempt: Attempt,
    rows: Rows,
    sandbox: Sandbox,
    objects: Callable[[Path], Any],
    tmp_path: Path,
) -> None:
    """On object storage, `hold` goes on after any attempt: what a killed one had announced is unknown."""
    place = objects(tmp_path / "run")
    sandbox.thymia.script("ok x5", "401" if not killed else "ok")
    if killed:
        crash("thymia", rows("thymia", 20), 8, max_in_flight=1, patience=HOLD, output=place)
    else:
        attempt("thymia", rows("thymia", 20), max_in_flight=1, patience=HOLD, output=place)

    ended = attempt("thymia", rows("thymia", 20), patience=HOLD, output=place)

    report, counts = ended.report, sandbox.thymia.counts
    assert (ended.error, counts.repeated, report.delivered + report.unknown) == (None, 0, 20)
    assert (report.unknown >= 8) if killed else (report.delivered == counts.records == 20)


@pytest.mark.usefixtures("sandbox")
def test_an_attempt_that_announced_nothing_is_not_guessed_at(
    crash: Callable[..., None], attempt: Attempt, rows: Rows, store: Any, objects: Callable[[Path], Any], tmp_path: Path
) -> None:
    """What an earlier version left on object storage doesn't say what may have been sent: `hold` goes no further."""
    place = objects(tmp_path / "run")
    crash("thymia", rows("thymia", 20), 8, max_in_flight=1, output=place)
    earlier = store.load()
    del earlier["until"], earlier["checksum"]
    store.save(earlier)
    for part in (tmp_path / "run").glob("sent-*"):
        part.write_bytes(b'{"ranges":[]}\n')

    ended = attempt("thymia", rows("thymia", 20), patience=HOLD, output=place)

    assert isinstance(ended.error, ResumeError)
    assert "resume=False" in str(ended.error)
    report = attempt("thymia", rows("thymia", 20), output=place).report
    assert (report.delivered, report.resent) == (20, 20)


def test_a_doubt_outlives_an_attempt_that_sends_nothing(
    crash: Callable[..., None], attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """A doubt of the first attempt is counted by the third, where the second was turned away."""
    crash("thymia", rows("thymia", 20), 8, max_in_flight=1)
    sandbox.thymia.script("401")
    between = attempt("thymia", rows("thymia", 20), max_in_flight=1).report
    assert (between.delivered, between.unknown, between.held) == (7, 1, 12)

    report = attempt("thymia", rows("thymia", 20)).report

    whole(report, 20)
    assert report.resent >= sandbox.thymia.counts.repeated == 1


def test_a_doubt_outlives_an_attempt_that_was_turned_away_before_it_came_to_it(
    crash: Callable[..., None], attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """What an earlier attempt left in doubt stays unknown in the report of one that didn't get as far as sending it."""
    sandbox.thymia.latency = 0.05
    crash("thymia", rows("thymia", 20), 6, max_in_flight=4)
    while sandbox.thymia.counts.in_flight:
        time.sleep(0.01)
    doubtful = sandbox.thymia.counts.records - 5
    assert doubtful > 1
    sandbox.thymia.script("401")

    between = attempt("thymia", rows("thymia", 20), max_in_flight=1).report
    assert (between.delivered, between.unknown + between.held) == (5, 15)
    assert between.unknown >= doubtful
    assert between.reasons["A3"] >= doubtful - 1
    report = attempt("thymia", rows("thymia", 20)).report

    whole(report, 20)
    assert report.resent >= sandbox.thymia.counts.repeated == doubtful


@pytest.mark.parametrize("gone", ["removed", "elsewhere"])
def test_an_attempt_that_cannot_read_the_files_goes_on_from_the_checkpoint(
    gone: str,
    crash: Callable[..., None],
    attempt: Attempt,
    rows: Rows,
    sandbox: Sandbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another worker, with a disk of its own, sends nothing again that the checkpoint covers, and says so."""
    records = rows("thymia", 20)
    sandbox.thymia.script("ok x5", "401")
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "another")
        attempt("thymia", records, max_in_flight=1)
    if gone == "removed":
        shutil.rmtree(tmp_path / "run")

    ended = attempt("thymia", records, output=tmp_path / ("run" if gone == "removed" else "elsewhere"))

    assert ended.error is None
    assert (ended.report.delivered, ended.report.read) == (20, 20)
    assert (sandbox.thymia.counts.records, sandbox.thymia.counts.repeated) == (20, 0)
    assert f"{tmp_path / 'run'} on " in caplog.text
    assert "can't be read here" in caplog.text


def test_an_attempt_that_must_know_does_not_guess(
    attempt: Attempt, rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """With `hold`, files that can't be read end the attempt before anything is sent; one that can goes on."""
    records = rows("thymia", 20)
    sandbox.thymia.script("ok x5", "401")
    attempt("thymia", records, max_in_flight=1, patience=HOLD)

    elsewhere = attempt("thymia", records, patience=HOLD, output=tmp_path / "elsewhere")
    assert isinstance(elsewhere.error, ResumeError)
    assert "resume=False" in str(elsewhere.error)
    assert sandbox.thymia.counts.records == 5

    assert attempt("thymia", records, patience=HOLD).report.delivered == 20
    assert sandbox.thymia.counts.records == 20
