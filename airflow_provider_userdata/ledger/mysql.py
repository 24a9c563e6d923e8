"""A ledger's entries in MySQL and MariaDB: plain SQL, and a lock that lasts while tables are created."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from airflow_provider_userdata.ledger.portable import Entries

_OPENING = "userdata_ledger_opening"
_LONGEST_OPENING = 60
"""Seconds to wait for others that open the ledger."""


class MysqlEntries(Entries):
    """Statements for MySQL and MariaDB, which commit at each `CREATE TABLE`."""

    locks_opening = True

    def lock_opening(self, connection: Connection) -> None:
        """Keep others from creating the schema or a stream, until `unlock_opening`."""
        connection.execute(select(func.get_lock(_OPENING, _LONGEST_OPENING)))

    def unlock_opening(self, connection: Connection) -> None:
        """Let others open the ledger."""
        connection.execute(select(func.release_lock(_OPENING)))
