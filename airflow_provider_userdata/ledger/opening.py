"""What has to hold before a ledger is used: its schema's version, and its secret."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.ledger.fingerprints import Fingerprints
from airflow_provider_userdata.ledger.identity import (
    check_not_emptied,
    check_same,
    check_whole,
    put_marks,
    read_identity,
)
from airflow_provider_userdata.ledger.schema import META, migrate, read_version

_SECRET = "secret"  # noqa: S105  # the name of a row


def prepare(connection: Connection, place: str, fingerprints: Fingerprints, seen: str | None = None) -> str:
    """Make the schema or bring it up to date, see that the ledger is the one that it was, and return its identity.

    :param connection: within a transaction that keeps others from doing the same.
    :param place: the ledger's, for messages.
    :param seen: the identity of the ledger that was used before, or None.
    :raises LedgerError: if a newer version of this package made it, it was written with another secret, or it was
        emptied or replaced.
    """
    if new := read_version(connection) == 0:
        check_not_emptied(connection, place, seen)
    migrate(connection, place)
    if new:
        enter_secret(connection, fingerprints)
    check_whole(connection, place)
    check_secret(connection, place, fingerprints)
    put_marks(connection)
    check_same(connection, place, seen)
    return str(read_identity(connection))


def enter_secret(connection: Connection, fingerprints: Fingerprints) -> None:
    """Note what a new ledger's secret is told by."""
    connection.execute(insert(META).values(name=_SECRET, value=fingerprints.check))


def check_secret(connection: Connection, place: str, fingerprints: Fingerprints) -> None:
    """See that the ledger was written with the same secret.

    :raises LedgerError: if not.
    """
    if _check_value(connection) != fingerprints.check:
        raise LedgerError(
            f"the ledger at {place} was written with another secret, by which nothing in it can be found: set "
            "[userdata] ledger_secret to the one it was written with, or name a new ledger (all is sent again)"
        )


def _check_value(connection: Connection) -> str | None:
    value: str | None = connection.execute(select(META.c.value).where(META.c.name == _SECRET)).scalar()
    return value
