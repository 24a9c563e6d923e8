"""A ledger's database: SQLite, or the PostgreSQL that `make test-postgres` starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger import SqlLedger, Stream
from airflow_provider_userdata.ledger.portable import Entries
from airflow_provider_userdata.ledger.sqlite import SqliteEntries

VARIABLE = "USERDATA_TEST_POSTGRES"
SECRET = b"a secret of the tests' own"
PTENGINE = Stream("ptengine", "api.example.com", 8443)
GEROSENSE = Stream("gerosense", "proxy.example.com", None, "steps")
NOON = 20_000 * 86_400.0 + 43_200
"""Seconds since 1970, on day 20,000."""


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = NOON

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds

    def pass_days(self, days: float) -> None:
        """Move it on."""
        self.seconds += days * 86_400


class PortableEntries(Entries):
    """What MySQL and others get, on SQLite."""

    isolation = None
    locks_opening = True
    prepare = SqliteEntries.prepare
    begin = SqliteEntries.begin


@pytest.fixture(params=["own", "portable"])
def statements(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with the database's own statements, and with those that any database takes."""
    if request.param == "portable":
        portable = Entries if os.environ.get(VARIABLE) else PortableEntries
        monkeypatch.setattr("airflow_provider_userdata.ledger.database._entries", lambda _: portable())


@pytest.fixture
def clock() -> Clock:
    """Return a clock that the test moves."""
    return Clock()


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """Return the URL of an empty database."""
    return new_database()


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """Return the path of a ledger that doesn't exist yet, for tests of files."""
    return tmp_path / "ledger.db"


@pytest.fixture
def new_ledger(database: str, clock: Clock, statements: None) -> Iterator[Callable[..., SqlLedger]]:
    """Open ledgers on the test's database: ``new_ledger(keyed=True, run="b")``; they are closed after it."""
    opened: list[SqlLedger] = []

    def make(stream: Stream | None = None, *, keyed: bool = False, run: str = "a", **options: Any) -> SqlLedger:
        options = {"secret": SECRET, "now": clock, "busy_timeout": 5.0, **options}
        chosen = stream or (PTENGINE if keyed else GEROSENSE)
        ledger = SqlLedger(options.pop("database", database), chosen, keyed=keyed, run=run, **options)
        opened.append(ledger)
        ledger.open()
        return ledger

    yield make
    for ledger in opened:
        ledger.close()


@pytest.fixture
def secret() -> bytes:
    """Return the secret of the tests' ledgers."""
    return SECRET


@pytest.fixture
def keys() -> Callable[..., bytes]:
    """Make keys of texts: ``keys("ann", "bob")``. Fingerprints are made the same way."""
    fingerprints = Fingerprints(SECRET)
    return lambda *texts: fingerprints.of_all(text.encode() for text in texts)
