"""The ledger's tables, and how they are created and updated.

Their names begin with `userdata_ledger_`, since the database may have other uses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, String, Table, inspect, select
from sqlalchemy.dialects.mysql import VARBINARY
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.fingerprints import KEY_SIZE

TOKEN_SIZE = 8
"""Bytes that name a run."""

VERSION = "version"
"""The name of the row with the schema's version."""

TABLES = MetaData()


def _bytes(size: int) -> TypeEngine[bytes]:
    """Return a type for a few bytes. MySQL needs another one than usual, since it can't index a BLOB as a key."""
    return LargeBinary(size).with_variant(VARBINARY(size), "mysql").with_variant(VARBINARY(size), "mariadb")


META = Table(
    "userdata_ledger_meta",
    TABLES,
    Column("name", String(32), primary_key=True),
    Column("value", String(255), nullable=False),
    comment="the schema's version; a check value of the secret",
)
STREAMS = Table(
    "userdata_ledger_streams",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("identity", String(32), nullable=False, unique=True),
    Column("vendor", String(64), nullable=False),
    Column("address", String(300), nullable=False),
    Column("kind", String(300), nullable=False),
    Column("owner", String(32), nullable=False, comment="fingerprint of the one user of all entries, or empty"),
    Column("name", String(300), nullable=False),
    Column("keyed", Boolean, nullable=False, comment="whether an entry is a user's state, or a delivered record"),
    Column("used", BigInteger, nullable=False, comment="when a run last opened it, seconds since 1970"),
    Column("expired", Integer, nullable=False, comment="the day on which old entries were last removed"),
    sqlite_autoincrement=True,
)
ENTRIES = Table(
    "userdata_ledger_entries",
    TABLES,
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("key", _bytes(KEY_SIZE), primary_key=True),
    Column("day", Integer, nullable=False, comment="of the delivery, or of the claim; days since 1970"),
    Column("fingerprint", _bytes(KEY_SIZE), comment="what the vendor is proven to have; NULL where nobody knows"),
    Column("claim", _bytes(TOKEN_SIZE), comment="the run that may say what the vendor has"),
    sqlite_with_rowid=False,
)
RUNS = Table(
    "userdata_ledger_runs",
    TABLES,
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("run", _bytes(TOKEN_SIZE), primary_key=True),
    Column("until", BigInteger, nullable=False, comment="when its claims end, seconds since 1970"),
)

Step = Callable[[Connection], None]

STEPS: Sequence[Step] = (TABLES.create_all,)
"""Each step makes a version from the one before. Never change a released step: add another."""


def migrate(connection: Connection, place: str, steps: Sequence[Step] = STEPS) -> None:
    """Create the schema, or update it.

    :param connection: in a transaction that keeps others from doing the same.
    :param place: what messages call the ledger.
    :raises LedgerError: if a newer version of this package made it.
    """
    version = read_version(connection)
    if version > len(steps):
        raise LedgerError(
            f"the ledger at {place} has schema version {version}, and this version of the package knows up to "
            f"{len(steps)}: upgrade airflow-provider-userdata here, or name another ledger"
        )
    for step in steps[version:]:
        step(connection)
    if version < len(steps):
        connection.execute(META.delete().where(META.c.name == VERSION))
        write_value(connection, VERSION, str(len(steps)))


def empty(connection: Connection, place: str) -> None:
    """Empty the tables, or create them. They are not dropped: other streams would get the old streams' numbers.

    :param place: what messages call the ledger.
    :raises LedgerError: if a newer version of this package made it.
    """
    if read_version(connection) == 0:
        TABLES.drop_all(connection)  # their version is unknown
    else:
        TABLES.create_all(connection)  # those that are missing
    migrate(connection, place)
    for table in (STREAMS, ENTRIES, RUNS):
        connection.execute(table.delete())
    connection.execute(META.delete().where(META.c.name != VERSION))


def read_version(connection: Connection) -> int:
    """Return the schema's version; 0 if there is none."""
    if not inspect(connection).has_table(META.name):
        return 0
    return int(read_value(connection, VERSION) or 0)


def read_value(connection: Connection, name: str) -> str | None:
    """Return what the ledger says of itself under a name; None if it says nothing."""
    value: str | None = connection.execute(select(META.c.value).where(META.c.name == name)).scalar()
    return value


def write_value(connection: Connection, name: str, value: str) -> None:
    """Write what the ledger says of itself under a name that is new."""
    connection.execute(META.insert().values(name=name, value=value))
