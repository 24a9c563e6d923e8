"""A ledger's entries in PostgreSQL: one statement a call, one row of result, as in SQLite."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.sql.expression import TextClause

from airflow_provider_userdata.ledger.fingerprints import KEY_SIZE
from airflow_provider_userdata.ledger.portable import CONTESTED, Claim, Entries
from airflow_provider_userdata.ledger.schema import ENTRIES

_OPENING = 0x75736572646174  # "userdat": a number that other users of the database won't lock by chance

_T = ENTRIES.name
_NUMBERS = "generate_series(0, CAST(:count AS integer) - 1) AS n"
_KEY = f"substring(CAST(:keys AS bytea) FROM n * {KEY_SIZE} + 1 FOR {KEY_SIZE})"
_FINGERPRINT = f"substring(CAST(:fingerprints AS bytea) FROM n * {KEY_SIZE} + 1 FOR {KEY_SIZE})"
# Asked as a value, key by key: as a join, a planner without statistics may read the whole table instead.
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
        if durable:  # whatever the server's or the role's default is: a claim is on the disk before it counts
            connection.exec_driver_sql("SET synchronous_commit = on")
        connection.commit()

    def lock_opening(self, connection: Connection) -> None:
        """Keep others from making the schema or a stream at the same time, to the end of the transaction."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_OPENING})")

    def missing(self, connection: Connection, stream: int, keys: bytes, since: int) -> list[int]:
        """Give the indices of the keys that are not there."""
        return _indices(connection, _MISSING, keys, {"stream": stream, "since": since})

    def changed(self, connection: Connection, stream: int, keys: bytes, fingerprints: bytes, since: int) -> list[int]:
        """Give the indices of the keys whose fingerprint is not what is there."""
        values = {"stream": stream, "fingerprints": fingerprints, "since": since}
        return _indices(connection, _CHANGED, keys, values)

    def add(self, connection: Connection, stream: int, keys: bytes, today: int) -> None:
        """Enter keys as delivered."""
        connection.execute(_ADD, {"stream": stream, "today": today, **_joined(keys)})

    def claim(self, connection: Connection, stream: int, keys: bytes, claim: Claim) -> None:
        """Make keys this run's, and what the vendor has unknown."""
        values = {"stream": stream, "today": claim.today, "run": claim.run, "alone": claim.alone}
        connection.execute(_CLAIM, {**values, "contested": CONTESTED, **_joined(keys)})

    def confirm(self, connection: Connection, stream: int, proven: dict[bytes, bytes], run: bytes, today: int) -> None:
        """Enter what the vendor is proven to have, where the claim is still the run's."""
        values = {"stream": stream, "fingerprints": b"".join(proven.values()), "run": run, "today": today}
        connection.execute(_CONFIRM, {**values, **_joined(b"".join(proven))})


def _joined(keys: bytes) -> dict[str, Any]:
    return {"keys": keys, "count": len(keys) // KEY_SIZE}


def _indices(connection: Connection, statement: TextClause, keys: bytes, values: dict[str, Any]) -> list[int]:
    count, listed = connection.execute(statement, {**values, **_joined(keys)}).one()
    return [int(index) for index in listed.split(",")] if count else []
