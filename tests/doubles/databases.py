"""The databases that queries are read from: each client, and a hook that connects with it as Airflow's hooks do.

Those without a server are always there. `make test-postgres` and `make test-mysql` run the servers of the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

POSTGRES, MYSQL = os.environ.get("USERDATA_TEST_POSTGRES"), os.environ.get("USERDATA_TEST_MYSQL")


class Hook:
    """Gives connections, as Airflow's hook of a database does."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self.get_conn = connect


@dataclass(frozen=True)
class Client:
    """A database's client.

    :param module: what is imported to connect.
    :param server: the address of the server; None if there is none now; empty if the client needs none.
    :param rows: a query for some rows with a number `n` and a text `text` of a hundred characters.
    :param options: what else it gets to connect.
    """

    module: str
    server: str | None
    rows: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def missing(self) -> str | None:
        """Why it can't be used here."""
        if self.server is None:
            return "`make test-postgres` and `make test-mysql` run the servers"
        return None if find_spec(self.module.partition(".")[0]) else f"{self.module} isn't installed"

    def connect(self, **options: Any) -> Any:
        """Connect to the server, or to an empty database in memory."""
        connect = import_module(self.module).connect
        if not self.server:
            return connect(":memory:")
        address = urlsplit(self.server)
        database = "dbname" if "psycopg" in self.module else "database"
        where = {"host": address.hostname, "port": address.port, "user": address.username, database: address.path[1:]}
        return connect(**where, **self.options, **options)

    def hook(self, **options: Any) -> Hook:
        """Return a hook whose connections are this client's."""
        return Hook(lambda: self.connect(**options))


_SERIES = "SELECT n, repeat('x', 100) AS text FROM generate_series(1, {count}) AS numbers(n)"
_SEQUENCE = "SELECT seq AS n, repeat('x', 100) AS text FROM seq_1_to_{count}"
_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
CLIENTS = {
    client.module: client
    for client in (
        Client("sqlite3", "", f"{_NUMBERS} SELECT n, printf('%.*c', 100, 'x') AS text FROM numbers"),
        Client("duckdb", "", _SERIES),
        Client("psycopg", POSTGRES, _SERIES),
        Client("psycopg2", POSTGRES, _SERIES),
        Client("pymysql", MYSQL, _SEQUENCE),
        Client("MySQLdb", MYSQL, _SEQUENCE),
        Client("mysql.connector", MYSQL, _SEQUENCE, {"collation": "utf8mb4_general_ci"}),
    )
}
OF_POSTGRES = ("psycopg", "psycopg2")
OF_MYSQL = ("pymysql", "MySQLdb", "mysql.connector")
