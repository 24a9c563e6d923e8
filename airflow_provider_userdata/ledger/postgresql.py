"""A ledger's entries in PostgreSQL."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from airflow_provider_userdata.fingerprints import KEY_SIZE
from airflow_provider_userdata.ledger.joined_keys import JoinedKeys

_OPENING = 0x75736572646174  # "userdat": unlikely to be another application's lock


class PostgresqlEntries(JoinedKeys):
    """Statements for PostgreSQL."""

    locks_opening = True

    def __init__(self) -> None:
        super().__init__(
            numbers="generate_series(0, CAST(:count AS integer) - 1) AS n WHERE true",
            piece=f"substring(CAST(:{{}} AS bytea) FROM n * {KEY_SIZE} + 1 FOR {KEY_SIZE})",
            listed="string_agg(CAST(n AS text), ',' ORDER BY n)",
            distinct="DISTINCT",
        )

    def prepare(self, connection: Connection, *, durable: bool, busy_timeout: float) -> None:
        """Set up a new connection."""
        connection.exec_driver_sql(f"SET lock_timeout = {max(1, int(busy_timeout * 1000))}")
        if durable:  # a claim must be on the disk before it counts, whatever the default is
            connection.exec_driver_sql("SET synchronous_commit = on")
        connection.commit()

    def lock_opening(self, connection: Connection) -> None:
        """Keep others from creating the schema or a stream, until the transaction ends."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_OPENING})")
