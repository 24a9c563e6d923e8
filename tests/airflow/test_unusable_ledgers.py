"""A ledger that a task can't use: it says so before its first request, and nothing is sent."""

from __future__ import annotations

import functools
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection

from airflow_provider_userdata.ledger import SqlLedger, Stream, schema
from airflow_provider_userdata.operators import ledger_files, ledger_settings
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.sandbox import Sandbox

RETRIES = 2
WRITE_VERSION = 18
"""Where a file of SQLite's says what may write it. It is read-only, also for root, where that is newer than SQLite."""

Broken = Callable[[Path], AbstractContextManager[None]]
Upload = Callable[[int], Any]


@pytest.fixture
def file(tmp_path: Path, airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the path of the default ledger, which is empty and doesn't wait for locks."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setattr(ledger_settings, "SqlLedger", functools.partial(SqlLedger, busy_timeout=0.05))
    return ledger_files.default_file()


@pytest.fixture
def upload(new_dag: Any, run_dag: Any, samples: Callable[[int], Any], file: Path) -> Upload:
    """Run a task that uploads so many samples: ``upload(5)``. Looking them up writes nothing: the opening has to."""

    def run(count: int) -> Any:
        with new_dag(f"_{count}", default_args={"retries": RETRIES, "retry_delay": timedelta(0)}) as dag:
            GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples(count), incremental=True)
        return run_dag(dag)

    return run


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Lock the ledger, as another's long transaction does."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def read_only(file: Path) -> Iterator[None]:
    """Let nobody write the ledger."""
    before = file.read_bytes()
    file.write_bytes(before[:WRITE_VERSION] + b"\xff" + before[WRITE_VERSION + 1 :])
    yield
    file.write_bytes(before)


@contextmanager
def missing(file: Path) -> Iterator[None]:
    """Take the ledger away from its secret."""
    away = file.rename(file.with_name("away"))
    yield
    away.rename(file)


@contextmanager
def truncated(file: Path) -> Iterator[None]:
    """Empty the file."""
    before = file.read_bytes()
    file.write_bytes(b"")
    yield
    file.write_bytes(before)


@contextmanager
def rows_deleted(file: Path) -> Iterator[None]:
    """Delete all that the tables hold."""
    before = file.read_bytes()
    with closing(sqlite3.connect(file)) as database, database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'userdata_%'").fetchall():
            database.execute(f"DELETE FROM {table}")
    yield
    file.write_bytes(before)


@contextmanager
def entries_deleted(file: Path) -> Iterator[None]:
    """Delete what was delivered, and nothing else."""
    before = file.read_bytes()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"DELETE FROM {schema.ENTRIES.name}")
    yield
    file.write_bytes(before)


@contextmanager
def secret_missing(file: Path) -> Iterator[None]:
    """Take the secret away from its ledger."""
    secret = file.with_suffix(".secret")
    away = secret.rename(secret.with_name("away"))
    yield
    assert not secret.exists()
    away.rename(secret)


@contextmanager
def replaced(file: Path) -> Iterator[None]:
    """Put another ledger in its place, with the same secret."""
    before, secret = file.read_bytes(), file.with_suffix(".secret").read_text().encode()
    file.unlink()
    other = SqlLedger(f"sqlite:///{file}", Stream("gerosense"), keyed=False, run="r", secret=secret)
    other.open()
    other.close()
    yield
    file.write_bytes(before)


@contextmanager
def connection_replaced(file: Path) -> Iterator[None]:
    """Name a connection, and empty the database that it leads to."""
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("AIRFLOW__USERDATA__LEDGER_CONN_ID", "ledgers")
        settings.setenv("AIRFLOW__USERDATA__LEDGER_SECRET", "a secret of one's own")
        database = file.with_name("shared.db")
        settings.setenv("AIRFLOW_CONN_LEDGERS", json.dumps({"conn_type": "sqlite", "host": str(database)}))
        first = ledger_settings.task_ledger(Stream("gerosense"), keyed=False, run="r")
        first.open()
        first.close()
        database.unlink()
        yield


@contextmanager
def folder_in_the_way(file: Path) -> Iterator[None]:
    """Put a folder where the ledger was."""
    away = file.rename(file.with_name("away"))
    file.mkdir()
    yield
    file.rmdir()
    away.rename(file)


@contextmanager
def file_for_a_folder(file: Path) -> Iterator[None]:
    """Put a file where the ledger's folder was."""
    away = file.parent.rename(file.parent.with_name("away"))
    file.parent.touch()
    yield
    file.parent.unlink()
    away.rename(file.parent)


