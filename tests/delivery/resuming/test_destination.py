"""A connection that leads elsewhere than that of the attempt before: what that delivered isn't there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.resuming.destination import Destination, destination
from airflow_provider_userdata.errors import SourceChangedError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
COUNT = 200
DELIVERED = 80
HERE = Destination("here", "key")
ELSEWHERE = Destination("elsewhere", "key")


def begun(attempt: Attempt, rows: Rows, sandbox: Sandbox, end: str = "401 x99") -> list[Any]:
    """Deliver a part, and give the records."""
    records = rows("thymia", COUNT)
    sandbox.thymia.script(f"ok x{DELIVERED}", end)
    attempt("thymia", records, max_in_flight=1, destination=HERE)
    sandbox.thymia.clear_faults()
    return records


def test_another_address_ends_the_attempt(attempt: Attempt, rows: Rows, sandbox: Sandbox) -> None:
    """Nothing is sent there, the message says what to do, and with the old address the run goes on."""
    records = begun(attempt, rows, sandbox)

    ended = attempt("thymia", records, destination=ELSEWHERE)
    assert isinstance(ended.error, SourceChangedError)
    assert "another address" in str(ended.error)
    assert "resume=False" in str(ended.error)
    assert sandbox.thymia.counts.records == DELIVERED

    back = attempt("thymia", records, destination=HERE)
    assert (back.error, back.report.delivered) == (None, COUNT)
    assert (sandbox.thymia.counts.records, sandbox.thymia.counts.repeated) == (COUNT, 0)


def test_another_address_gets_all_where_that_is_allowed(attempt: Attempt, rows: Rows, sandbox: Sandbox) -> None:
    """With `restart_if_changed`, every record goes there."""
    records = begun(attempt, rows, sandbox)

    ended = attempt("thymia", records, destination=ELSEWHERE, restart_if_changed=True)

    assert (ended.error, ended.report.delivered) == (None, COUNT)
    assert sandbox.thymia.counts.records == DELIVERED + COUNT


def test_where_nothing_was_sent_another_address_is_a_fresh_start(
    attempt: Attempt, rows: Rows, sandbox: Sandbox
) -> None:
    """Whoever mends a wrong address clears the task, and is done."""
    records = [*rows("thymia", COUNT), "geheim"]
    sandbox.thymia.script("404 x99")
    wrong = attempt("thymia", records, destination=ELSEWHERE)
    assert wrong.report.delivered == 0
    sandbox.thymia.clear_faults()

    ended = attempt("thymia", records, destination=HERE, max_rejected=1)

    assert (ended.error, ended.report.delivered, ended.report.rejected) == (None, COUNT, 1)


def test_a_run_that_was_over_elsewhere_is_not_over_here(attempt: Attempt, rows: Rows, sandbox: Sandbox) -> None:
    """A red task that is cleared gives its report again, but not for another address."""
    records = [*rows("thymia", COUNT), "geheim"]
    attempt("thymia", records, destination=ELSEWHERE, max_rejected=0)

    ended = attempt("thymia", records, destination=HERE, max_rejected=1)

    assert isinstance(ended.error, SourceChangedError)
    assert sandbox.thymia.counts.records == COUNT


def test_another_key_goes_on_and_says_so(
    attempt: Attempt, rows: Rows, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that was renewed is the usual reason, and nothing tells it from another account's."""
    records = begun(attempt, rows, sandbox)

    ended = attempt("thymia", records, destination=Destination("here", "renewed"))

    assert (ended.error, ended.report.delivered) == (None, COUNT)
    assert sandbox.thymia.counts.repeated == 0
    assert "key is not that of the attempt before" in caplog.text


@pytest.mark.parametrize(
    "change",
    [{"vendor": "ptengine"}, {"address": "other:1"}, {"kind": "bpm"}, {"credential": "k2"}, {"name": "n"}],
)
def test_each_part_of_a_destination_counts(change: dict[str, Any]) -> None:
    """Whatever differs makes another fingerprint, which holds nothing of the key."""
    parts: dict[str, Any] = {
        "vendor": "thymia", "address": "host:1", "kind": "steps", "credential": "geheim", "name": ""
    }  # fmt: skip

    assert destination(**parts) == destination(**parts)
    assert destination(**parts).name != destination(**{**parts, **change}).name
    assert (destination(**parts).address == destination(**{**parts, **change}).address) is ("credential" in change)
    assert "geheim" not in repr(destination(**parts))


def test_a_name_stands_for_address_and_key() -> None:
    """The author's word that both lead to the same account; kinds don't mix all the same."""
    one = destination("gerosense", "host:1", "steps", "1", "ours")

    assert one == destination("gerosense", "host:2", "steps", "2", "ours")
    assert one != destination("gerosense", "host:1", "bpm", "1", "ours")
