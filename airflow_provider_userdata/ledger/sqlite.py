"""A ledger's entries in SQLite: one statement for each call, with one row of result.

Python's sqlite3 releases and takes the interpreter's lock at every step of a statement. So the joined keys are one
parameter, SQL cuts them up, and the indices come back as one text: a thousand keys are looked up while other threads
run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from airflow_provider_userdata.fingerprints import KEY_SIZE
from airflow_provider_userdata.ledger.portable import CONTESTED, Claim, Entries
from airflow_provider_userdata.ledger.schema import ENTRIES

MOST_AT_ONCE = 20_000
"""Most keys in one call; the ledger splits longer ones."""

_T = ENTRIES.name
_KEY = f"substr(:keys, n * {KEY_SIZE} + 1, {KEY_SIZE})"
_FINGERPRINT = f"substr(:fingerprints, n * {KEY_SIZE} + 1, {KEY_SIZE})"
_FOUND = f"SELECT 1 FROM {_T} WHERE stream = :stream AND key = {_KEY} AND day >= :since"
_INDICES = "SELECT count(*), group_concat(n) FROM temp.numbers WHERE n < :count AND NOT EXISTS"

_BEGUN = (
    f"SELECT EXISTS (SELECT 1 FROM temp.numbers WHERE n < :count AND EXISTS (SELECT 1 FROM {_T} WHERE stream = :stream "
    f"AND key BETWEEN {_KEY} AND substr(:greatest, n * {KEY_SIZE} + 1, {KEY_SIZE})))"
)
_MISSING = f"{_INDICES} ({_FOUND})"
_CHANGED = f"{_INDICES} ({_FOUND} AND fingerprint = {_FINGERPRINT})"
_ADD = (
    f"INSERT INTO {_T} (stream, key, day) SELECT :stream, {_KEY}, :today FROM temp.numbers WHERE n < :count "
    "ON CONFLICT (stream, key) DO UPDATE SET day = excluded.day"
)
_CLAIM = (
    f"INSERT INTO {_T} (stream, key, day, claim) SELECT :stream, {_KEY}, :today, :run FROM temp.numbers "
    "WHERE n < :count ON CONFLICT (stream, key) DO UPDATE SET day = excluded.day, fingerprint = NULL, "
    "claim = CASE WHEN :alone OR claim IS NULL OR claim = :run THEN :run ELSE :contested END"
)
_CONFIRM = (
    f"UPDATE {_T} SET fingerprint = {_FINGERPRINT}, claim = NULL, day = :today "
    f"FROM (SELECT n FROM temp.numbers WHERE n < :count) "
    f"WHERE stream = :stream AND key = {_KEY} AND claim = :run"
)


class SqliteEntries(Entries):
    """Statements for SQLite."""

    isolation = None  # SQLite has one writer at a time, and needs none
    locks_opening = True  # by `begin`

    def prepare(self, connection: Connection, *, durable: bool, busy_timeout: float) -> None:
        """Set up a new connection."""
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(busy_timeout * 1000)}")
        with contextlib.suppress(OperationalError):  # readers and a writer at once, where the file system allows it
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        # With NORMAL, a power cut may lose the last commits. A lost entry of a delivered record causes a resend; a lost
        # claim would leave a state in the ledger that the vendor no longer has, so claims are synced to the disk.
        connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.exec_driver_sql(
            "PRAGMA wal_autocheckpoint = 10000"
        )  # 40 MB: a page that is written often is copied once
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

    def any_begins(self, connection: Connection, stream: int, beginnings: Sequence[bytes]) -> bool:
        """Return whether any key begins with one of these bytes."""
        least, greatest = (b"".join([one.ljust(KEY_SIZE, end) for one in beginnings]) for end in (b"\x00", b"\xff"))
        values = {"stream": stream, "keys": least, "greatest": greatest, "count": len(beginnings)}
        return bool(connection.exec_driver_sql(_BEGUN, values).scalar())

    def missing(self, connection: Connection, stream: int, keys: bytes, since: int) -> list[int]:
        """Return the indices of the keys that are not there."""
        return _indices(connection, _MISSING, keys, {"stream": stream, "since": since})

    def changed(self, connection: Connection, stream: int, keys: bytes, fingerprints: bytes, since: int) -> list[int]:
        """Return the indices of the keys that are not there with this fingerprint."""
        values = {"stream": stream, "fingerprints": fingerprints, "since": since}
        return _indices(connection, _CHANGED, keys, values)

    def add(self, connection: Connection, stream: int, keys: bytes, today: int) -> None:
        """Enter keys as delivered."""
        values = {"stream": stream, "keys": keys, "count": len(keys) // KEY_SIZE, "today": today}
        connection.exec_driver_sql(_ADD, values)

    def claim(self, connection: Connection, stream: int, keys: bytes, claim: Claim) -> None:
        """Claim keys for a run: from then on it is unknown what the vendor has."""
        values = {"stream": stream, "keys": keys, "count": len(keys) // KEY_SIZE, "today": claim.today}
        values |= {"run": claim.run, "alone": claim.alone, "contested": CONTESTED}
        connection.exec_driver_sql(_CLAIM, values)

    def confirm(self, connection: Connection, stream: int, proven: dict[bytes, bytes], run: bytes, today: int) -> None:
        """Enter what the vendor is proven to have, if the run's claim still holds."""
        values = {"stream": stream, "keys": b"".join(proven), "fingerprints": b"".join(proven.values())}
        connection.exec_driver_sql(_CONFIRM, values | {"count": len(proven), "run": run, "today": today})


def _indices(connection: Connection, statement: str, keys: bytes, values: dict[str, Any]) -> list[int]:
    total = len(keys) // KEY_SIZE
    count, listed = connection.exec_driver_sql(statement, {**values, "keys": keys, "count": total}).one()
    if count == total:
        return list(range(total))
    return [int(index) for index in listed.split(",")] if count else []
