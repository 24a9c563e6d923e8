"""A source that isn't what the attempt before was reading: nobody can tell then which records were sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.errors import SourceChangedError
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Chunks

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Whole = Callable[..., None]
COUNT = 100
DELIVERED = 50


CHANGES: dict[str, Callable[[list[Any], Any], list[Any]]] = {
    "one more at the front": lambda rows, new: [new, *rows],
    "another one at the front": lambda rows, new: [new, *rows[1:]],
    "another one among the settled": lambda rows, new: [*rows[:30], new, *rows[31:]],
    "one more among those that were read": lambda rows, new: [*rows[:55], new, *rows[55:]],
    "one less": lambda rows, new: rows[:30] + rows[31:],
    "another order": lambda rows, new: rows[::-1],
    "shorter": lambda rows, new: rows[:30],
    "empty": lambda rows, new: [],
}


@pytest.fixture
def begun(attempt: Attempt, rows: Rows, sandbox: Sandbox) -> list[Any]:
    """Deliver a part, and give the records. They are read in chunks of 20."""
    records = rows("thymia", COUNT)
    sandbox.thymia.script(f"ok x{DELIVERED}", "401 x99")
    first = attempt("thymia", Chunks(records, 20), max_in_flight=1)
    assert first.report.delivered == DELIVERED
    sandbox.thymia.clear_faults()
    return records


@pytest.mark.parametrize("size", [1, 7, 20, 1000])
@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_changed_ends_the_attempt(
    change: str,
    size: int,
    begun: list[Any],
    attempt: Attempt,
    rows: Rows,
    whole: Whole,
    sandbox: Sandbox,
) -> None:
    """It is said, with the ways out; and when the source is put right again, the run goes on.

    No record counts as held, which would say that it was never sent: rows that were sent may have moved.
    """
    (new,) = rows("thymia", 1, first=COUNT)

    for _ in range(2):
        changed = attempt("thymia", Chunks(CHANGES[change](begun, new), size))
        assert isinstance(changed.error, SourceChangedError)
        assert "resume=False" in str(changed.error)
        assert (changed.report.delivered, changed.report.held) == (DELIVERED, 0)
    right = attempt("thymia", Chunks(begun, size))

    whole(right.report, COUNT)
    assert (sandbox.thymia.counts.records, sandbox.thymia.counts.repeated) == (COUNT, 0)


@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_changed_is_sent_again_where_that_is_allowed(
    change: str,
    begun: list[Any],
    attempt: Attempt,
    rows: Rows,
    store: Any,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With `restart_if_changed`, all its records go out, from the first, and the log says so."""
    (new,) = rows("thymia", 1, first=COUNT)
    changed = CHANGES[change](begun, new)

    ended = attempt("thymia", Chunks(changed, 20), restart_if_changed=True)

    assert ended.error is None
    assert (ended.report.read, ended.report.delivered) == (len(changed), len(changed))
    assert sandbox.thymia.counts.records == DELIVERED + len(changed)
    assert "all its records are sent again" in caplog.text
    assert store.is_done


@pytest.mark.parametrize("size", [1, 20, 1000])
def test_what_an_attempt_read_of_a_changed_source_is_not_believed(
    size: int, begun: list[Any], attempt: Attempt, whole: Whole, store: Any
) -> None:
    """Also where the attempt that saw the change could write no checkpoint of its end, the right source goes on."""

    def save(value: dict[str, Any]) -> None:
        if value["journals"]["sent-2-x"] > len('{"ranges":[]}\n'):
            raise OSError("the store is down")

    store.before_save = save
    assert isinstance(attempt("thymia", Chunks(begun[::-1], size)).error, SourceChangedError)
    store.before_save = lambda _: None

    whole(attempt("thymia", begun).report, COUNT)


@pytest.mark.parametrize("size", [1, 20, 1000])
def test_a_source_that_grew_at_its_end_has_not_changed(
    size: int, begun: list[Any], attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """New records after those that were read are sent with the rest."""
    grown = [*begun, *rows("thymia", 50, first=COUNT)]

    ended = attempt("thymia", Chunks(grown, size))

    assert ended.error is None
    whole(ended.report, COUNT + 50)
    assert sandbox.thymia.counts.records == COUNT + 50


def test_what_was_read_after_the_last_checkpoint_is_compared_too(
    attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox
) -> None:
    """Receipts beyond the checkpoint settle positions, so that the rows at these positions must be the same."""
    records = rows("thymia", COUNT)
    sandbox.thymia.script(f"ok x{DELIVERED}", "401 x99")
    attempt("thymia", Chunks(records, 20), max_in_flight=1)
    sandbox.thymia.clear_faults()
    del store.texts[1:]  # as if the store had failed since the first checkpoint

    ended = attempt("thymia", Chunks([*records[:30], {"data": 1}, *records[30:]], 20))

    assert isinstance(ended.error, SourceChangedError)
    assert sandbox.thymia.counts.records == DELIVERED


@pytest.mark.parametrize("more", [True, False])
def test_an_unordered_source_does_not_spoil_the_checkpoint_of_a_begun_run(
    more: bool, begun: list[Any], attempt: Attempt, whole: Whole, store: Any
) -> None:
    """Attempts that end in the middle of reading what is settled keep the digests that showed it."""

    def broken() -> Any:
        yield from begun[:30]
        raise RuntimeError("the cursor was closed")

    assert attempt("thymia", broken()).error is not None
    if more:
        assert attempt("thymia", broken()).error is not None

    assert isinstance(attempt("thymia", begun[::-1]).error, SourceChangedError)
    whole(attempt("thymia", begun).report, COUNT)
