"""What earlier runs of one stream delivered: look up, send, then mark."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import URL, Connection, Engine

from airflow_provider_userdata.errors import LedgerBusyError, LedgerError, UserdataError
from airflow_provider_userdata.fingerprints import KEY_SIZE, Fingerprints, split
from airflow_provider_userdata.ledger.database import Database
from airflow_provider_userdata.ledger.expiry import expire
from airflow_provider_userdata.ledger.identity import Witness, note_filled, prepare
from airflow_provider_userdata.ledger.schema import ENTRIES, RUNS, STREAMS, TOKEN_SIZE
from airflow_provider_userdata.ledger.sqlite import MOST_AT_ONCE
from airflow_provider_userdata.ledger.stream import Stream

DAY = 86_400
LEASE = 7200.0
"""Seconds after its last call in which a run that was never closed may still have something in flight."""

GRACE = 60.0
"""Seconds in which a closed run may still have something in flight: requests that it gave up."""

MOST_BEGINNINGS = 8
"""Up to this many partitions, a lookup first asks whether they hold any key."""


class SqlLedger:
    """A stream's entries in a SQL database. All methods block; use it from one thread at a time.

    One exception: of a stream of records, one thread may `sift` while another marks. Methods raise a `LedgerError` if
    something has to change first, and a `LedgerBusyError` if the ledger is locked or its database can't be reached.

    There are two kinds of streams. In a stream of *records*, an entry is there or not. In a stream of *states*
    (`keyed`), an entry is a user, and its fingerprint is what the vendor is proven to have of that user.

    Of states, `sift` claims what it returns, durably and before anything is sent: the fingerprint is then unknown, and
    only the run that claimed it can mark it. If another run that may have something in flight claimed it first, no run
    can, until one claims it alone. So the ledger never says A while the vendor has B. After a crash, or two runs at
    once, the state is unknown, and is sent again.

    :param database: an SQLAlchemy engine or URL.
    :param stream: the stream that the entries belong to.
    :param keyed: whether it is a stream of states, not of records.
    :param run: the run's name, the same in all its attempts.
    :param secret: keys the fingerprints.
    :param retention_days: days until an entry is forgotten. Default: never.
    :param place: what messages call the ledger. Default: its URL, without a user or password.
    :param busy_timeout: seconds to wait for locks of others. Default: 30.
    :param lease: seconds after its last call in which a crashed run may have something in flight. Must be longer than a
        run waits between lookup and sending. Default: two hours.
    :param witness: a file on this machine that names the ledger used last: one that was emptied or replaced is not
        taken for a new one. Default: none.
    :param now: returns the time, in seconds since 1970.
    """

    def __init__(
        self,
        database: Engine | URL | str,
        stream: Stream,
        *,
        keyed: bool,
        run: str,
        secret: bytes,
        retention_days: int | None = None,
        place: str | None = None,
        busy_timeout: float = 30.0,
        lease: float = LEASE,
        witness: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.fingerprints = Fingerprints(secret)
        self._database = Database(database, place, busy_timeout)
        self.place = self._database.place
        # Lookups of records have a connection of their own, and don't wait for marks.
        self._look_ups = self._database if keyed else Database(database, place, busy_timeout)
        self._stream = stream
        self._keyed = keyed
        self._run = hashlib.blake2b(run.encode(), digest_size=TOKEN_SIZE).digest()
        self._retention_days = retention_days
        self._lease = lease
        self._witness = None if witness is None else Witness(witness)
        self._now = now
        self._id = 0
        self._renew_at = 0.0

    def open(self) -> None:
        """Connect, create or update the schema, find the stream, check that it can be written, remove old entries.

        :raises LedgerError: if the place, the rights, the version or the secret is wrong, or the ledger was emptied or
            replaced.
        """
        self._database.connect(durable=self._keyed)
        try:
            self._begin()
            if self._retention_days is not None:
                expire(self._database, self._id, self._since(), self._today())
            if self._look_ups is not self._database:
                self._look_ups.connect(durable=False)
        except BaseException:
            self._disconnect()
            raise

    def sift(self, keys: bytes, fingerprints: bytes = b"", beginnings: Sequence[bytes] = ()) -> list[int]:
        """Return the indices of what to send, in order: what is not there, or is there with another fingerprint.

        Of states, it claims what it returns; such a key must not be sifted again before it is marked or given up. If a
        key occurs several times and is returned once, all its occurrences are returned.

        :param keys: `KEY_SIZE` bytes each, joined.
        :param fingerprints: as many, in a stream of states.
        :param beginnings: the first bytes of each partition's keys, if known: of a new partition, no key is looked up.
        """
        self._check(keys, fingerprints)
        chosen: list[int] = []
        for start, end in _pieces(keys):
            if self._keyed:
                indices = self._claim(keys[start:end], fingerprints[start:end])
            else:
                indices = self._missing(keys[start:end], beginnings)
            first = start // KEY_SIZE
            chosen += [first + index for index in indices] if first else indices
        return _with_repeats(keys, chosen) if self._keyed else chosen

    def mark_delivered(self, keys: bytes, fingerprints: bytes = b"") -> None:
        """Enter what was delivered, as an answer proves; committed when it returns.

        :param keys: `KEY_SIZE` bytes each, joined. Of states, the last occurrence of a key counts.
        :param fingerprints: as many, in a stream of states.
        """
        self._check(keys, fingerprints)
        entries = self._database.entries
        for start, end in _pieces(keys):
            with self._writing() as connection:
                if self._keyed:
                    proven = dict(zip(split(keys[start:end]), split(fingerprints[start:end]), strict=True))
                    entries.confirm(connection, self._id, proven, self._run, self._today())
                else:
                    entries.add(connection, self._id, keys[start:end], self._today())

    def close(self) -> None:
        """Disconnect. Claims that were not marked end `GRACE` later. Safe to call twice, and on a broken ledger."""
        with contextlib.suppress(UserdataError):
            if self._keyed and self._id:
                with self._database.writing() as connection:
                    self._register(connection, min(GRACE, self._lease))
        self._id = 0
        self._disconnect()

    def _disconnect(self) -> None:
        self._database.close()
        self._look_ups.close()

    def _begin(self, races: int = 5) -> None:
        entries = self._database.entries
        seen = self._witness.seen() if self._witness else None
        try:
            with self._database.writing() as connection:
                entries.lock_opening(connection)
                identity = prepare(connection, self.place, self.fingerprints, seen)
                self._id = self._find(connection)
                if self._keyed:
                    self._register(connection, self._lease)
            with self._database.reading() as connection:
                entries.unlock_opening(connection)
            if self._witness:
                self._witness.note(identity)
        except LedgerBusyError:
            if entries.locks_opening or races == 1:
                raise
            self._begin(races - 1)

    def _missing(self, keys: bytes, beginnings: Sequence[bytes]) -> list[int]:
        entries = self._look_ups.entries
        with self._look_ups.reading() as connection:
            if not entries.is_there(connection, self._id):
                raise self._gone()  # else everything would be sent again, until the first mark
            if 0 < len(beginnings) <= MOST_BEGINNINGS and not entries.any_begins(connection, self._id, beginnings):
                return list(range(len(keys) // KEY_SIZE))
            return entries.missing(connection, self._id, keys, self._since())

    def _claim(self, keys: bytes, fingerprints: bytes) -> list[int]:
        entries = self._database.entries
        with self._database.reading() as connection:
            chosen = entries.changed(connection, self._id, keys, fingerprints, self._since())
        # What is unchanged needs no lock. If another run changes the rest meanwhile, it does so before this claim.
        if chosen:
            wanted = b"".join([keys[index * KEY_SIZE : (index + 1) * KEY_SIZE] for index in chosen])
            with self._writing() as connection:
                alone = not entries.others(connection, self._id, self._run, int(self._now()))
                entries.claim(connection, self._id, wanted, self._run, self._today(), alone=alone)
        return chosen

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Yield a connection as the stream's only writer."""
        with self._database.writing() as connection:
            if not self._database.entries.lock(connection, self._id):
                raise self._gone()
            if self._keyed and self._now() > self._renew_at:
                self._register(connection, self._lease)
            yield connection
            note_filled(connection, ENTRIES)

    def _gone(self) -> LedgerBusyError:
        return LedgerBusyError(
            f"the ledger at {self.place}: its stream {str(self._stream)!r} was forgotten, or the ledger emptied, while "
            "this run used it; a retry finds out which, and begins a forgotten stream again"
        )

    def _find(self, connection: Connection) -> int:
        """Return the stream's number; create the stream if needed."""
        stream, used = self._stream.row(self.fingerprints), int(self._now())
        this = STREAMS.c.identity == stream["identity"]
        if connection.execute(update(STREAMS).where(this).values(used=used)).rowcount == 0:
            connection.execute(insert(STREAMS).values(**stream, keyed=self._keyed, used=used, expired=0))
            note_filled(connection, STREAMS)
        found = connection.execute(select(STREAMS.c.id, STREAMS.c.keyed).where(this)).one()
        if bool(found.keyed) != self._keyed:
            raise LedgerError(
                f"the ledger at {self.place} has a stream {str(self._stream)!r} of another kind of records: "
                "give this one another name, or forget that one"
            )
        return int(found.id)

    def _register(self, connection: Connection, seconds: float) -> None:
        """Write until when this run may have something in flight, and remove the runs that no longer can."""
        now = self._now()
        self._renew_at = now + self._lease / 10
        gone = (RUNS.c.stream == self._id) & ((RUNS.c.run == self._run) | (RUNS.c.until <= int(now)))
        connection.execute(delete(RUNS).where(gone))
        connection.execute(insert(RUNS).values(stream=self._id, run=self._run, until=int(now + seconds) + 1))

    def _today(self) -> int:
        return int(self._now()) // DAY

    def _since(self) -> int:
        return 0 if self._retention_days is None else self._today() - self._retention_days

    def _check(self, keys: bytes, fingerprints: bytes) -> None:
        if len(keys) % KEY_SIZE or len(fingerprints) != len(keys) * self._keyed:
            raise ValueError(
                f"keys have {KEY_SIZE} bytes each, and so have fingerprints, which only a stream of states has"
            )


def _pieces(keys: bytes) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of the keys for each statement."""
    for start in range(0, len(keys), MOST_AT_ONCE * KEY_SIZE):
        yield start, min(start + MOST_AT_ONCE * KEY_SIZE, len(keys))


def _with_repeats(keys: bytes, chosen: list[int]) -> list[int]:
    """Add the other occurrences of chosen keys: a user's final state depends on all of them, in order."""
    if not 0 < len(chosen) < len(keys) // KEY_SIZE:
        return chosen
    every = split(keys)
    wanted = {every[index] for index in chosen}
    return [index for index, key in enumerate(every) if key in wanted]