@contextmanager
def folder_gone(file: Path) -> Iterator[None]:
    """Name a connection to a ledger whose folder isn't there."""
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("AIRFLOW__USERDATA__LEDGER_CONN_ID", "ledgers")
        settings.setenv("AIRFLOW__USERDATA__LEDGER_SECRET", "a secret of one's own")
        lost = {"conn_type": "sqlite", "host": str(file.with_name("gone") / file.name)}
        settings.setenv("AIRFLOW_CONN_LEDGERS", json.dumps(lost))
        yield


@contextmanager
def newer(file: Path) -> Iterator[None]:
    """Let a later version of this package have written the ledger."""
    _say_version(file, "9")
    yield
    _say_version(file, str(len(schema.STEPS)))


def _say_version(file: Path, version: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"UPDATE {schema.META.name} SET value = ? WHERE name = 'version'", (version,))


@contextmanager
def older_and_read_only(file: Path) -> Iterator[None]:
    """Let an earlier version of this package have written the ledger, which nobody can bring up to date."""
    with a_step_more(), read_only(file):
        yield


@contextmanager
def a_step_more() -> Iterator[None]:
    """Let this version of the package have a step that makes version 2 of the ledger's schema."""

    def step(connection: Connection) -> None:
        connection.exec_driver_sql(f"ALTER TABLE {schema.ENTRIES.name} ADD COLUMN toy integer DEFAULT 7")

    with pytest.MonkeyPatch.context() as package:
        package.setattr(schema.migrate, "__defaults__", ((*schema.STEPS, step),))
        yield


SAID: dict[Broken, tuple[str, int]] = {
    locked: (r"LedgerBusyError: the ledger \S+ledger\.db is locked", 1 + RETRIES),
    read_only: (r"LedgerError: the ledger \S+ledger\.db is read-only", 1),
    older_and_read_only: (r"LedgerError: the ledger \S+ledger\.db is read-only", 1),
    missing: (r"LedgerError: the ledger \S+ledger\.db is missing", 1),
    truncated: (r"LedgerError: the ledger at \S+ledger\.db is empty, though tasks have used it before", 1),
    rows_deleted: (r"LedgerError: the ledger at \S+ledger\.db is empty, though tasks have used it before", 1),
    entries_deleted: (r"LedgerError: the ledger at \S+ledger\.db was emptied: userdata_ledger_entries", 1),
    secret_missing: (r"LedgerError: the ledger's secret \S+ledger\.secret is missing", 1),
    replaced: (r"LedgerError: the ledger at \S+ledger\.db isn't the one that tasks on this machine have used", 1),
    connection_replaced: (r"LedgerError: the ledger at connection 'ledgers' is empty, though", 1),
    newer: (r"LedgerError: the ledger at \S+ledger\.db has schema version 9", 1),
    folder_in_the_way: (r"LedgerError: the ledger \S+ledger\.db can't be opened", 1),
    file_for_a_folder: (r"LedgerError: the ledger \S+ledger\.db can't be created", 1),
    folder_gone: (r"LedgerError: the ledger connection 'ledgers' can't be opened: its folder must exist", 1),
}
"""What the log says, and how many attempts there are: more than one where a retry may help."""


@pytest.mark.parametrize("broken", SAID)
def test_nothing_is_sent(
    broken: Broken, upload: Upload, file: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """And when the ledger is back, what it lacks is sent."""
    assert upload(5).xcom("upload")["delivered"] == 5
    before = sandbox.gerosense.counts
    said, attempts = SAID[broken]
    capsys.readouterr()
    with broken(file):
        run = upload(8)
    assert (run.states("upload"), run.tries("upload")) == (["failed"], [attempts])
    assert re.search(said, capsys.readouterr().out)
    assert sandbox.gerosense.counts == before
    report = upload(8).xcom("upload")
    assert (report["delivered"], report["unchanged"]) == (3, 5)


def test_an_older_ledger_is_brought_up_to_date(upload: Upload, file: Path, sandbox: Sandbox) -> None:
    """By the first task after an upgrade; what it says stays, and only what it lacks is sent."""
    upload(5)
    with a_step_more():
        reports = [upload(count).xcom("upload") for count in (8, 8)]
    assert [(report["delivered"], report["unchanged"]) for report in reports] == [(3, 5), (0, 8)]
    assert sandbox.gerosense.counts.records == 8
    with create_engine(f"sqlite:///{file}").connect() as connection:
        assert schema.read_version(connection) == 1 + len(schema.STEPS)
        assert connection.exec_driver_sql(f"SELECT toy FROM {schema.ENTRIES.name}").scalars().all() == [7] * 8
