"""Tells a ledger that was emptied or replaced from one that is new: begun without a word, it has all sent again."""

from __future__ import annotations

import contextlib
import re
import secrets
from pathlib import Path

from sqlalchemy import Table, exists, insert, inspect, literal, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql.selectable import Exists

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.ledger.schema import ENTRIES, META, RUNS, STREAMS

WAYS_OUT = (
    "put it back, or say that a new one is meant, and all is sent again: `airflow userdata ledger begin` (before "
    "Airflow 3: `python -m airflow_provider_userdata.cli ledger begin`)"
)
_IDENTITY = "identity"
_DELIBERATE = "deliberate"
_FILLED = {STREAMS: "holds streams", ENTRIES: "holds entries"}
"""By whose names it is noted whether a table holds rows: a table that should, and is empty, was emptied."""
_PRIVATE = 0o600


def _any_row(table: Table) -> Exists:
    return exists(select(literal(1)).select_from(table))


_NOTED = {
    (table, noted): update(META).where(
        META.c.name == name, META.c.value == noted, _any_row(table) if noted == "0" else ~_any_row(table)
    )
    for table, name in _FILLED.items()
    for noted in "01"
}
"""Changes what is noted, where it is that and no longer true."""


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


def put_marks(connection: Connection) -> None:
    """Give a ledger that has none its identity, and the notes of which of its tables hold anything."""
    if read_identity(connection) is not None:
        return
    connection.execute(insert(META).values(name=_IDENTITY, value=secrets.token_hex(16)))
    for table, name in _FILLED.items():
        connection.execute(insert(META).values(name=name, value="1" if _holds_rows(connection, table) else "0"))


def note_filled(connection: Connection, table: Table) -> None:
    """Note that a table holds rows, in the transaction that writes some. Locks nothing where that is noted."""
    connection.execute(_NOTED[table, "0"].values(value="1"))


def note_removed(connection: Connection, table: Table) -> None:
    """Note that a table holds no rows any more, in the transaction that removes them on purpose."""
    connection.execute(_NOTED[table, "1"].values(value="0"))


def say_deliberate(connection: Connection) -> None:
    """Note that somebody said that this ledger is meant, so that all machines take it in place of another."""
    if _value(connection, _DELIBERATE) is None:
        connection.execute(insert(META).values(name=_DELIBERATE, value="1"))


def read_identity(connection: Connection) -> str | None:
    """Return the ledger's identity; None where it has none."""
    return _value(connection, _IDENTITY)


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
    """See that nobody has emptied the ledger's tables.

    :raises LedgerError: if somebody has.
    """
    for table in (META, STREAMS, ENTRIES, RUNS):
        if not inspect(connection).has_table(table.name):
            raise LedgerError(f"the ledger at {place} was emptied: {table.name} is gone; {WAYS_OUT}")
    for table, name in _FILLED.items():
        if _value(connection, name) == "1" and not _holds_rows(connection, table):
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


def _holds_rows(connection: Connection, table: Table) -> bool:
    return bool(connection.execute(select(_any_row(table))).scalar())


def _value(connection: Connection, name: str) -> str | None:
    value: str | None = connection.execute(select(META.c.value).where(META.c.name == name)).scalar()
    return value
