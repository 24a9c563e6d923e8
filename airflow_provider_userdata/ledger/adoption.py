"""Collects what a finished run delivered, on the disk, until all of it is proven; then it is entered into a ledger."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import delete

from airflow_provider_userdata.errors import LedgerBusyError, UserdataError
from airflow_provider_userdata.fingerprints import split
from airflow_provider_userdata.ledger.ledger import SqlLedger
from airflow_provider_userdata.ledger.schema import RUNS

STEP = 20_000
"""Entries in one transaction of the ledger."""
_EPOCH = date(1970, 1, 1)
_TABLE = """CREATE TABLE found (
    key BLOB PRIMARY KEY, content BLOB, day INTEGER, proven INTEGER, doubtful INTEGER, several INTEGER
) WITHOUT ROWID"""
_ADD = """INSERT INTO found VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT (key) DO UPDATE SET
    several = several OR content IS NOT excluded.content,
    content = CASE WHEN excluded.proven THEN excluded.content ELSE content END,
    day = max(day, excluded.day),
    proven = proven OR excluded.proven,
    doubtful = doubtful OR excluded.doubtful"""
_VIEW = """CREATE VIEW known AS
    SELECT key, content, day, proven AND NOT (doubtful AND several) AS certain FROM found"""


class Entry(NamedTuple):
    """What the vendor has of a key.

    :param fingerprint: of a user's state; None if nobody knows what it is, and in a stream of records.
    :param day: of the delivery, in days since 1970.
    """

    key: bytes
    fingerprint: bytes | None
    day: int


class Collected:
    """What was delivered under each key, in the order of deliveries. Kept in a file that has no name."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # a temporary file: memory stays flat
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("PRAGMA cache_size = -65536")
        self._database.execute(_TABLE)
        self._database.execute(_VIEW)
        self._database.execute("BEGIN")

    def __enter__(self) -> Collected:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._database.close()

    def add(self, keys: bytes, fingerprints: bytes, day: date, *, proven: bool, in_doubt: bool) -> None:
        """Add deliveries.

        :param keys: joined.
        :param fingerprints: as many, of users' states; else empty.
        :param proven: whether they are proven.
        :param in_doubt: whether they may arrive once more, or may have arrived.
        """
        number = (day - _EPOCH).days
        every = split(keys)
        contents = split(fingerprints) if fingerprints else [b""] * len(every)
        rows = [(key, content, number, proven, in_doubt) for key, content in zip(every, contents, strict=True)]
        self._database.executemany(_ADD, rows)

    @property
    def certain(self) -> int:
        """How many keys are known: it is proven what the vendor has."""
        return int(self._database.execute("SELECT count(*) FROM known WHERE certain").fetchone()[0])

    @property
    def uncertain(self) -> int:
        """How many keys the vendor may have in another state than any that is proven."""
        return int(self._database.execute("SELECT count(*) FROM known WHERE NOT certain").fetchone()[0])

    def steps(self, *, keyed: bool) -> Iterator[list[Entry]]:
        """Yield the entries, in the order of their keys.

        :param keyed: whether they are users' states: one that is uncertain is entered as such. Of records, it is left.
        """
        rows = self._database.execute(
            "SELECT key, CASE WHEN certain AND ? THEN content END, day FROM known WHERE certain OR ? ORDER BY key",
            (keyed, keyed),
        )
        while some := rows.fetchmany(STEP):
            yield [Entry(*row) for row in some]


class AdoptingLedger(SqlLedger):
    """A ledger into which the deliveries of a finished run are entered."""

    def open(self) -> None:
        """Connect as a run does.

        :raises LedgerBusyError: also if another run of a stream of states may have something in flight: which of them
            was the last to send a user, nobody could tell.
        """
        super().open()
        if not self._keyed:
            return
        with self._database.reading() as connection:
            others = self._database.entries.others(connection, self._id, self._run, int(self._now()))
        if others:
            self.close()
            raise LedgerBusyError(
                f"a run uses the stream {str(self._stream)!r} of the ledger at {self.place}, or ended less than a "
                "minute ago: call this when none does (a run that crashed counts for two hours)"
            )

    def close(self) -> None:
        """Disconnect. Others needn't wait: nothing was in flight."""
        with contextlib.suppress(UserdataError):
            if self._keyed and self._id:
                own = (RUNS.c.stream == self._id) & (RUNS.c.run == self._run)
                with self._database.writing() as connection:
                    connection.execute(delete(RUNS).where(own))
        self._id = 0
        super().close()

    def enter(self, entries: Sequence[Entry]) -> int:
        """Enter deliveries, up to `STEP`; return how many the ledger didn't have, or only older ones.

        What a later day delivered stays. Of two states of a user on one day, nobody knows which was last: the user is
        sent once more.
        """
        found = {entry.key: (entry.fingerprint, entry.day) for entry in entries}
        with self._writing() as connection:
            return self._database.entries.adopt(connection, self._id, found, keyed=self._keyed)
