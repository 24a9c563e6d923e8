"""A ledger's entries in MySQL and MariaDB: plain SQL, but for a lock that outlasts the making of tables."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from airflow_provider_userdata.ledger.portable import Entries

_OPENING = "userdata_ledger_opening"
_LONGEST_OPENING = 60
"""Seconds to wait for others that open it."""


class MysqlEntries(Entries):
    """Statements for MySQL and MariaDB, which end a transaction at each table that is made."""

    locks_opening = True

    def lock_opening(self, connection: Connection) -> None:
        """Keep others from making the schema or a stream at the same time, until `unlock_opening`."""
        connection.execute(select(func.get_lock(_OPENING, _LONGEST_OPENING)))

    def unlock_opening(self, connection: Connection) -> None:
        """Let others open it."""
        connection.execute(select(func.release_lock(_OPENING)))
