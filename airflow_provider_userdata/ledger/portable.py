"""A ledger's entries in any database, such as MySQL: plain SQL, with a few hundred keys in a statement.

`joined_keys.py` does the same with one statement for each call, and inherits what needn't be fast.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, or_, select, update
from sqlalchemy.engine import Connection

from airflow_provider_userdata.fingerprints import KEY_SIZE, split
from airflow_provider_userdata.ledger.schema import ENTRIES, RUNS, STREAMS, TOKEN_SIZE

CONTESTED = bytes(TOKEN_SIZE)
"""A claim of no run: several may have sent something, so none can say what the vendor has."""

_AT_ONCE = 500
"""Keys in one IN list."""

_LONGEST_OPENING = 60
"""Seconds to wait in MySQL for others that open the ledger."""

_OPENING = "userdata_ledger_opening"
_IS_THERE = select(STREAMS.c.id).where(STREAMS.c.id == bindparam("stream"))


class Entries:
    """Statements about a stream's entries. `since` is the first day that still counts; `run` is a run's token."""

    isolation: str | None = "READ COMMITTED"
    """What is read after waiting for a lock must be what the others committed, whatever the server's default is."""

    def prepare(self, connection: Connection, *, durable: bool, busy_timeout: float) -> None:
        """Set up a new connection."""

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that writes, if the database needs a statement for it."""

    def begin_erasing(self, connection: Connection) -> None:
        """Let what is deleted from now on leave nothing in the database's files, if it can be told to."""

    def end_erasing(self, connection: Connection) -> None:
        """Let what was deleted leave nothing in the database's log, if it can be told to. Not in a transaction."""

    locks_opening = False
    """Whether `lock_opening` does anything. If not, the run that loses a race tries again."""

    def lock_opening(self, connection: Connection) -> None:
        """Keep others from creating the schema or a stream, until the transaction ends."""

    def unlock_opening(self, connection: Connection) -> None:
        """End the lock, if the end of the transaction doesn't."""

    def lock(self, connection: Connection, stream: int) -> bool:
        """Keep others from writing a stream, until the transaction ends; return whether the stream still exists.

        With one writer for each stream, two runs never deadlock on each other's entries.
        """
        found = connection.execute(select(STREAMS.c.id).where(STREAMS.c.id == stream).with_for_update())
        return found.scalar() is not None

    def is_there(self, connection: Connection, stream: int) -> bool:
        """Return whether a stream still exists."""
        return connection.execute(_IS_THERE, {"stream": stream}).scalar() is not None

    def others(self, connection: Connection, stream: int, run: bytes, now: int) -> bool:
        """Return whether another run may have something in flight."""
        alive = select(func.count()).where(RUNS.c.stream == stream, RUNS.c.run != run, RUNS.c.until > now)
        return bool(connection.execute(alive).scalar())

    def any_begins(self, connection: Connection, stream: int, beginnings: Sequence[bytes]) -> bool:
        """Return whether any key begins with one of these bytes."""
        ranges = [(one.ljust(KEY_SIZE, b"\x00"), one.ljust(KEY_SIZE, b"\xff")) for one in beginnings]
        there = [exists().where(ENTRIES.c.stream == stream, ENTRIES.c.key.between(*each)) for each in ranges]
        return bool(connection.execute(select(or_(*there))).scalar())

    def missing(self, connection: Connection, stream: int, keys: bytes, since: int) -> list[int]:
        """Return the indices of the keys that are not there."""
        wanted = split(keys)
        there = {row.key for row in self._rows(connection, stream, wanted) if row.day >= since}
        return [index for index, key in enumerate(wanted) if key not in there]

    def changed(self, connection: Connection, stream: int, keys: bytes, fingerprints: bytes, since: int) -> list[int]:
        """Return the indices of the keys that are not there with this fingerprint."""
        wanted = split(keys)
        there = {bytes(row.key): row.fingerprint for row in self._rows(connection, stream, wanted) if row.day >= since}
        pairs = zip(wanted, split(fingerprints), strict=True)
        return [index for index, (key, fingerprint) in enumerate(pairs) if there.get(key) != fingerprint]

    def add(self, connection: Connection, stream: int, keys: bytes, today: int) -> None:
        """Enter keys as delivered."""
        wanted = dict.fromkeys(split(keys))
        there = {bytes(row.key) for row in self._rows(connection, stream, list(wanted))}
        _enter(connection, stream, {key: {"day": today} for key in wanted}, there)

    def claim(self, connection: Connection, stream: int, keys: bytes, run: bytes, today: int, *, alone: bool) -> None:
        """Claim keys for a run: from then on it is unknown what the vendor has.

        :param alone: whether no other run of the stream can have anything in flight.
        """
        wanted = dict.fromkeys(split(keys))
        there = {bytes(row.key): row.claim for row in self._rows(connection, stream, list(wanted))}
        claims = {key: run if alone or there.get(key) in (None, run) else CONTESTED for key in wanted}
        values = {key: {"day": today, "fingerprint": None, "claim": claim} for key, claim in claims.items()}
        _enter(connection, stream, values, there)

    def confirm(self, connection: Connection, stream: int, proven: dict[bytes, bytes], run: bytes, today: int) -> None:
        """Enter what the vendor is proven to have, if the run's claim still holds.

        :param proven: key to fingerprint.
        """
        statement = (
            update(ENTRIES)
            .where(ENTRIES.c.stream == stream, ENTRIES.c.key == bindparam("_key"), ENTRIES.c.claim == run)
            .values(fingerprint=bindparam("_fingerprint"), claim=None, day=today)
        )
        values = [{"_key": key, "_fingerprint": fingerprint} for key, fingerprint in proven.items()]
        connection.execute(statement, values)

    def adopt(
        self, connection: Connection, stream: int, found: Mapping[bytes, tuple[bytes | None, int]], *, keyed: bool
    ) -> int:
        """Enter what a finished run delivered, unless something newer is there; return how many entries changed.

        :param found: key to fingerprint and day.
        :param keyed: whether the stream holds states.
        """
        there = {bytes(row.key): row for row in self._rows(connection, stream, list(found))}
        values: dict[bytes, dict[str, Any]] = {}
        for key, (fingerprint, day) in found.items():
            row = there.get(key)
            if row is None or (keyed and row.day < day):
                values[key] = {"day": day, "fingerprint": fingerprint, "claim": None}
            elif keyed and row.day == day and row.fingerprint not in (None, fingerprint):
                values[key] = {"day": day, "fingerprint": None, "claim": None}
        _enter(connection, stream, values, there)
        return len(values)

    def _rows(self, connection: Connection, stream: int, keys: list[bytes]) -> Iterator[Any]:
        for start in range(0, len(keys), _AT_ONCE):
            some = ENTRIES.c.key.in_(keys[start : start + _AT_ONCE])
            yield from connection.execute(select(ENTRIES).where(and_(ENTRIES.c.stream == stream, some)))


class MysqlEntries(Entries):
    """Statements for MySQL and MariaDB. They commit at each `CREATE TABLE`, so they need a lock that outlasts it."""

    locks_opening = True

    def lock_opening(self, connection: Connection) -> None:
        """Keep others from creating the schema or a stream, until `unlock_opening`."""
        connection.execute(select(func.get_lock(_OPENING, _LONGEST_OPENING)))

    def unlock_opening(self, connection: Connection) -> None:
        """Let others open the ledger."""
        connection.execute(select(func.release_lock(_OPENING)))


def _enter(connection: Connection, stream: int, values: dict[bytes, dict[str, Any]], there: Collection[bytes]) -> None:
    """Enter values of keys: update those that are there, insert the others."""
    new = [{"stream": stream, "key": key, **value} for key, value in values.items() if key not in there]
    if new:
        connection.execute(ENTRIES.insert(), new)
    old = [{"_key": key, **value} for key, value in values.items() if key in there]
    if old:  # the values' names say which columns are set
        connection.execute(update(ENTRIES).where(ENTRIES.c.stream == stream, ENTRIES.c.key == bindparam("_key")), old)
