"""Checks before a ledger is used: the version of its schema, its secret, its identity."""

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
    """Create or update the schema, check that the ledger is the one used before, and return its identity.

    :param connection: in a transaction that keeps others from doing the same.
    :param place: what messages call the ledger.
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
    """Write a check value of a new ledger's secret."""
    connection.execute(insert(META).values(name=_SECRET, value=fingerprints.check))


def check_secret(connection: Connection, place: str, fingerprints: Fingerprints) -> None:
    """Check that the ledger was written with the same secret.

    :raises LedgerError: if it was not.
    """
    if _check_value(connection) != fingerprints.check:
        raise LedgerError(
            f"the ledger at {place} was written with another secret, so nothing in it can be found: set "
            "[userdata] ledger_secret to that secret, or name a new ledger (all is sent again)"
        )


def _check_value(connection: Connection) -> str | None:
    value: str | None = connection.execute(select(META.c.value).where(META.c.name == _SECRET)).scalar()
    return value
