"""A connection to a ledger's database, and the meaning of its errors."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from airflow_provider_userdata.errors import LedgerBusyError, LedgerError
from airflow_provider_userdata.ledger.portable import Entries, MysqlEntries
from airflow_provider_userdata.ledger.postgresql import PostgresqlEntries
from airflow_provider_userdata.ledger.sqlite import SqliteEntries

_SQLSTATES_THAT_STAY = ("25006", "28", "3D", "3F", "42")
"""First characters of states that a retry can't change: read-only, no such user, database or schema, no rights."""
_SQLSTATES_OF_A_RACE = {"42P07", "42710", "42S01"}
"""A table, or its type, exists already: another run has just created it."""

_WAYS_OUT = "check [userdata] ledger_conn_id and the connection's rights"


class Database:
    """A ledger's database: one connection, for one thread at a time.

    :param database: an SQLAlchemy engine or URL.
    :param place: what messages call the database. Default: its URL, without a user or password.
    :param busy_timeout: seconds to wait for locks of others. Default: 30.
    """

    def __init__(self, database: Engine | URL | str, place: str | None = None, busy_timeout: float = 30.0) -> None:
        try:
            self._engine = database if isinstance(database, Engine) else _engine(make_url(database))
        except (SQLAlchemyError, ImportError) as error:
            raise LedgerError(
                f"the ledger at {place or 'the given URL'} can't be used: {type(error).__name__}; "
                "is the URL right, and the database's driver installed?"
            ) from None
        url = self._engine.url
        address = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
        self.place = place or str(address)
        self._busy_timeout = busy_timeout
        self.entries = _entries(self._engine.dialect.name)
        self._connection: Connection | None = None
        # A cancelled delivery may leave a statement running, and closing SQLite's client meanwhile would crash it.
        self._in_use = threading.RLock()

    @property
    def file(self) -> str | None:
        """The database's file in SQLite; None elsewhere."""
        url = self._engine.url
        return url.database if url.get_backend_name() == "sqlite" else None

    def connect(self, *, durable: bool) -> None:
        """Connect.

        :param durable: whether a commit must survive a power cut.
        :raises LedgerError: if the place is wrong.
        :raises LedgerBusyError: if the database can't be reached, or is locked.
        """
        with self._in_use, self._errors():
            self._connection = self._engine.connect()
            if self.entries.isolation:
                self._connection.execution_options(isolation_level=self.entries.isolation)
            self.entries.prepare(self._connection, durable=durable, busy_timeout=self._busy_timeout)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield the connection, to read what is committed."""
        with self._in_use, self._errors(), self._opened().begin():
            yield self._opened()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield the connection in a transaction, which is committed at the end."""
        with self._in_use, self._errors(), self._opened().begin():
            self.entries.begin(self._opened())
            yield self._opened()

    @contextmanager
    def connected(self) -> Iterator[Database]:
        """Connect, so that a commit survives a power cut, and disconnect at the end."""
        self.connect(durable=True)
        try:
            yield self
        finally:
            self.close()

    def close(self) -> None:
        """Disconnect as soon as no statement is running."""
        with self._in_use:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _opened(self) -> Connection:
        if self._connection is None:
            raise LedgerError(f"the ledger at {self.place} is not open")
        return self._connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _meaning(error, self.place) from None
        except SQLAlchemyError as error:
            raise LedgerError(f"the ledger at {self.place} can't be used: {type(error).__name__}") from None


def engine_options(backend: str) -> dict[str, Any]:
    """Return the options of a ledger's engine.

    :param backend: the database's kind, as in URLs without a driver: `sqlite` needs another option.
    """
    # Without `future`, engines of SQLAlchemy 1.4 commit each statement.
    options: dict[str, Any] = {"poolclass": NullPool, "hide_parameters": True, "future": True}
    if backend == "sqlite":  # its client binds a connection to one thread by default; `Database` has a lock instead
        options["connect_args"] = {"check_same_thread": False}
    return options


def _engine(url: URL) -> Engine:
    return create_engine(url, **engine_options(url.get_backend_name()))


def _entries(dialect: str) -> Entries:
    known = {"sqlite": SqliteEntries, "postgresql": PostgresqlEntries, "mysql": MysqlEntries, "mariadb": MysqlEntries}
    return known.get(dialect, Entries)()


def _meaning(error: DBAPIError, place: str) -> LedgerError | LedgerBusyError:
    """Return an error without the database's own text, which may quote the address or a value."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause, place)
    state = str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")
    name = type(cause).__name__ + (f", SQLSTATE {state}" if state else "")
    if state.startswith(_SQLSTATES_THAT_STAY) and state not in _SQLSTATES_OF_A_RACE:
        return LedgerError(f"the ledger at {place} can't be used ({name}): {_WAYS_OUT}")
    return LedgerBusyError(
        f"the ledger at {place} is locked by others or can't be reached ({name}): a retry may help; if not, {_WAYS_OUT}"
    )


def _of_sqlite(cause: sqlite3.Error, place: str) -> LedgerError | LedgerBusyError:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerBusyError(
            f"the ledger {place} is locked: another run or a command is writing it; a retry may help"
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return LedgerBusyError(f"the ledger {place} can't be written: is its disk full? ({_name(cause)})")
    if code == sqlite3.SQLITE_READONLY:
        return LedgerError(f"the ledger {place} is read-only: let this user write the file and its folder")
    if code == sqlite3.SQLITE_CANTOPEN:
        return LedgerError(f"the ledger {place} can't be opened: its folder must exist, and this user must write there")
    return LedgerError(f"the ledger {place} can't be used ({_name(cause)}): is it a file that a ledger wrote?")


def _name(cause: sqlite3.Error) -> str:
    return str(getattr(cause, "sqlite_errorname", type(cause).__name__))
