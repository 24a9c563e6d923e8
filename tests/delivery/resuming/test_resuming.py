"""Attempts of one run: each goes on where the one before it ended, and sends only what has no fate."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.recording.append_log import LocalLog
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.errors import OutputError, RefusedError, SourceBrokeError, StoppedError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Whole = Callable[..., None]
COUNTS = {"thymia": 300, "gerosense": 5_000, "ptengine": 5_000}
TWICE = Patience(max_attempts=2)


def stops_at(place: int, rows: list[Any], running: list[Delivery]) -> Iterator[Any]:
    """Give rows, and stop the delivery when one of them is read."""
    for number, row in enumerate(rows):
        if number == place:
            running[-1].stop(StoppedError("told to"))
        yield row


def breaks_at(place: int, rows: list[Any]) -> Iterator[Any]:
    """Give rows, and break."""
    yield from rows[:place]
    raise SourceBrokeError("the cursor was closed")


@pytest.mark.parametrize("vendor", COUNTS)
@pytest.mark.parametrize("share", [0.0, 0.14, 0.4, 0.5, 0.999])
def test_a_stopped_attempt_is_gone_on_with(
    vendor: str, share: float, attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """What an attempt delivered before it was stopped is not sent again, the rest is; the report is of both."""
    records = rows(vendor, COUNTS[vendor])
    running: list[Delivery] = []

    first = attempt(
        vendor, stops_at(int(share * len(records)), records, running), on_start=running.append, more_attempts=True
    )
    assert isinstance(first.error, StoppedError)
    second = attempt(vendor, records)

    assert second.error is None
    whole(second.report, len(records))
    counts = sandbox.vendors[vendor].counts
    assert (counts.records, counts.repeated, second.report.delivered) == (len(records), 0, len(records))
    assert (second.report.resent, second.report.requests) == (0, counts.requests)


@pytest.mark.parametrize("vendor", COUNTS)
@pytest.mark.parametrize("share", [0.001, 0.2, 0.48, 0.999])
def test_a_source_that_broke_is_read_again(
    vendor: str, share: float, attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """Where a source breaks in its middle, what came before is delivered, and not sent again."""
    records = rows(vendor, COUNTS[vendor])

    first = attempt(vendor, breaks_at(int(share * len(records)), records))
    assert isinstance(first.error, SourceBrokeError)
    second = attempt(vendor, records)

    assert second.error is None
    whole(second.report, len(records))
    counts = sandbox.vendors[vendor].counts
    assert (counts.records, counts.repeated) == (len(records), 0)


@pytest.mark.parametrize("vendor", COUNTS)
def test_a_vendor_that_was_down_gets_the_rest(
    vendor: str, attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """A vendor that answers 503 ends attempt after attempt; when it is back, it gets what it hasn't got."""
    half = COUNTS[vendor] // 2
    records = [*rows(vendor, half), "geheim", *rows(vendor, half, first=half)]
    double = sandbox.vendors[vendor]
    for start in ("ok", "ok x2", "503"):
        double.rescript(start, "503 x999")
        ended = attempt(vendor, records, patience=TWICE, more_attempts=True)
        assert isinstance(ended.error, VendorDownError)
    double.clear_faults()
    last = attempt(vendor, records)

    assert last.error is None
    whole(last.report, 2 * half + 1)
    assert (double.counts.records, double.counts.repeated, last.report.rejected) == (2 * half, 0, 1)
    assert last.report.resent == 0
    assert sum(last.report.reasons.values()) == 1


def test_lines_of_what_was_left_make_room_for_the_fates_of_the_next_attempt(
    attempt: Attempt, rows: Rows, sandbox: Sandbox, fates: Callable[[Path], dict[int, list[str]]], tmp_path: Path
) -> None:
    """An attempt that gives up names what it held; the next one takes these lines out, and writes its own."""
    records = ["geheim", *rows("thymia", 40)]
    sandbox.thymia.script("ok x10", "503 x99")

    first = attempt("thymia", records, patience=TWICE)
    assert first.report.rejects is not None
    before = Path(first.report.rejects).read_bytes().splitlines()
    sandbox.thymia.clear_faults()
    attempt("thymia", records)

    assert len(before) == 1 + first.report.held == 41 - first.report.delivered
    assert Path(first.report.rejects).read_bytes().splitlines() == before[:1]
    assert {position: found for position, found in fates(tmp_path / "run").items() if found != ["delivered"]} == {
        0: ["rejected"]
    }


