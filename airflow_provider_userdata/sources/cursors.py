"""Opens cursors that stream: the clients of some databases fetch a query's whole result unless they are told not to.

The plain cursors of all other clients are used as they are. Those of SQLite and DuckDB read as rows are fetched,
Snowflake's downloads a few result batches ahead, and that of Airflow's BigQuery hook one page after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

LONGEST_PAUSE = 3600
"""Seconds that a MySQL server waits for a client that doesn't read on, as while a vendor asks for patience."""


@contextmanager
def streaming_cursor(connection: Any) -> Iterator[Any]:
    """Open a cursor whose rows are tuples or lists, fetched a part at a time; close it at the end."""
    clients = [kind.__module__.partition(".")[0] for kind in connection.__class__.__mro__]
    open_cursor = next((_STREAMING[client] for client in clients if client in _STREAMING), _plain)
    cursor = open_cursor(connection)
    try:
        yield cursor
    finally:
        with suppress(Exception):  # how reading ended matters more; MySQL's Connector raises if rows are left
            cursor.close()


def _plain(connection: Any) -> Any:
    return connection.cursor()


def _psycopg(connection: Any) -> Any:
    return connection.cursor(name="userdata", row_factory=import_module("psycopg.rows").tuple_row)


def _psycopg2(connection: Any) -> Any:
    return connection.cursor(name="userdata", cursor_factory=import_module("psycopg2.extensions").cursor)


def _mysqlclient(connection: Any) -> Any:
    return _patient(lambda: connection.cursor(import_module("MySQLdb.cursors").SSCursor))


def _pymysql(connection: Any) -> Any:
    return _patient(lambda: connection.cursor(import_module("pymysql.cursors").SSCursor))


def _mysql_connector(connection: Any) -> Any:
    return _patient(lambda: connection.cursor(buffered=False, dictionary=False))


def _patient(open_cursor: Callable[[], Any]) -> Any:
    # The server sends rows until the network's buffers are full, and by default gives up a minute later.
    cursor = open_cursor()
    try:
        cursor.execute(f"SET SESSION net_write_timeout = {LONGEST_PAUSE}")
    except Exception:  # noqa: BLE001  # a server that only speaks MySQL's protocol may not have this setting
        with suppress(Exception):
            cursor.close()
        return open_cursor()
    return cursor


_STREAMING: dict[str, Callable[[Any], Any]] = {
    "psycopg": _psycopg,
    "psycopg2": _psycopg2,
    "MySQLdb": _mysqlclient,
    "pymysql": _pymysql,
    "mysql": _mysql_connector,
}
"""How a client opens a cursor that streams, by its package; with rows that aren't what the connection may ask for."""
