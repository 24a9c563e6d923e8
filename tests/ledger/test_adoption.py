"""What a finished run delivered is entered: what a later day delivered stays, and what nobody knows is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from airflow_provider_userdata.errors import LedgerBusyError
from airflow_provider_userdata.ledger import AdoptingLedger, Collected, Stream, adoption

Keys = Callable[..., bytes]
TODAY = date(1970, 1, 1) + timedelta(20_000)
"""The day of the tests' clock."""
MONDAY, TUESDAY = TODAY - timedelta(3), TODAY - timedelta(2)


@pytest.fixture
def collected() -> Iterator[Collected]:
    """Collect nothing yet."""
    with Collected() as found:
        yield found


@pytest.fixture
def adopting(database: str, clock: Any, secret: bytes, statements: None) -> Callable[..., AdoptingLedger]:
    """Make the ledger of an adoption: ``adopting(keyed=True)``."""

    def make(*, keyed: bool) -> AdoptingLedger:
        stream = Stream("ptengine" if keyed else "gerosense", "proxy.example.com", None, "steps")
        return AdoptingLedger(database, stream, keyed=keyed, run="adopt", secret=secret, now=clock, lease=60.0)

    return make


@pytest.fixture
def enter(adopting: Callable[..., AdoptingLedger]) -> Callable[..., int]:
    """Enter what is collected, and give how many entries are new or newer: ``enter(collected, keyed=True)``."""

    def all_of(found: Collected, *, keyed: bool) -> int:
        ledger = adopting(keyed=keyed)
        ledger.open()
        changed = sum(ledger.enter(entries) for entries in found.steps(keyed=keyed))
        ledger.close()
        return changed

    return all_of


@pytest.fixture
def sift(new_ledger: Any, keys: Keys, clock: Any) -> Callable[..., list[str]]:
    """Give which records a run would send: ``sift("a", "b")``, or users ``sift(ann="x")``."""

    def chosen(*records: str, **users: str) -> list[str]:
        stream = Stream("ptengine" if users else "gerosense", "proxy.example.com", None, "steps")
        ledger = new_ledger(stream, keyed=bool(users), run="later")
        names = list(users or records)
        found = ledger.sift(keys(*names), keys(*users.values()) if users else b"")
        ledger.close()
        clock.seconds += 62  # then it has nothing in flight any more
        return [names[index] for index in found]

    return chosen


def test_records_are_not_sent_again(collected: Collected, enter: Any, sift: Any, keys: Keys) -> None:
    """Those that are proven; twice entered, they are there once."""
    collected.add(keys("a", "b", "a"), b"", MONDAY, proven=True, in_doubt=False)
    collected.add(keys("c"), b"", MONDAY, proven=False, in_doubt=True)
    assert (collected.certain, collected.uncertain) == (2, 1)

    assert enter(collected, keyed=False) == 2
    assert enter(collected, keyed=False) == 0
    assert sift("a", "b", "c", "d") == ["c", "d"]


def test_a_users_last_state_counts(collected: Collected, enter: Any, sift: Any, keys: Keys) -> None:
    """Of two in the run, the later one."""
    collected.add(keys("ann", "bob", "ann"), keys("1", "1", "2"), MONDAY, proven=True, in_doubt=False)

    assert enter(collected, keyed=True) == 2
    assert sift(ann="2", bob="1") == []
    assert sift(ann="1") == ["ann"]


@pytest.mark.parametrize("order", ["known first", "unknown first"])
def test_a_user_whose_last_state_nobody_knows_is_sent(
    order: str, collected: Collected, enter: Any, sift: Any, keys: Keys
) -> None:
    """Another state of hers may have arrived, or arrived later; where both are the same, it doesn't matter."""
    steps: list[tuple[bytes, bytes, dict[str, bool]]] = [
        (keys("ann", "bob"), keys("1", "1"), {"proven": True, "in_doubt": False}),
        (keys("ann", "bob", "eve"), keys("2", "1", "1"), {"proven": False, "in_doubt": True}),
    ]
    for users, states, known in steps if order == "known first" else reversed(steps):
        collected.add(users, states, MONDAY, **known)

    assert (collected.certain, collected.uncertain) == (1, 2)
    enter(collected, keyed=True)
    assert sift(ann="1", bob="1", eve="1") == ["ann", "eve"]


def test_what_a_later_day_delivered_stays(collected: Collected, enter: Any, sift: Any, keys: Keys) -> None:
    """And what an earlier one did is replaced, in whatever order runs are adopted."""
    collected.add(keys("ann", "bob"), keys("1", "1"), TUESDAY, proven=True, in_doubt=False)
    assert enter(collected, keyed=True) == 2
    with Collected() as earlier:
        earlier.add(keys("ann", "eve"), keys("0", "0"), MONDAY, proven=True, in_doubt=False)
        assert enter(earlier, keyed=True) == 1
    assert sift(ann="1", bob="1", eve="0") == []
    with Collected() as later:
        later.add(keys("ann"), keys("2"), TODAY, proven=True, in_doubt=False)
        assert enter(later, keyed=True) == 1
    assert sift(ann="2") == []


def test_of_two_states_on_one_day_nobody_knows_the_last(
    collected: Collected, enter: Any, sift: Any, keys: Keys
) -> None:
    """The user is sent once more; one whose state is the same isn't."""
    collected.add(keys("ann", "bob"), keys("1", "1"), MONDAY, proven=True, in_doubt=False)
    enter(collected, keyed=True)
    with Collected() as other:
        other.add(keys("ann", "bob"), keys("2", "1"), MONDAY, proven=True, in_doubt=False)
        assert enter(other, keyed=True) == 1

    assert sift(ann="1", bob="1") == ["ann"]


def test_a_run_at_work_ends_the_adoption(
    adopting: Any, new_ledger: Any, keys: Keys, clock: Any, collected: Collected
) -> None:
    """Of users only: what the run has in flight may arrive after what is entered."""
    at_work = new_ledger(Stream("ptengine", "proxy.example.com", None, "steps"), keyed=True, run="at work")
    at_work.sift(keys("ann"), keys("2"))
    with pytest.raises(LedgerBusyError, match="call this when none does"):
        adopting(keyed=True).open()
    at_work.close()
    clock.seconds += 62
    ledger = adopting(keyed=True)
    ledger.open()
    ledger.close()


def test_many_entries_go_in_steps(
    collected: Collected, enter: Any, sift: Any, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is left out between two of them."""
    monkeypatch.setattr(adoption, "STEP", 7)
    names = [str(number) for number in range(50)]
    collected.add(keys(*names), b"", MONDAY, proven=True, in_doubt=False)

    assert [len(step) for step in collected.steps(keyed=False)] == [7] * 7 + [1]
    assert enter(collected, keyed=False) == 50
    assert sift(*names) == []


def test_the_day_is_that_of_the_delivery(collected: Collected, enter: Any, keys: Keys, new_ledger: Any) -> None:
    """So that it is forgotten when it is old."""
    collected.add(keys("a"), b"", TODAY - timedelta(401), proven=True, in_doubt=False)
    enter(collected, keyed=False)

    stream = Stream("gerosense", "proxy.example.com", None, "steps")
    ledger = new_ledger(stream, retention_days=400)
    assert ledger.sift(keys("a")) == [0]
