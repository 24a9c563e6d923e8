"""Streams of states: what the vendor is proven to have of a user, and who may say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.ledger import SqlLedger
from airflow_provider_userdata.ledger.ledger import GRACE, LEASE

NewLedger = Callable[..., SqlLedger]
Keys = Callable[..., bytes]


@pytest.fixture
def open_run(new_ledger: NewLedger) -> Callable[[str], SqlLedger]:
    """Open a ledger of states for a run."""
    return lambda run: new_ledger(keyed=True, run=run)


OpenRun = Callable[[str], SqlLedger]


def test_only_a_change_is_sent(open_run: OpenRun, keys: Keys) -> None:
    """New users, and users whose attributes are others than those proven; a change back is a change."""
    ledger = open_run("1")
    users = keys("ann", "bob")
    assert ledger.sift(users, keys("x", "y")) == [0, 1]
    ledger.mark_delivered(users, keys("x", "y"))
    assert ledger.sift(users, keys("x", "y")) == []
    assert ledger.sift(users, keys("x", "z")) == [1]
    ledger.mark_delivered(keys("bob"), keys("z"))
    assert ledger.sift(users, keys("x", "y")) == [1]


@pytest.mark.parametrize("value", ["old", "new"])
def test_a_crash_before_the_mark_leaves_an_unknown(open_run: OpenRun, keys: Keys, value: str) -> None:
    """Neither the old value nor the new one counts as there: both are sent."""
    first = open_run("1")
    first.sift(keys("ann"), keys("old"))
    first.mark_delivered(keys("ann"), keys("old"))
    first.sift(keys("ann"), keys("new"))
    assert open_run("2").sift(keys("ann"), keys(value)) == [0]


@pytest.mark.parametrize("value", ["x", "y"])
def test_a_user_who_was_never_there_is_claimed_too(open_run: OpenRun, keys: Keys, value: str) -> None:
    """Of two runs that find a new user, none may say what the vendor has in the end."""
    one, two = open_run("1"), open_run("2")
    one.sift(keys("ann"), keys("x"))
    two.sift(keys("ann"), keys("y"))
    two.mark_delivered(keys("ann"), keys("y"))
    one.mark_delivered(keys("ann"), keys("x"))
    assert open_run("3").sift(keys("ann"), keys(value)) == [0]


@pytest.mark.parametrize("value", ["x", "y", "z"])
@pytest.mark.parametrize("marks", [["1", "2"], ["2", "1"], ["1"], ["2"]])
def test_of_two_runs_at_once_none_is_believed(open_run: OpenRun, keys: Keys, marks: list[str], value: str) -> None:
    """Whoever claimed last, and whoever's proof came last: the vendor may have either value."""
    first = open_run("0")
    first.sift(keys("ann"), keys("x"))
    first.mark_delivered(keys("ann"), keys("x"))
    runs = {"1": (open_run("1"), "y"), "2": (open_run("2"), "z")}
    for ledger, own in runs.values():
        assert ledger.sift(keys("ann"), keys(own)) == [0]
    for run in marks:
        ledger, own = runs[run]
        ledger.mark_delivered(keys("ann"), keys(own))
    assert open_run("3").sift(keys("ann"), keys(value)) == [0]


def test_runs_one_after_the_other_are_believed(open_run: OpenRun, keys: Keys) -> None:
    """A claim that was marked stands in nobody's way, though its run goes on."""
    one, two = open_run("1"), open_run("2")
    for ledger, value in ((one, "x"), (two, "y"), (one, "z")):
        assert ledger.sift(keys("ann"), keys(value)) == [0]
        ledger.mark_delivered(keys("ann"), keys(value))
        assert ledger.sift(keys("ann"), keys(value)) == []


def test_the_next_attempt_goes_on_with_the_claims_of_the_last(open_run: OpenRun, keys: Keys) -> None:
    """Attempts of one run share its claims: what the killed one had sent, this one sends again and may mark."""
    open_run("1").sift(keys("ann"), keys("x"))
    again = open_run("1")
    assert again.sift(keys("ann"), keys("x")) == [0]
    again.mark_delivered(keys("ann"), keys("x"))
    assert again.sift(keys("ann"), keys("x")) == []


