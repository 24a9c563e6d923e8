"""What has to hold before a ledger is used: its schema's version, and its secret."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.ledger.fingerprints import Fingerprints
from airflow_provider_userdata.ledger.schema import META, migrate

_SECRET = "secret"  # noqa: S105  # the name of a row


def prepare(connection: Connection, place: str, fingerprints: Fingerprints) -> None:
    """Make the schema or bring it up to date, and see that the ledger was written with the same secret.

    :param connection: within a transaction that keeps others from doing the same.
    :param place: the ledger's, for messages.
    :raises LedgerError: if a newer version of this package made it, or it was written with another secret.
    """
    migrate(connection, place)
    if _check_value(connection) is None:
        connection.execute(insert(META).values(name=_SECRET, value=fingerprints.check))
    check_secret(connection, place, fingerprints)


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
