"""Removes old entries, in steps so small that others don't wait long."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from airflow_provider_userdata.ledger.database import Database
from airflow_provider_userdata.ledger.identity import note_removed
from airflow_provider_userdata.ledger.schema import ENTRIES, STREAMS

STEP = 10_000
"""Entries removed in one transaction."""


def expire(database: Database, stream: int, since: int, today: int) -> None:
    """Remove a stream's entries of days before `since`, at most once a day: it reads the whole stream.

    :param today: days since 1970.
    """
    this = STREAMS.c.id == stream
    with database.reading() as connection:
        if connection.execute(select(STREAMS.c.expired).where(this)).scalar() == today:
            return
    remove_before(database, stream, since)
    with database.writing() as connection:
        connection.execute(update(STREAMS).where(this).values(expired=today))


def remove_before(database: Database, stream: int, since: int) -> int:
    """Remove a stream's entries of days before `since`; return their number."""
    removed = 0
    after: bytes | None = b""
    while after is not None:
        old = (ENTRIES.c.stream == stream) & (ENTRIES.c.key > after) & (ENTRIES.c.day < since)
        with database.writing() as connection:
            last = select(ENTRIES.c.key).where(old).order_by(ENTRIES.c.key).offset(STEP - 1).limit(1)
            after = connection.execute(last).scalar()
            step = old if after is None else old & (ENTRIES.c.key <= after)
            removed += connection.execute(delete(ENTRIES).where(step)).rowcount
            note_removed(connection, ENTRIES)
    return removed
