"""A ledger's entries in SQLite.

Python's sqlite3 releases and takes the interpreter's lock at every step of a statement: with one row of result, a
thousand keys are looked up while other threads run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from airflow_provider_userdata.fingerprints import KEY_SIZE
from airflow_provider_userdata.ledger.joined_keys import JoinedKeys
from airflow_provider_userdata.ledger.schema import ENTRIES

MOST_AT_ONCE = 20_000
"""Most keys in one call; the ledger splits longer ones."""

_PIECE = f"substr(:{{}}, n * {KEY_SIZE} + 1, {KEY_SIZE})"
_BEGUN = (
    f"SELECT EXISTS (SELECT 1 FROM temp.numbers WHERE n < :count AND EXISTS (SELECT 1 FROM {ENTRIES.name} "
    f"WHERE stream = :stream AND key BETWEEN {_PIECE.format('keys')} AND {_PIECE.format('greatest')}))"
)


class SqliteEntries(JoinedKeys):
    """Statements for SQLite."""

    isolation = None  # SQLite has one writer at a time, and needs none
    locks_opening = True  # by `begin`

    def __init__(self) -> None:
        super().__init__(numbers="temp.numbers WHERE n < :count", piece=_PIECE, listed="group_concat(n)")

    def prepare(self, connection: Connection, *, durable: bool, busy_timeout: float) -> None:
        """Set up a new connection."""
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(busy_timeout * 1000)}")
        with contextlib.suppress(OperationalError):  # readers and a writer at once, where the file system allows it
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        # With NORMAL, a power cut may lose the last commits. A lost entry of a delivered record causes a resend; a lost
        # claim would leave a state in the ledger that the vendor no longer has, so claims are synced to the disk.
        connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        # 40 MB: a page that is written often is copied once.
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 10000")
        connection.exec_driver_sql("PRAGMA cache_size = -65536")  # KiB
        connection.exec_driver_sql("PRAGMA temp_store = MEMORY")
        connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(
            "INSERT OR IGNORE INTO temp.numbers WITH RECURSIVE count (n) AS "
            f"(SELECT 0 UNION ALL SELECT n + 1 FROM count WHERE n + 1 < {MOST_AT_ONCE}) SELECT n FROM count"
        )
        connection.commit()

    def begin(self, connection: Connection) -> None:
        """Lock before the first read: a transaction that has read can't wait for another writer."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def begin_erasing(self, connection: Connection) -> None:
        """Let what is deleted be overwritten with zeros."""
        connection.exec_driver_sql("PRAGMA secure_delete = ON")

    def end_erasing(self, connection: Connection) -> None:
        """Empty the log, unless others are reading it: then the last one that closes the ledger does."""
        with contextlib.suppress(OperationalError):
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def any_begins(self, connection: Connection, stream: int, beginnings: Sequence[bytes]) -> bool:
        """Return whether any key begins with one of these bytes."""
        least, greatest = (b"".join([one.ljust(KEY_SIZE, end) for one in beginnings]) for end in (b"\x00", b"\xff"))
        values = {"stream": stream, "keys": least, "greatest": greatest, "count": len(beginnings)}
        return bool(connection.exec_driver_sql(_BEGUN, values).scalar())

    def _run(self, connection: Connection, statement: str, values: dict[str, Any]) -> Any:
        return connection.exec_driver_sql(statement, values)  # binds a parameter once, however often it is named
