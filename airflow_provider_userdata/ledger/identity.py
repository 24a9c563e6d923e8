"""Tells a ledger that was emptied or replaced from one that is new: begun without a word, it has all sent again."""

from __future__ import annotations

import contextlib
import re
import secrets
from pathlib import Path

from sqlalchemy import Table, insert, inspect, select
from sqlalchemy.engine import Connection

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.ledger.schema import ENTRIES, IDENTITY, META, OWN_STREAM, RUNS, STREAMS

WAYS_OUT = (
    "put it back, or say that a new one is meant, and all is sent again: `airflow userdata ledger begin` (before "
    "Airflow 3: `python -m airflow_provider_userdata.cli ledger begin`)"
)
_DELIBERATE = "deliberate"
_PRIVATE = 0o600


class Witness:
    """A small file on this machine that names the ledger which tasks here used last.

    :param path: where it is; its folder is made with it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def seen(self) -> str | None:
        """Return the ledger's identity; None where none was used yet, or the file can't be read."""
        with contextlib.suppress(OSError, UnicodeError):
            found = re.fullmatch(r"([0-9a-f]{32})\n", self._path.read_text("ascii"))
            return found and found[1]
        return None

    def note(self, identity: str) -> None:
        """Write which ledger is used. Where that isn't possible, nothing is lost but the witness."""
        if self.seen() == identity:
            return
        part = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.touch(mode=_PRIVATE)
            part.write_text(f"{identity}\n", "ascii")
            part.replace(self._path)


def say_deliberate(connection: Connection) -> None:
    """Note that somebody said that this ledger is meant, so that all machines take it in place of another."""
    if _value(connection, _DELIBERATE) is None:
        connection.execute(insert(META).values(name=_DELIBERATE, value="1"))


def read_identity(connection: Connection) -> str | None:
    """Return the ledger's identity; None where it has none."""
    return _value(connection, IDENTITY)


def check_not_emptied(connection: Connection, place: str, seen: str | None) -> None:
    """See that a ledger without a version is new.

    :param seen: the identity of the ledger that was used before, or None.
    :raises LedgerError: if it isn't.
    """
    # Where tables are made within a transaction, tables without a version were emptied, and not begun only by half.
    made = connection.dialect.name in ("sqlite", "postgresql") and inspect(connection).has_table(META.name)
    if made or seen is not None:
        raise LedgerError(f"the ledger at {place} is empty, though tasks have used it before: {WAYS_OUT}")


def check_whole(connection: Connection, place: str) -> None:
    """See that nobody has emptied one of the ledger's tables.

    :raises LedgerError: if somebody has.
    """
    for table in (META, STREAMS, ENTRIES, RUNS):
        if not inspect(connection).has_table(table.name) or not _has_mark(connection, table):
            raise LedgerError(f"the ledger at {place} was emptied: {table.name} has lost its rows; {WAYS_OUT}")


def check_same(connection: Connection, place: str, seen: str | None) -> None:
    """See that a ledger is the one that was used before, or is meant to be in its place.

    :raises LedgerError: if it isn't.
    """
    same = seen is None or seen == read_identity(connection)
    if not same and _value(connection, _DELIBERATE) is None:
        raise LedgerError(
            f"the ledger at {place} isn't the one that tasks on this machine have used before, and what that one knew "
            f"as delivered would be sent again: {WAYS_OUT}"
        )


def _has_mark(connection: Connection, table: Table) -> bool:
    if table is META:
        return read_identity(connection) is not None
    own = table.c.id if table is STREAMS else table.c.stream
    return connection.execute(select(own).where(own == OWN_STREAM)).first() is not None


def _value(connection: Connection, name: str) -> str | None:
    value: str | None = connection.execute(select(META.c.value).where(META.c.name == name)).scalar()
    return value
