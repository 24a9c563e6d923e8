"""A new beginning, where somebody asks for one: of a ledger that was emptied, replaced, or lost its secret."""

from __future__ import annotations

import enum
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.engine import URL, Connection, Engine

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.ledger.database import Database
from airflow_provider_userdata.ledger.fingerprints import Fingerprints
from airflow_provider_userdata.ledger.identity import (
    Witness,
    check_same,
    check_whole,
    put_marks,
    read_identity,
    say_deliberate,
)
from airflow_provider_userdata.ledger.opening import check_secret, enter_secret
from airflow_provider_userdata.ledger.schema import (
    ENTRIES,
    META,
    RUNS,
    STREAMS,
    VERSION,
    drop_tables,
    make_tables,
    migrate,
    read_version,
)


class Found(enum.Enum):
    """What is there before a new beginning."""

    WHOLE = "whole"
    """The ledger that was used before, or a first one."""
    ANOTHER = "another"
    """A ledger, but not the one that was used before."""
    LOST = "lost"
    """Nothing, or what can't be used."""


def find(database: Engine | URL | str, place: str, secret: bytes, witness: Path) -> Found:
    """Tell what is there, and change nothing.

    :param database: an engine, or a URL of SQLAlchemy's.
    :param place: what messages call the ledger.
    :param secret: what it is keyed with.
    :param witness: the file of this machine that names the ledger which was used last.
    :raises LedgerError: if the place can't be used.
    :raises LedgerBusyError: if it is locked, or can't be reached.
    """
    ledger = Database(database, place)
    ledger.connect(durable=True)
    try:
        with ledger.reading() as connection:
            try:
                check_whole(connection, place)
                check_secret(connection, place, Fingerprints(secret))
            except LedgerError:
                return Found.LOST
            try:
                check_same(connection, place, Witness(witness).seen())
            except LedgerError:
                return Found.ANOTHER
            return Found.WHOLE
    finally:
        ledger.close()


def begin(database: Engine | URL | str, place: str, secret: bytes, witness: Path, *, keep: bool) -> None:
    """Begin a ledger on purpose, so that tasks take it in place of the one before.

    :param keep: whether what is there is taken as it is; otherwise it is forgotten.
    :raises LedgerError: if a newer version of this package made it, or the place can't be used.
    :raises LedgerBusyError: if it is locked, or can't be reached.
    """
    ledger = Database(database, place)
    ledger.connect(durable=True)
    try:
        with ledger.writing() as connection:
            ledger.entries.lock_opening(connection)
            if not keep:
                _forget_all(connection, place)
                enter_secret(connection, Fingerprints(secret))
            put_marks(connection)
            say_deliberate(connection)
            identity = read_identity(connection)
        with ledger.reading() as connection:
            ledger.entries.unlock_opening(connection)
        Witness(witness).note(str(identity))
    finally:
        ledger.close()


def _forget_all(connection: Connection, place: str) -> None:
    """Empty the tables, or make them. They aren't dropped: streams' numbers would be given again to other streams."""
    if read_version(connection) == 0:
        drop_tables(connection)  # of what version they are, nobody knows
    else:
        make_tables(connection)  # those that are gone
    migrate(connection, place)
    for table in (STREAMS, ENTRIES, RUNS):
        connection.execute(delete(table))
    connection.execute(delete(META).where(META.c.name != VERSION))
