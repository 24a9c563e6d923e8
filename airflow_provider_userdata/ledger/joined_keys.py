"""A ledger's entries by one statement for each call, with one row of result.

The joined keys are one parameter, SQL cuts them up, and the indices come back as one text. `sqlite.py` and
`postgresql.py` say how their SQL does that.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection

from airflow_provider_userdata.fingerprints import KEY_SIZE
from airflow_provider_userdata.ledger.portable import CONTESTED, Entries
from airflow_provider_userdata.ledger.schema import ENTRIES

_T = ENTRIES.name
_ENTER = "ON CONFLICT (stream, key) DO UPDATE SET day = excluded.day"


class JoinedKeys(Entries):
    """Statements for a database whose SQL can cut up joined keys.

    :param numbers: SQL for rows of `n`, from 0 to `:count` - 1, with a condition that others can follow.
    :param piece: SQL for the n-th key or fingerprint of a parameter, whose name is left open.
    :param listed: SQL that lists values of `n` in one text, with commas.
    :param distinct: SQL that leaves out a key's repetitions, where a statement may enter it only once.
    """

    def __init__(self, numbers: str, piece: str, listed: str, distinct: str = "") -> None:
        key, fingerprint = piece.format("keys"), piece.format("fingerprints")
        # A subquery for each key: for a join, a planner without statistics may read the whole table.
        found = f"SELECT 1 FROM {_T} WHERE stream = :stream AND key = {key} AND day >= :since"
        indices = f"SELECT count(*), {listed} FROM {numbers} AND"
        wanted = f"(SELECT {distinct} {key} AS key FROM {numbers}) AS wanted WHERE true"
        self._missing = f"{indices} ({found}) IS NULL"
        self._changed = f"{indices} ({found} AND fingerprint = {fingerprint}) IS NULL"
        self._add = f"INSERT INTO {_T} AS entry (stream, key, day) SELECT :stream, key, :today FROM {wanted} {_ENTER}"
        self._claim = (
            f"INSERT INTO {_T} AS entry (stream, key, day, claim) SELECT :stream, key, :today, :run FROM {wanted} "
            f"{_ENTER}, fingerprint = NULL, "
            "claim = CASE WHEN :alone OR entry.claim IS NULL OR entry.claim = :run THEN :run ELSE :contested END"
        )
        self._confirm = (
            f"UPDATE {_T} AS entry SET fingerprint = proven.fingerprint, claim = NULL, day = :today "
            f"FROM (SELECT {key} AS key, {fingerprint} AS fingerprint FROM {numbers}) AS proven "
            "WHERE entry.stream = :stream AND entry.key = proven.key AND entry.claim = :run"
        )

    def missing(self, connection: Connection, stream: int, keys: bytes, since: int) -> list[int]:
        """Return the indices of the keys that are not there."""
        return self._indices(connection, self._missing, keys, stream=stream, since=since)

    def changed(self, connection: Connection, stream: int, keys: bytes, fingerprints: bytes, since: int) -> list[int]:
        """Return the indices of the keys that are not there with this fingerprint."""
        return self._indices(connection, self._changed, keys, fingerprints=fingerprints, stream=stream, since=since)

    def add(self, connection: Connection, stream: int, keys: bytes, today: int) -> None:
        """Enter keys as delivered."""
        self._execute(connection, self._add, keys, stream=stream, today=today)

    def claim(self, connection: Connection, stream: int, keys: bytes, run: bytes, today: int, *, alone: bool) -> None:
        """Claim keys for a run: from then on it is unknown what the vendor has."""
        values = {"today": today, "run": run, "alone": alone, "contested": CONTESTED}
        self._execute(connection, self._claim, keys, stream=stream, **values)

    def confirm(self, connection: Connection, stream: int, proven: dict[bytes, bytes], run: bytes, today: int) -> None:
        """Enter what the vendor is proven to have, if the run's claim still holds."""
        values = {"fingerprints": b"".join(proven.values()), "run": run, "today": today}
        self._execute(connection, self._confirm, b"".join(proven), stream=stream, **values)

    def _run(self, connection: Connection, statement: str, values: dict[str, Any]) -> Any:
        return connection.execute(text(statement), values)

    def _execute(self, connection: Connection, statement: str, keys: bytes, **values: Any) -> Any:
        return self._run(connection, statement, {**values, "keys": keys, "count": len(keys) // KEY_SIZE})

    def _indices(self, connection: Connection, statement: str, keys: bytes, **values: Any) -> list[int]:
        count, listed = self._execute(connection, statement, keys, **values).one()
        if count == len(keys) // KEY_SIZE:
            return list(range(count))
        return [int(index) for index in listed.split(",")] if count else []
