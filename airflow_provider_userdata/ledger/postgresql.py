"""A ledger's entries in PostgreSQL: one statement for each call, with one row of result, as in SQLite."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.sql.expression import TextClause

from airflow_provider_userdata.fingerprints import KEY_SIZE
from airflow_provider_userdata.ledger.portable import CONTESTED, Claim, Entries
from airflow_provider_userdata.ledger.schema import ENTRIES

_OPENING = 0x75736572646174  # "userdat": unlikely to be another application's lock

_T = ENTRIES.name
_NUMBERS = "generate_series(0, CAST(:count AS integer) - 1) AS n"
_KEY = f"substring(CAST(:keys AS bytea) FROM n * {KEY_SIZE} + 1 FOR {KEY_SIZE})"
_FINGERPRINT = f"substring(CAST(:fingerprints AS bytea) FROM n * {KEY_SIZE} + 1 FOR {KEY_SIZE})"
# A subquery for each key: for a join, a planner without statistics may read the whole table.
_FOUND = f"SELECT true FROM {_T} WHERE stream = :stream AND key = {_KEY} AND day >= :since"
_INDICES = f"SELECT count(*), string_agg(CAST(n AS text), ',' ORDER BY n) FROM {_NUMBERS} WHERE"

_MISSING = text(f"{_INDICES} ({_FOUND}) IS NULL")
_CHANGED = text(f"{_INDICES} ({_FOUND} AND fingerprint = {_FINGERPRINT}) IS NULL")
_WANTED = f"(SELECT DISTINCT {_KEY} AS key FROM {_NUMBERS}) AS wanted"
_ADD = text(
    f"INSERT INTO {_T} AS entry (stream, key, day) SELECT :stream, key, :today FROM {_WANTED} "
    "ON CONFLICT (stream, key) DO UPDATE SET day = excluded.day"
)
_CLAIM = text(
    f"INSERT INTO {_T} AS entry (stream, key, day, claim) SELECT :stream, key, :today, :run FROM {_WANTED} "
    "ON CONFLICT (stream, key) DO UPDATE SET day = excluded.day, fingerprint = NULL, "
    "claim = CASE WHEN :alone OR entry.claim IS NULL OR entry.claim = :run THEN :run ELSE :contested END"
)
_CONFIRM = text(
    f"UPDATE {_T} AS entry SET fingerprint = proven.fingerprint, claim = NULL, day = :today "
    f"FROM (SELECT {_KEY} AS key, {_FINGERPRINT} AS fingerprint FROM {_NUMBERS}) AS proven "
    "WHERE entry.stream = :stream AND entry.key = proven.key AND entry.claim = :run"
)


class PostgresqlEntries(Entries):
    """Statements for PostgreSQL."""

    locks_opening = True

    def prepare(self, connection: Connection, *, durable: bool, busy_timeout: float) -> None:
        """Set up a new connection."""
        connection.exec_driver_sql(f"SET lock_timeout = {max(1, int(busy_timeout * 1000))}")
        if durable:  # a claim must be on the disk before it counts, whatever the default is
            connection.exec_driver_sql("SET synchronous_commit = on")
        connection.commit()

    def lock_opening(self, connection: Connection) -> None:
        """Keep others from creating the schema or a stream, until the transaction ends."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_OPENING})")

    def missing(self, connection: Connection, stream: int, keys: bytes, since: int) -> list[int]:
        """Return the indices of the keys that are not there."""
        return _indices(connection, _MISSING, keys, {"stream": stream, "since": since})

    def changed(self, connection: Connection, stream: int, keys: bytes, fingerprints: bytes, since: int) -> list[int]:
        """Return the indices of the keys that are not there with this fingerprint."""
        values = {"stream": stream, "fingerprints": fingerprints, "since": since}
        return _indices(connection, _CHANGED, keys, values)

    def add(self, connection: Connection, stream: int, keys: bytes, today: int) -> None:
        """Enter keys as delivered."""
        connection.execute(_ADD, {"stream": stream, "today": today, **_joined(keys)})

    def claim(self, connection: Connection, stream: int, keys: bytes, claim: Claim) -> None:
        """Claim keys for a run: from then on it is unknown what the vendor has."""
        values = {"stream": stream, "today": claim.today, "run": claim.run, "alone": claim.alone}
        connection.execute(_CLAIM, {**values, "contested": CONTESTED, **_joined(keys)})

    def confirm(self, connection: Connection, stream: int, proven: dict[bytes, bytes], run: bytes, today: int) -> None:
        """Enter what the vendor is proven to have, if the run's claim still holds."""
        values = {"stream": stream, "fingerprints": b"".join(proven.values()), "run": run, "today": today}
        connection.execute(_CONFIRM, {**values, **_joined(b"".join(proven))})


def _joined(keys: bytes) -> dict[str, Any]:
    return {"keys": keys, "count": len(keys) // KEY_SIZE}


def _indices(connection: Connection, statement: TextClause, keys: bytes, values: dict[str, Any]) -> list[int]:
    count, listed = connection.execute(statement, {**values, **_joined(keys)}).one()
    return [int(index) for index in listed.split(",")] if count else []
