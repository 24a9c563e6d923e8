"""A store for checkpoints that fails: at first nothing is sent, later the files prove what was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.resuming import checkpoint_writer
from airflow_provider_userdata.errors import OutputError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]


class StoreDownError(Exception):
    """What a store may raise: anything."""


def failing(times: Callable[[int], bool]) -> tuple[Callable[[dict[str, Any]], None], list[bool]]:
    """Fail at some saves, by their number from 0; give the outcomes, too."""
    failed: list[bool] = []

    def save(_: dict[str, Any]) -> None:
        failed.append(times(len(failed)))
        if failed[-1]:
            raise StoreDownError("geheim")

    return save, failed


def test_without_a_first_checkpoint_nothing_is_sent(attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox) -> None:
    """Five tries, a second apart; then the task fails in the way that Airflow retries."""
    store.before_save, failed = failing(lambda _: True)

    ended = attempt("thymia", rows("thymia", 20))

    assert isinstance(ended.error, OutputError)
    assert (len(failed), ended.report.read, sandbox.thymia.counts.requests) == (5, 0, 0)


def test_a_first_checkpoint_may_take_some_tries(attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox) -> None:
    """A store that comes back in time is no error."""
    store.before_save, _ = failing(lambda number: number < 4)

    ended = attempt("thymia", rows("thymia", 20))

    assert (ended.error, ended.report.delivered, sandbox.thymia.counts.requests) == (None, 20, 20)


def test_the_marker_of_the_end_is_tried_again(attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox) -> None:
    """A store that fails at that very moment would have the task, cleared or repeated, go on from long before."""
    fails = iter([True, True, False])
    store.before_save = lambda value: 1 / 0 if "done" in value and next(fails) else None

    ended = attempt("thymia", rows("thymia", 20))

    assert (ended.error, ended.report.delivered) == (None, 20)
    assert store.is_done


@pytest.mark.parametrize("end", ["401", "ok"])
def test_a_store_that_fails_later_costs_nothing(
    end: str,
    attempt: Attempt,
    rows: Rows,
    whole: Callable[..., None],
    store: Any,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The delivery goes on without it; where it is repeated, it sends nothing twice, for the files prove it all."""
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.0)
    store.before_save, failed = failing(lambda number: number > 0)
    sandbox.thymia.script("ok x100", end)
    records = [*rows("thymia", 200), "geheim"]
    first = attempt("thymia", records, max_in_flight=2)
    assert (first.error is None) is (end == "ok")
    assert len(failed) >= 2
    assert caplog.text.count("The checkpoint can't be saved for now: StoreDownError") == 1
    store.before_save, _ = failing(lambda _: False)

    second = attempt("thymia", records)

    whole(second.report, 201)
    assert (second.report.resent, second.repeated) == (0, False)
    assert (sandbox.thymia.counts.records, sandbox.thymia.counts.repeated) == (200, 0)
    assert store.is_done
