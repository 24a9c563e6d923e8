"""Whatever runs do, and whenever they crash, the ledger never says what isn't so."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger import SqlLedger, Stream

SECRET = b"a secret of the tests' own"
USERS = st.integers(0, 5)
VALUES = st.integers(0, 3)
RUNS = ("one", "two", "three")
RETENTION = 3
EXAMPLES = [5] if os.environ.get("USERDATA_TEST_POSTGRES") else [10, pytest.param(100, marks=pytest.mark.long)]
FINGERPRINTS = Fingerprints(SECRET)


def joined(*values: object) -> bytes:
    """Make keys or fingerprints."""
    return FINGERPRINTS.of_all(str(value).encode() for value in values)


class Runs(RuleBasedStateMachine):
    """Runs of a stream, which open, crash and close as they like, in front of a vendor."""

    keyed = False
    url: Callable[[], str]

    @initialize()
    def begin(self) -> None:
        """Start with an empty ledger and an empty vendor."""
        self.address = type(self).url()
        self.seconds = 20_000 * 86_400.0
        self.ledgers: dict[str, SqlLedger] = {}
        self.begun()

    def begun(self) -> None:
        """Start with what a kind of stream needs."""

    @rule(name=st.sampled_from(RUNS))
    def open_anew(self, name: str) -> None:
        """Open a run's ledger; what it had open before crashes."""
        self.crash(name)
        self.ledgers[name] = SqlLedger(
            self.address,
            Stream("vendor"),
            keyed=self.keyed,
            run=name,
            secret=SECRET,
            retention_days=RETENTION,
            now=lambda: self.seconds,
        )
        self.ledgers[name].open()

    @rule(name=st.sampled_from(RUNS), tidy=st.booleans())
    def end(self, name: str, tidy: bool) -> None:
        """End a run: tidily, or as a killed process does. What it has under way is over in either case."""
        if tidy and name in self.ledgers:
            self.ledgers.pop(name).close()
        self.crash(name)

    def crash(self, name: str) -> None:
        """Lose the connection, and all that was not committed."""
        if name in self.ledgers:
            self.ledgers.pop(name)._database.close()

    def teardown(self) -> None:
        """Let go of all."""
        for name in RUNS:
            with contextlib.suppress(AttributeError):
                self.crash(name)


class DeliveredRecords(Runs):
    """A dictionary of days says what is there."""

    def begun(self) -> None:
        """Nothing is there."""
        self.days: dict[int, int] = {}

    @rule(days=st.integers(1, 2))
    def wait(self, days: int) -> None:
        """Let days pass."""
        self.seconds += days * 86_400

    @precondition(lambda self: self.ledgers)
    @rule(data=st.data(), records=st.lists(USERS, max_size=6), marked=st.booleans())
    def use(self, data: Any, records: list[int], marked: bool) -> None:
        """Sift some, and compare with the dictionary; mark them, or not."""
        ledger = self.ledgers[data.draw(st.sampled_from(sorted(self.ledgers)))]
        today = int(self.seconds // 86_400)
        absent = [i for i, record in enumerate(records) if self.days.get(record, -9) < today - RETENTION]
        assert ledger.sift(joined(*records)) == absent
        if marked:
            ledger.mark_delivered(joined(*records))
            self.days |= dict.fromkeys(records, today)


class States(Runs):
    """A vendor who takes what runs send in any order, late or never, and of whom the ledger must say nothing false."""

    keyed = True

    def begun(self) -> None:
        """Start with a vendor who has nothing."""
        self.vendor: dict[int, int] = {}
        self.in_flight: dict[str, dict[int, int]] = {}
        self.accepted: dict[str, dict[int, int]] = {}

    def crash(self, name: str) -> None:
        """Lose what was under way, too: it has arrived by now, or never will."""
        super().crash(name)
        self.in_flight.pop(name, None)
        self.accepted.pop(name, None)

    @precondition(lambda self: self.ledgers)
    @rule(data=st.data(), rows=st.dictionaries(USERS, VALUES, max_size=5))
    def sift(self, data: Any, rows: dict[int, int]) -> None:
        """Ask for what a run hasn't under way; what isn't given back, the vendor has."""
        name = data.draw(st.sampled_from(sorted(self.ledgers)))
        busy = self.in_flight.setdefault(name, {}).keys() | self.accepted.setdefault(name, {}).keys()
        rows = {user: value for user, value in rows.items() if user not in busy}
        users = list(rows)
        chosen = self.ledgers[name].sift(joined(*users), joined(*rows.values()))
        for index, user in enumerate(users):
            if index in chosen:
                self.in_flight[name][user] = rows[user]
            else:
                assert self.vendor[user] == rows[user]

    @precondition(lambda self: any(self.in_flight.values()))
    @rule(data=st.data())
    def arrive(self, data: Any) -> None:
        """Let the vendor accept one."""
        name, user = data.draw(
            st.sampled_from(sorted((name, user) for name, rows in self.in_flight.items() for user in rows))
        )
        self.vendor[user] = self.accepted[name][user] = self.in_flight[name].pop(user)

    @precondition(lambda self: any(self.accepted.values()))
    @rule(data=st.data())
    def mark(self, data: Any) -> None:
        """Let a run mark what was accepted."""
        name = data.draw(st.sampled_from(sorted(name for name, rows in self.accepted.items() if rows)))
        rows = self.accepted[name]
        self.ledgers[name].mark_delivered(joined(*rows), joined(*rows.values()))
        rows.clear()


@pytest.mark.slow
@pytest.mark.usefixtures("statements")
@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("machine", [DeliveredRecords, States])
def test_any_course(
    machine: type[Runs], examples: int, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening, crashing, closing, sifting, arriving and marking, in any order, of three runs at once."""
    monkeypatch.setattr(machine, "url", staticmethod(new_database), raising=False)
    checks = list(HealthCheck)
    many = settings(max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(machine, settings=many)
