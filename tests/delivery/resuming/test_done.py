"""A run that has ended: a repeated attempt sends nothing, a cleared task sends all again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.errors import RejectsError, ResumeError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
def test_an_attempt_after_the_end_sends_nothing(
    vendor: str, attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox
) -> None:
    """An attempt that a crash repeated after the last record gives the same report, and reads nothing."""
    first = attempt(vendor, [*rows(vendor, 50), "geheim"])
    assert store.is_done

    again = attempt(vendor, iter(()))

    assert (again.report, again.repeated, again.error) == (first.report, True, None)
    assert sandbox.vendors[vendor].counts.records == 50


def test_a_task_that_was_cleared_sends_all_again(attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox) -> None:
    """Airflow raises `max_tries` when somebody clears a task: then they want it done again, with counts of its own."""
    attempt("thymia", rows("thymia", 50))
    store.max_tries = 1

    again = attempt("thymia", rows("thymia", 50))

    assert (again.report.delivered, again.report.read, again.repeated) == (50, 50, False)
    assert sandbox.thymia.counts.records == 100
    assert attempt("thymia", rows("thymia", 50)).repeated


def test_a_task_that_starts_over_sends_all_again(attempt: Attempt, rows: Rows, sandbox: Sandbox) -> None:
    """`resume=False` takes no notice of what was sent."""
    attempt("thymia", rows("thymia", 50))

    again = attempt("thymia", rows("thymia", 50), resume=False)

    assert (again.report.delivered, again.repeated) == (50, False)
    assert sandbox.thymia.counts.records == 100


def test_a_task_that_is_red_for_its_rejects_sends_nothing_when_they_are_allowed(
    attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox
) -> None:
    """Cleared as it was, it is red again, and green with a higher `max_rejected`; nothing is sent any time."""
    records = [*rows("thymia", 50), "geheim", "geheim"]
    red = attempt("thymia", records, max_rejected=1)
    assert isinstance(red.error, RejectsError)
    store.max_tries = 1

    assert isinstance(attempt("thymia", records, max_rejected=1).error, RejectsError)
    store.max_tries = 2
    green = attempt("thymia", records, max_rejected=2)

    assert (green.error, green.report.delivered, green.report.rejected) == (None, 50, 2)
    assert (green.report.requests, green.report.reasons) == (50, red.report.reasons)
    assert sandbox.thymia.counts.records == 50

    store.max_tries = 3
    assert attempt("thymia", records, max_rejected=2).repeated is False  # green now, and cleared to be done again
    assert sandbox.thymia.counts.records == 100


def test_a_finished_run_keeps_no_file_that_only_an_attempt_would_need(
    attempt: Attempt, rows: Rows, tmp_path: Any, sandbox: Sandbox
) -> None:
    """What was about to be sent, in whatever attempt, is removed at the end; receipts stay."""
    sandbox.thymia.script("ok x5", "401")
    attempt("thymia", rows("thymia", 20), max_in_flight=1)
    attempt("thymia", rows("thymia", 20))

    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "receipts-1-x.jsonl",
        "receipts-2-x.jsonl",
        "rejects-1-x.jsonl",
    ]


@pytest.mark.parametrize("value", ["text", [1], {}, {"done": 1}, {"attempt": "1-x", "below": "x"}, {"below": 5}])
def test_a_checkpoint_that_cannot_be_read_is_not_taken_for_none(
    value: Any, attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody can tell what was sent, nothing is, until somebody says so."""
    monkeypatch.setattr(store, "load", lambda: value)

    ended = attempt("thymia", rows("thymia", 5))
    assert isinstance(ended.error, ResumeError)
    assert "resume=False" in str(ended.error)
    assert sandbox.thymia.counts.requests == 0
    assert attempt("thymia", rows("thymia", 5), resume=False).report.delivered == 5


def test_a_checked_run_leaves_no_checkpoint(attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox) -> None:
    """`validate_only` neither goes on from a checkpoint nor writes one."""
    ended = attempt("thymia", rows("thymia", 5), validate_only=True)

    assert (ended.report.valid, store.texts) == (5, [])
    assert attempt("thymia", rows("thymia", 5)).report.delivered == 5