def test_a_disk_that_was_full_is_gone_on_with(
    attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where receipts couldn't be written, what was accepted without one is in doubt, sent again and counted."""
    append, lines = LocalLog.append, [0]

    def full(journal: LocalLog, line: bytes) -> None:
        lines[0] += journal._path.name.startswith("receipts")
        if lines[0] > 20:
            raise OutputError("output_path: no space left on device")
        append(journal, line)

    monkeypatch.setattr(LocalLog, "append", full)
    first = attempt("thymia", rows("thymia", 200), max_in_flight=4)
    assert isinstance(first.error, OutputError)
    monkeypatch.undo()

    second = attempt("thymia", rows("thymia", 200))

    assert second.error is None
    whole(second.report, 200)
    counts = sandbox.thymia.counts
    assert counts.distinct == 200
    assert counts.repeated <= second.report.resent <= 4


@pytest.mark.parametrize("answer", ["401", "503 x99"])
def test_an_attempt_that_ends_at_once_keeps_what_was_settled(
    answer: str, attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """Attempts that deliver nothing don't lose what earlier ones delivered, and their reports add up, too."""
    records = rows("thymia", 50)
    sandbox.thymia.script("ok x20", "401")
    first = attempt("thymia", records, max_in_flight=1)
    assert isinstance(first.error, RefusedError)
    for _ in range(3):
        sandbox.thymia.rescript(answer)
        ended = attempt("thymia", records, max_in_flight=1, patience=TWICE)
        assert (ended.report.delivered, ended.report.held) == (20, 30)
    sandbox.thymia.clear_faults()

    whole(attempt("thymia", records).report, 50)
    assert sandbox.thymia.counts.records == 50


def test_an_attempt_that_reads_nothing_still_counts_what_others_settled(
    attempt: Attempt, rows: Rows, sandbox: Sandbox
) -> None:
    """A vendor in maintenance ends an attempt before it reads: its report is that of the attempts before."""
    records = rows("gerosense", 3_000)
    sandbox.gerosense.script("ok", "401")
    attempt("gerosense", records, max_in_flight=1)
    sandbox.gerosense.maintenance = True

    ended = attempt("gerosense", records, patience=Patience(max_wait=60))

    assert isinstance(ended.error, VendorDownError)
    assert (ended.report.read, ended.report.delivered) == (1000, 1000)


def test_the_report_names_the_files_of_all_attempts(attempt: Attempt, rows: Rows, tmp_path: Path) -> None:
    """Rejects of an earlier attempt are found by the last report's path, though this attempt rejected none."""
    records = ["geheim", *rows("thymia", 10)]
    attempt("thymia", breaks_at(5, records))
    last = attempt("thymia", records).report

    assert last.rejects is not None
    assert last.receipts is not None
    folder = tmp_path / "run"
    assert sorted(folder.glob(Path(last.rejects).name)) == [folder / "rejects-1-x.jsonl"]
    assert sorted(folder.glob(Path(last.receipts).name)) == [folder / f"receipts-{n}-x.jsonl" for n in (1, 2)]


def test_a_path_that_names_no_file_is_none(attempt: Attempt, rows: Rows) -> None:
    """Where no attempt rejected anything, there is no path of rejects."""
    records = rows("thymia", 10)
    attempt("thymia", breaks_at(5, records))

    assert attempt("thymia", records).report.rejects is None


def test_fates_are_on_the_disk_before_the_checkpoint_that_covers_them(
    attempt: Attempt, rows: Rows, store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever a checkpoint says of a file, that much was synced before, and all before the marker of a run's end."""
    synced: dict[str, int] = {}
    sync = os.fdatasync

    def noted(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").resolve()
        size = path.stat().st_size
        sync(file)
        synced[path.stem] = size

    def covered(value: dict[str, Any]) -> None:
        fates = {path.stem: path.stat().st_size for path in (tmp_path / "run").glob("re*.jsonl")}
        for name, size in value.get("journals", fates).items():
            assert synced.get(name, 0) >= size

    monkeypatch.setattr(os, "fdatasync", noted)
    store.before_save = covered
    records = [*rows("thymia", 30), "geheim"]
    attempt("thymia", breaks_at(20, records))
    assert len(store.texts) == 2  # the first one, and the last one

    ended = attempt("thymia", records)
    assert ended.error is None
    assert store.is_done
    assert len(store.texts) == 4  # the first one, and the marker
