"""Commands for a ledger: list, export, forget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import URL, Engine
from sqlalchemy.sql.expression import ColumnElement

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.fingerprints import KEY_SIZE, USER_SIZE, Fingerprints
from airflow_provider_userdata.ledger.database import Database
from airflow_provider_userdata.ledger.expiry import STEP, remove_before
from airflow_provider_userdata.ledger.identity import check_secret, check_whole, note_removed
from airflow_provider_userdata.ledger.schema import ENTRIES, RUNS, STEPS, STREAMS, read_version
from airflow_provider_userdata.ledger.stream import Stream

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """A stream, as the commands show it.

    :param id: its number, which commands take.
    :param owner: the fingerprint of the stream's one user, or empty.
    :param keyed: whether its entries are users' states; else they are delivered records.
    :param first: the day of the oldest entry; None if there are no entries.
    :param last: the day of the newest entry.
    :param used: when a run last opened the stream.
    """

    id: int
    vendor: str
    address: str
    kind: str
    owner: str
    name: str
    keyed: bool
    entries: int
    first: date | None
    last: date | None
    used: datetime


@contextmanager
def open_admin(database: Engine | URL | str, place: str | None = None) -> Iterator[LedgerAdmin]:
    """Open a ledger for commands, and close it at the end.

    :param database: an SQLAlchemy engine or URL.
    :param place: what messages call the ledger. Default: its URL, without a user or password.
    :raises LedgerError: if there is no ledger, one of another version, or one that was emptied.
    :raises LedgerBusyError: if it is locked, or its database can't be reached.
    """
    closed = Database(database, place)
    if closed.file is not None and not Path(closed.file).exists():
        raise LedgerError(f"there is no ledger at {closed.place} yet: a task with incremental=True begins it")
    with closed.connected() as opened:
        _check_version(opened)
        yield LedgerAdmin(opened)


class LedgerAdmin:
    """A ledger, for commands.

    :param database: connected, with tables of this version.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def place(self) -> str:
        """What messages call the ledger."""
        return self._database.place

    def streams(self) -> list[StreamSummary]:
        """Return all streams, with the number and the days of their entries."""
        entries = (
            select(
                ENTRIES.c.stream,
                func.count().label("entries"),
                func.min(ENTRIES.c.day).label("first"),
                func.max(ENTRIES.c.day).label("last"),
            )
            .group_by(ENTRIES.c.stream)
            .subquery()
        )
        joined = STREAMS.outerjoin(entries, entries.c.stream == STREAMS.c.id)
        statement = select(STREAMS, entries.c.entries, entries.c.first, entries.c.last).select_from(joined)
        with self._database.reading() as connection:
            return [_summary(row) for row in connection.execute(statement.order_by(STREAMS.c.id))]

    def forget_stream(self, stream: int) -> int:
        """Forget a stream, by its number, so that all of it is sent again; return the number of its entries."""
        # The stream first: a run that uses it then stops, instead of writing entries that nobody can find.
        with self._database.writing() as connection:
            connection.execute(delete(RUNS).where(RUNS.c.stream == stream))
            connection.execute(delete(STREAMS).where(STREAMS.c.id == stream))
            note_removed(connection, STREAMS)
        return remove_before(self._database, stream, since=2**31 - 1)

    def forget_user(self, user: str, secret: bytes, streams: Sequence[StreamSummary]) -> int:
        """Forget a user (right to erasure); return the number of removed entries.

        A run that sends the user at the same time may enter them again: call this when no run does.

        :param user: the user's id or label, as the vendor knows it.
        :param secret: the ledger's secret.
        :param streams: the streams to look through.
        :raises LedgerError: if the secret is not the ledger's.
        """
        fingerprints = Fingerprints(secret)
        key = fingerprints.of_all_users([user])
        forgotten = 0
        with self._database.reading() as connection:
            check_secret(connection, self._database.place, fingerprints)
            self._database.entries.begin_erasing(connection)
        for stream in streams:
            if stream.owner == key.hex():
                forgotten += self.forget_stream(stream.id)
                continue
            of_user = ENTRIES.c.key == key if stream.keyed else _begins_with(key[:USER_SIZE])
            with self._database.writing() as connection:
                gone = connection.execute(delete(ENTRIES).where(ENTRIES.c.stream == stream.id, of_user))
                note_removed(connection, ENTRIES)
            forgotten += gone.rowcount
        with self._database.reading() as connection:
            self._database.entries.end_erasing(connection)
        return forgotten

    def adopt(self, stream: StreamSummary, name: str, secret: bytes) -> None:
        """Give a stream a name, so that tasks with this `ledger_stream` go on with it. Its entries stay.

        Tasks that have no `ledger_stream` no longer find it: they would begin anew. Call this when no run uses it.

        :param secret: the ledger's secret.
        :raises LedgerError: if the vendor has a stream of this name already, or the secret is not the ledger's.
        """
        fingerprints = Fingerprints(secret)
        row = Stream(stream.vendor, name=name).row(fingerprints)
        with self._database.writing() as connection:
            check_secret(connection, self._database.place, fingerprints)
            other = connection.execute(select(STREAMS.c.id).where(STREAMS.c.identity == row["identity"])).scalar()
            if other is not None:
                raise LedgerError(f"the ledger has a stream {name!r} of {stream.vendor} already: number {other}")
            changed = {key: row[key] for key in ("identity", "name", "owner")}
            connection.execute(update(STREAMS).where(STREAMS.c.id == stream.id).values(**changed))

    def find_user(
        self, user: str, secret: bytes, streams: Sequence[StreamSummary], *, in_doubt: bool = False
    ) -> list[tuple[StreamSummary, int, date]]:
        """Return the streams that know deliveries of a user, each with their number and the day of the last one.

        :param user: the user's id or label, as the vendor knows it.
        :param secret: the ledger's secret.
        :param streams: the streams to look through.
        :param in_doubt: whether an entry counts, too, of which nobody knows whether it was delivered.
        :raises LedgerError: if the secret is not the ledger's.
        """
        fingerprints = Fingerprints(secret)
        key = fingerprints.of_all_users([user])
        found: list[tuple[StreamSummary, int, date]] = []
        with self._database.reading() as connection:
            check_secret(connection, self._database.place, fingerprints)
            for stream in streams:
                wanted = [ENTRIES.c.stream == stream.id]
                if stream.keyed:
                    wanted.append(ENTRIES.c.key == key)
                    wanted += [] if in_doubt else [ENTRIES.c.fingerprint.is_not(None)]
                elif stream.owner != key.hex():
                    wanted.append(_begins_with(key[:USER_SIZE]))
                known = select(func.count(), func.max(ENTRIES.c.day)).where(*wanted)
                count, last = connection.execute(known).one()
                if count:
                    found.append((stream, count, _EPOCH + timedelta(last)))
        return found

    def export(self, streams: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Yield the entries of streams: `stream`, `key` and `fingerprint` in hexadecimal digits, `day`."""
        for stream in streams:
            after: bytes | None = b""
            while after is not None:
                of = (ENTRIES.c.stream == stream) & (ENTRIES.c.key > after)
                with self._database.reading() as connection:
                    rows = connection.execute(select(ENTRIES).where(of).order_by(ENTRIES.c.key).limit(STEP)).all()
                yield from map(_line, rows)
                after = rows[-1].key if len(rows) == STEP else None

    def expire(self, days: int, today: date, streams: Sequence[int]) -> int:
        """Remove entries that are older than `days` days; return their number."""
        since = (today - _EPOCH).days - days
        return sum(remove_before(self._database, stream, since) for stream in streams)


def _check_version(database: Database) -> None:
    with database.reading() as connection:
        version = read_version(connection)
        if version != len(STEPS):
            raise LedgerError(
                f"the ledger at {database.place} has schema version {version}, and the commands of this version "
                f"of the package know {len(STEPS)}; an older one is brought up to date by the next task that opens it"
            )
        check_whole(connection, database.place)


def _begins_with(part: bytes) -> ColumnElement[bool]:
    rest = KEY_SIZE - len(part)
    return ENTRIES.c.key.between(part + bytes(rest), part + b"\xff" * rest)


def _summary(row: Any) -> StreamSummary:
    return StreamSummary(
        id=row.id,
        vendor=row.vendor,
        address=row.address,
        kind=row.kind,
        owner=row.owner,
        name=row.name,
        keyed=bool(row.keyed),
        entries=row.entries or 0,
        first=_day(row.first),
        last=_day(row.last),
        used=datetime.fromtimestamp(row.used, UTC),
    )


def _line(row: Any) -> dict[str, Any]:
    fingerprint = None if row.fingerprint is None else bytes(row.fingerprint).hex()
    day = _EPOCH + timedelta(row.day)
    return {"stream": row.stream, "key": bytes(row.key).hex(), "fingerprint": fingerprint, "day": day.isoformat()}


def _day(number: int | None) -> date | None:
    return None if number is None else _EPOCH + timedelta(number)
