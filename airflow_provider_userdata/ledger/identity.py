"""Tells a new ledger from one that was emptied or replaced, or has another secret.

Any of these would silently cause everything to be sent again.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from pathlib import Path

from sqlalchemy import Table, exists, inspect, literal, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql.selectable import Exists

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger.schema import (
    ENTRIES,
    META,
    STREAMS,
    TABLES,
    migrate,
    read_value,
    read_version,
    write_value,
)

WAYS_OUT = (
    "put it back, or begin a new one, so that everything is sent again: `airflow userdata ledger begin` (before "
    "Airflow 3: `python -m airflow_provider_userdata ledger begin`)"
)
_IDENTITY = "identity"
_DELIBERATE = "deliberate"
_SECRET = "secret"  # noqa: S105  # the name of a row
_FILLED = {STREAMS: "holds streams", ENTRIES: "holds entries"}
"""Names of the notes that a table holds rows. A table with such a note and no rows was emptied."""


def _any_row(table: Table) -> Exists:
    return exists(select(literal(1)).select_from(table))


_NOTED = {
    (table, noted): update(META).where(
        META.c.name == name, META.c.value == noted, _any_row(table) if noted == "0" else ~_any_row(table)
    )
    for table, name in _FILLED.items()
    for noted in "01"
}
"""Statements that change a note which is no longer true."""


class Witness:
    """A small file on this machine that names the ledger that tasks here used last.

    :param path: the file; its folder is created with it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def seen(self) -> str | None:
        """Return the ledger's identity; None if no ledger was used yet, or the file can't be read."""
        with contextlib.suppress(OSError, UnicodeError):
            found = re.fullmatch(r"([0-9a-f]{32})\n", self._path.read_text("ascii"))
            return found and found[1]
        return None

    def note(self, identity: str) -> None:
        """Write which ledger is used. If that fails, only the witness is lost."""
        if self.seen() == identity:
            return
        part = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.touch(mode=0o600)
            part.write_text(f"{identity}\n", "ascii")
            part.replace(self._path)


def prepare(connection: Connection, place: str, fingerprints: Fingerprints, seen: str | None = None) -> str:
    """Create or update the schema, check that the ledger is the one used before, and return its identity.

    :param connection: in a transaction that keeps others from doing the same.
    :param place: what messages call the ledger.
    :param seen: the identity of the ledger that was used before, or None.
    :raises LedgerError: if a newer version of this package made it, it was written with another secret, or it was
        emptied or replaced.
    """
    if new := read_version(connection) == 0:
        # SQLite and PostgreSQL create tables in a transaction: tables without a version were emptied, not half made.
        made = connection.dialect.name in ("sqlite", "postgresql") and inspect(connection).has_table(META.name)
        if made or seen is not None:
            raise LedgerError(f"the ledger at {place} is empty, though tasks have used it before: {WAYS_OUT}")
    migrate(connection, place)
    if new:
        enter_secret(connection, fingerprints)
    check_whole(connection, place)
    check_secret(connection, place, fingerprints)
    identity = identify(connection)
    check_same(connection, place, seen)
    return identity


def identify(connection: Connection) -> str:
    """Return the ledger's identity; give it one, and the notes which of its tables hold rows, if it has none."""
    identity = read_value(connection, _IDENTITY)
    if identity is None:
        identity = secrets.token_hex(16)
        write_value(connection, _IDENTITY, identity)
        for table, name in _FILLED.items():
            write_value(connection, name, "1" if _holds_rows(connection, table) else "0")
    return identity


def enter_secret(connection: Connection, fingerprints: Fingerprints) -> None:
    """Write a check value of a new ledger's secret."""
    write_value(connection, _SECRET, fingerprints.check)


def note_filled(connection: Connection, table: Table) -> None:
    """Note that a table holds rows, in the transaction that writes them. Locks nothing if the note is there."""
    connection.execute(_NOTED[table, "0"].values(value="1"))


def note_removed(connection: Connection, table: Table) -> None:
    """Note that a table may hold no rows, in the transaction that removes them on purpose."""
    connection.execute(_NOTED[table, "1"].values(value="0"))


def say_deliberate(connection: Connection) -> None:
    """Note that this ledger was begun on purpose, so that all machines accept it in place of another."""
    if read_value(connection, _DELIBERATE) is None:
        write_value(connection, _DELIBERATE, "1")


def check_whole(connection: Connection, place: str) -> None:
    """Check that nobody has emptied the ledger's tables.

    :raises LedgerError: if somebody did.
    """
    for table in TABLES.tables.values():
        if not inspect(connection).has_table(table.name):
            raise LedgerError(f"the ledger at {place} was emptied: {table.name} is gone; {WAYS_OUT}")
    for table, name in _FILLED.items():
        if read_value(connection, name) == "1" and not _holds_rows(connection, table):
            raise LedgerError(f"the ledger at {place} was emptied: {table.name} has lost its rows; {WAYS_OUT}")


def check_secret(connection: Connection, place: str, fingerprints: Fingerprints) -> None:
    """Check that the ledger was written with the same secret.

    :raises LedgerError: if it was not.
    """
    if read_value(connection, _SECRET) != fingerprints.check:
        raise LedgerError(
            f"the ledger at {place} was written with another secret, so nothing in it can be found: set "
            "[userdata] ledger_secret to that secret, or name a new ledger (all is sent again)"
        )


def check_same(connection: Connection, place: str, seen: str | None) -> None:
    """Check that a ledger is the one that was used before, or was begun on purpose.

    :raises LedgerError: if it is neither.
    """
    same = seen is None or seen == read_value(connection, _IDENTITY)
    if not same and read_value(connection, _DELIBERATE) is None:
        raise LedgerError(
            f"the ledger at {place} isn't the one that tasks on this machine have used before; what that one marked "
            f"as delivered would be sent again: {WAYS_OUT}"
        )


def _holds_rows(connection: Connection, table: Table) -> bool:
    return bool(connection.execute(select(_any_row(table))).scalar())
