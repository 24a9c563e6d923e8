"""Queries on a real database by each client: streamed, whatever rows its connection makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import SqlSource
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.sql import read_query
from tests.doubles.databases import CLIENTS, OF_MYSQL, Client

FEW, MANY = 20_000, 600_000
MOST_GROWTH = 24.0
"""MB that a process may grow by while it reads the many rows, after the few. All of them would take 200."""
MEASURE = f"""
import re
from pathlib import Path
from airflow_provider_userdata.sources import SqlSource
from airflow_provider_userdata.sources.sql import read_query
from tests.doubles.databases import CLIENTS

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def read(count):
    query = SqlSource(client.rows.format(count=count), "warehouse")
    assert sum(len(chunk.rows) for chunk in read_query(query, client.hook())) == count
    return peak()

client = CLIENTS["{{client}}"]
print(-read({FEW}) + read({MANY}))
"""


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Client:
    """Skip a client whose server doesn't run."""
    client = CLIENTS[request.param]
    if client.missing:
        pytest.skip(client.missing)
    return client


def rows_of(hook: Any, sql: str, wanted: Wanted | None = None) -> list[Any]:
    """Read all rows of a query, as dictionaries."""
    return [
        row.as_dict()
        for chunk in read_query(SqlSource(sql, "warehouse"), hook, wanted or Wanted())
        for row in chunk.rows
    ]


@pytest.mark.alone
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_a_query_is_read_with_bounded_memory(client: Client) -> None:
    """Many rows take as much as few: measured in a process of its own."""
    script = MEASURE.format(client=client.module)
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < MOST_GROWTH


@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_reading_may_end_early_or_find_nothing(client: Client) -> None:
    """An open result is given up without an error, and the columns of an empty one are known."""
    chunks = read_query(SqlSource(client.rows.format(count=5000), "warehouse"), client.hook())
    assert next(chunks).rows[0].as_dict() == {"n": 1, "text": "x" * 100}
    chunks.close()  # type: ignore[attr-defined]

    nothing = f"SELECT * FROM ({client.rows.format(count=5)}) AS none_of WHERE n < 0"
    assert rows_of(client.hook(), nothing) == []
    with pytest.raises(SourceError, match="lacks the column 'steps'; it has 'n', 'text'"):
        rows_of(client.hook(), nothing, Wanted(["steps"]))


@pytest.mark.parametrize(
    ("client", "option", "where"),
    [
        ("psycopg", "row_factory", "psycopg.rows.dict_row"),
        ("psycopg2", "cursor_factory", "psycopg2.extras.RealDictCursor"),
        ("pymysql", "cursorclass", "pymysql.cursors.DictCursor"),
        ("MySQLdb", "cursorclass", "MySQLdb.cursors.DictCursor"),
    ],
    indirect=["client"],
)
def test_a_connection_whose_rows_are_dictionaries_is_read_alike(client: Client, option: str, where: str) -> None:
    """Airflow's connections have an extra for it; a column would have its own name as its value."""
    module, _, name = where.rpartition(".")
    hook = client.hook(**{option: getattr(pytest.importorskip(module), name)})

    assert rows_of(hook, "SELECT 1 AS n, 'a' AS text") == [{"n": 1, "text": "a"}]


@pytest.mark.parametrize("client", OF_MYSQL, indirect=True)
def test_mysql_waits_for_a_reader_that_pauses(client: Client) -> None:
    """By default its server ends the connection after a minute without a read, which a vendor may well ask for."""
    assert rows_of(client.hook(), "SELECT @@session.net_write_timeout AS seconds") == [{"seconds": 3600}]
