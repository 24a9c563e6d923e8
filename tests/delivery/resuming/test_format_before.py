"""A checkpoint, files and held records that an earlier version wrote are read by this one."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.errors import SourceChangedError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]

CHECKPOINT: dict[str, Any] = {
    "attempt": "1-x",
    "beyond": "c-mtJ000O82m",
    "digest": "99aa06d3014798d86001c324468d497f",
    "in_flight": "c-oTy000>P82",
    "journals": {"receipts-1-x": 308, "rejects-1-x": 116, "sent-1-x": 256},
    "read": 12,
    "read_digest": "e16086687aa51ea71796fa089f290244",
    "tally": {
        "bytes": 232,
        "fates": {"delivered": 2, "rejected": 1},
        "reasons": {"T5": 1},
        "requests": 4,
        "resent": 0,
        "retries": 0,
        "seconds": 0.0,
    },
}
"""Saved while the requests with the records 3 and 4 were in flight; `host` and `folder` are added by the test."""

RECEIPTS = """\
{"ranges":[[0,1]],"count":1,"status":200,"at":"2026-11-30T17:10:36.333+00:00","user_label":"geheim-0","upload_id":"f2d6887b-df5e-4055-aea3-919a1f2d239a"}
{"ranges":[[1,1]],"count":1,"status":200,"at":"2026-11-30T17:10:36.333+00:00","user_label":"geheim-1","upload_id":"7d893fb4-2fe4-430a-b595-faccf521f5ee"}
{"ranges":[[3,1]],"count":1,"status":200,"at":"2026-11-30T17:10:36.333+00:00","user_label":"geheim-3","upload_id":"4f3a413b-ed7f-47c7-aa5c-196b8447c211"}
{"ranges":[[4,1]],"count":1,"status":200,"at":"2026-11-30T17:10:36.333+00:00","user_label":"geheim-4","upload_id":"668c6601-f1b4-4a30-bd71-ba33814e9b80"}
{"ranges":[[5,1]],"count":1,"status":200,"at":"2026-11-30T17:10:36.333+00:00","user_label":"geheim-5","upload_id":"b16a0ace-d230-4cb1-a066-acd5111ef5c3"}
"""  # as they were written
REJECTS = """\
{"position":2,"fate":"rejected","rule":"T5","path":"$","reason":"is not an object","status":null,"record":"geheim"}
"""
SENT = """\
{"ranges":[]}
{"read":4,"digest":"26367f09b44f6bf685ff89a560a880d5"}
{"ranges":[[0,1]]}
{"ranges":[[1,1]]}
{"read":8,"digest":"0df3686b7763478bd368dc94538934c4"}
{"ranges":[[3,1]]}
{"read":12,"digest":"e16086687aa51ea71796fa089f290244"}
{"ranges":[[4,1]]}
{"ranges":[[5,1]]}
{"ranges":[[6,1]]}
{"ranges":[[7,1]]}
"""
COMPLETED: dict[str, Any] = {
    "account": "",
    "address": "",
    "done": {
        "bytes": 174,
        "delivered": 3,
        "held": 0,
        "read": 3,
        "reasons": {},
        "receipts": "run/receipts-1-x.jsonl",
        "rejected": 0,
        "rejects": None,
        "requests": 3,
        "resent": 0,
        "retries": 0,
        "seconds": 0.0,
        "unchanged": 0,
        "unknown": 0,
    },
    "max_tries": 0,
    "red": True,
}
HELD_NAME = "steps-a-run-monday-542a493658bda494ab13a35ab7be4b57.jsonl"
HELD = """\
{"start_date":"2023-11-01T00:00:00.000+04:00","device_name":"geheim-0","unit":"count","value":14}
{"start_date":"2023-11-01T00:00:01.000+04:00","device_name":"geheim-1","unit":"count","value":14}
"""


def source(rows: Rows) -> list[Any]:
    """Return the records that the earlier version read: the third one is invalid."""
    records: list[Any] = rows("thymia", 12)
    records[2] = "geheim"
    return records


@pytest.fixture
def killed(store: Any, tmp_path: Path) -> None:
    """Leave what an attempt of the earlier version left that was killed with two requests in flight."""
    folder = tmp_path / "run"
    folder.mkdir()
    for kind, text in {"receipts": RECEIPTS, "rejects": REJECTS, "sent": SENT}.items():
        (folder / f"{kind}-1-x.jsonl").write_text(text)
    store.save({**CHECKPOINT, "host": socket.gethostname(), "folder": str(folder)})


@pytest.mark.usefixtures("killed")
def test_an_attempt_resumes_from_the_files_of_an_earlier_version(
    plan: Callable[..., Plan], rows: Rows, store: Any, sandbox: Sandbox, whole: Callable[..., None]
) -> None:
    """What the receipts prove is not sent again; what was in flight is, and counts as resent."""
    report = Delivery(plan("thymia", source(rows), attempt="2-x", store=store)).run().report

    whole(report, 12)
    assert (report.delivered, report.rejected, report.resent, report.unknown) == (11, 1, 2, 0)
    assert (report.invalid, report.refused) == (1, 0)
    assert sandbox.thymia.counts.records == 6


@pytest.mark.usefixtures("killed")
def test_a_source_that_changed_is_told_from_an_earlier_versions_digests(
    plan: Callable[..., Plan], rows: Rows, store: Any, sandbox: Sandbox
) -> None:
    """The digests are those of today."""
    records = source(rows)
    records[9] = rows("thymia", 1, 99)[0]

    ended = Delivery(plan("thymia", records, attempt="2-x", store=store)).run()

    assert isinstance(ended.error, SourceChangedError)
    assert sandbox.thymia.counts.records == 0


def test_a_completed_run_of_an_earlier_version_sends_nothing(
    attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox
) -> None:
    """Its report is returned again."""
    store.save(COMPLETED)

    ended = attempt("thymia", rows("thymia", 3))

    assert (ended.repeated, ended.report.delivered, sandbox.thymia.counts.records) == (True, 3, 0)


def test_rejects_of_a_completed_run_of_an_earlier_version_are_told_apart(
    attempt: Attempt, rows: Rows, store: Any
) -> None:
    """By their rules: it counted what was invalid and what was refused as one."""
    done = {**COMPLETED["done"], "read": 7, "rejected": 4, "reasons": {"T5": 1, "T10": 3}}
    store.save({**COMPLETED, "done": done})

    report = attempt("thymia", rows("thymia", 3)).report

    assert (report.rejected, report.invalid, report.refused) == (4, 1, 3)


def test_held_records_of_an_earlier_version_are_carried_in(
    deliver: Callable[..., Result], rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The next run sends them with its own, and removes their file."""
    folder = tmp_path / "held"
    folder.mkdir()
    (folder / ".identity").write_text("1443494c95ba4f01a70dad97a3931028")
    (folder / HELD_NAME).write_text(HELD)

    report = deliver("gerosense", rows("gerosense", 5, 2), held=CarryOverFolder(folder, "steps", "a", "tuesday")).report

    assert (report.read, report.delivered, sandbox.gerosense.counts.records) == (7, 7, 7)
    assert [path.name for path in folder.iterdir()] == [".identity"]