@pytest.mark.parametrize(("seconds", "believed"), [(LEASE - 60, False), (LEASE + 60, True)])
def test_a_crashed_runs_claims_end(open_run: OpenRun, keys: Keys, clock: Any, seconds: float, believed: bool) -> None:
    """Two hours after its last call nothing of it can be under way any more."""
    open_run("1").sift(keys("ann"), keys("x"))
    clock.seconds += seconds
    two = open_run("2")
    two.sift(keys("ann"), keys("y"))
    two.mark_delivered(keys("ann"), keys("y"))
    assert (two.sift(keys("ann"), keys("y")) == []) is believed


@pytest.mark.parametrize(("seconds", "believed"), [(GRACE - 10, False), (GRACE + 10, True)])
def test_a_closed_runs_claims_end_sooner(
    open_run: OpenRun, keys: Keys, clock: Any, seconds: float, believed: bool
) -> None:
    """A minute after: what it gave up on has then arrived, or never will."""
    one = open_run("1")
    one.sift(keys("ann"), keys("x"))
    one.close()
    clock.seconds += seconds
    two = open_run("2")
    two.sift(keys("ann"), keys("y"))
    two.mark_delivered(keys("ann"), keys("y"))
    assert (two.sift(keys("ann"), keys("y")) == []) is believed


def test_a_run_that_works_for_long_keeps_its_claims(open_run: OpenRun, keys: Keys, clock: Any) -> None:
    """Each claim renews what it has: hours later, another run still finds it at work."""
    one = open_run("1")
    for number in range(9):
        one.sift(keys(f"user {number}"), keys("x"))
        clock.seconds += LEASE / 2
    two = open_run("2")
    two.sift(keys("user 8"), keys("y"))
    two.mark_delivered(keys("user 8"), keys("y"))
    assert two.sift(keys("user 8"), keys("y")) == [0]


def test_what_two_runs_left_unknown_is_known_again_by_one_that_is_alone(
    open_run: OpenRun, keys: Keys, clock: Any
) -> None:
    """It costs a resend, once."""
    for run in ("1", "2"):
        open_run(run).sift(keys("ann"), keys(run))
    clock.seconds += LEASE + 60
    three = open_run("3")
    assert three.sift(keys("ann"), keys("1")) == [0]
    three.mark_delivered(keys("ann"), keys("1"))
    assert three.sift(keys("ann"), keys("1")) == []


def test_a_mark_without_a_claim_changes_nothing(open_run: OpenRun, keys: Keys) -> None:
    """Nobody knows what the vendor had before, or has now."""
    ledger = open_run("1")
    ledger.mark_delivered(keys("ann"), keys("x"))
    assert ledger.sift(keys("ann"), keys("x")) == [0]


def test_a_user_who_stands_twice_is_sent_as_often(open_run: OpenRun, keys: Keys) -> None:
    """If one of the places is a change, all are: the last of them has to win."""
    ledger = open_run("1")
    twice = keys("ann", "bob", "ann")
    ledger.sift(twice, keys("x", "x", "x"))
    ledger.mark_delivered(twice, keys("x", "x", "x"))
    assert ledger.sift(twice, keys("x", "x", "x")) == []
    assert ledger.sift(twice, keys("y", "x", "x")) == [0, 2]


def test_of_two_proofs_of_a_user_the_last_counts(open_run: OpenRun, keys: Keys) -> None:
    """They come in the order in which they were given."""
    ledger = open_run("1")
    ledger.sift(keys("ann", "ann"), keys("x", "y"))
    ledger.mark_delivered(keys("ann", "ann"), keys("x", "y"))
    assert ledger.sift(keys("ann"), keys("y")) == []


def test_a_state_that_is_too_old_is_sent_again(new_ledger: NewLedger, keys: Keys, clock: Any) -> None:
    """Though nothing has changed."""
    ledger = new_ledger(keyed=True, retention_days=1)
    ledger.sift(keys("ann"), keys("x"))
    ledger.mark_delivered(keys("ann"), keys("x"))
    clock.pass_days(1)
    assert ledger.sift(keys("ann"), keys("x")) == []
    clock.pass_days(1)
    assert ledger.sift(keys("ann"), keys("x")) == [0]
