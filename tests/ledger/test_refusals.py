"""A ledger that can't be used says so when it is opened: where it is, and what to do."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ProgrammingError

from airflow_provider_userdata.errors import LedgerBusyError, LedgerError
from airflow_provider_userdata.ledger import SqlLedger, Stream, schema
from airflow_provider_userdata.ledger.admin import open_admin

SECRET = b"a secret of the tests' own"


def ledger_at(url: str, **options: Any) -> SqlLedger:
    """Make a ledger that doesn't wait for locks."""
    options = {"keyed": False, "run": "a", "secret": SECRET, "busy_timeout": 0.05, **options}
    return SqlLedger(url, Stream("vendor"), **options)


@pytest.fixture
def written(sqlite_file: Path) -> Path:
    """Return a file that a ledger has written."""
    ledger = ledger_at(f"sqlite:///{sqlite_file}")
    ledger.open()
    ledger.close()
    return sqlite_file


def test_a_locked_ledger_may_pass(written: Path) -> None:
    """It waits for as long as it was told, then says that a retry may help."""
    with closing(sqlite3.connect(written, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusyError, match=r"ledger\.db is locked"):
            ledger_at(f"sqlite:///{written}").open()
        other.execute("ROLLBACK")
    ledger_at(f"sqlite:///{written}").open()


def test_a_ledger_that_is_locked_while_it_is_used(written: Path) -> None:
    """Looking up goes on, marking may pass; afterwards it works as before."""
    ledger = ledger_at(f"sqlite:///{written}")
    ledger.open()
    with closing(sqlite3.connect(written, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert ledger.sift(bytes(16)) == [0]
        with pytest.raises(LedgerBusyError, match="locked"):
            ledger.mark_delivered(bytes(16))
        other.execute("ROLLBACK")
    ledger.mark_delivered(bytes(16))
    assert ledger.sift(bytes(16)) == []


def test_a_read_only_ledger(written: Path) -> None:
    """As a file system that is mounted so, or a file of somebody else's, makes it."""
    url = f"sqlite:///file:{written}?mode=ro&uri=true"
    with pytest.raises(LedgerError, match="read-only"):
        ledger_at(url).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_file_without_permission(written: Path) -> None:
    """The same, by its mode."""
    written.chmod(0o400)
    with pytest.raises(LedgerError, match=r"ledger\.db"):
        ledger_at(f"sqlite:///{written}").open()


def test_a_missing_folder(tmp_path: Path) -> None:
    """It isn't made: a typing error would begin a ledger in which nothing is delivered yet."""
    with pytest.raises(LedgerError, match="its folder must exist"):
        ledger_at(f"sqlite:///{tmp_path}/nowhere/ledger.db").open()
    assert not (tmp_path / "nowhere").exists()


def test_a_file_of_another_kind(sqlite_file: Path) -> None:
    """It is left unchanged."""
    sqlite_file.write_bytes(b"not a database" * 100)
    with pytest.raises(LedgerError, match="a file that a ledger wrote"):
        ledger_at(f"sqlite:///{sqlite_file}").open()


def test_a_server_that_is_not_there() -> None:
    """May be there later; neither its password nor its user is shown."""
    with pytest.raises(LedgerBusyError, match=r"postgresql://127\.0\.0\.1:1/ledgers ") as raised:
        ledger_at("postgresql+psycopg2://trillian:hunter2@127.0.0.1:1/ledgers").open()
    assert "hunter2" not in str(raised.value)
    assert "trillian" not in str(raised.value)


@pytest.mark.parametrize(
    ("state", "error"), [("42P07", LedgerBusyError), ("42710", LedgerBusyError), ("42501", LedgerError)]
)
def test_a_table_that_another_run_makes_at_the_same_moment_may_pass(
    state: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch, sqlite_file: Path
) -> None:
    """Opened once more, it is there; a right that is missing stays missing."""

    class RefusalError(Exception):
        sqlstate = state

    def refuse(*_: object) -> None:
        raise ProgrammingError("CREATE TABLE", {}, RefusalError())

    monkeypatch.setattr("airflow_provider_userdata.ledger.ledger.prepare", refuse)
    with pytest.raises(error):
        ledger_at(f"sqlite:///{sqlite_file}").open()


def test_a_url_that_is_none() -> None:
    """Isn't repeated: it may hold a password."""
    with pytest.raises(LedgerError) as raised:
        ledger_at("nosuchdb://trillian:hunter2@example.com")
    assert "hunter2" not in str(raised.value)


def test_another_secret(database: str) -> None:
    """With it nothing would be found, and all sent again."""
    ledger_at(database).open()
    with pytest.raises(LedgerError, match="written with another secret"):
        ledger_at(database, secret=b"this is some other secret").open()
    ledger_at(database).open()


def test_a_short_secret(database: str) -> None:
    """Could be guessed."""
    with pytest.raises(ValueError, match="at least 16 bytes"):
        ledger_at(database, secret=b"short")


def test_a_newer_ledger(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not touched by a version that doesn't know it, nor read by its commands."""
    with monkeypatch.context() as newer:
        newer.setattr(schema, "STEPS", (*schema.STEPS, lambda _: None))
        newer.setattr(schema.migrate, "__defaults__", (schema.STEPS,))
        ledger_at(database).open()
    with pytest.raises(LedgerError, match="version 2, and this version of the package knows up to 1"):
        ledger_at(database).open()
    with pytest.raises(LedgerError, match="version 2"), open_admin(database):
        pass


def test_an_older_ledger_is_brought_up_to_date(database: str) -> None:
    """By the steps that it lacks, once, with what is in it."""
    ledger = ledger_at(database)
    ledger.open()
    ledger.mark_delivered(bytes(16))
    ledger.close()

    def step(connection: Connection) -> None:
        connection.exec_driver_sql(f"ALTER TABLE {schema.ENTRIES.name} ADD COLUMN toy integer DEFAULT 7")

    for _ in range(2):
        with create_engine(database).begin() as connection:
            schema.migrate(connection, "here", (*schema.STEPS, step))
            assert schema.read_version(connection) == 2
            toys = connection.exec_driver_sql(f"SELECT toy FROM {schema.ENTRIES.name}").scalars().all()
        assert toys == [7]


def test_a_stream_of_another_kind(database: str) -> None:
    """Records and states can't be one stream."""
    ledger_at(database, keyed=True).open()
    with pytest.raises(LedgerError, match="another kind"):
        ledger_at(database, keyed=False).open()


def test_a_ledger_that_is_not_open(database: str) -> None:
    """Says so, and can be closed all the same."""
    ledger = ledger_at(database)
    ledger.close()
    with pytest.raises(LedgerError, match="not open"):
        ledger.sift(bytes(16))


def test_no_ledger_yet(sqlite_file: Path) -> None:
    """A command doesn't begin one."""
    with pytest.raises(LedgerError, match="no ledger"), open_admin(f"sqlite:///{sqlite_file}"):
        pass
    assert not sqlite_file.exists()
