"""Queries as sources, on a real SQLite connection of Airflow's. Importing Airflow takes seconds."""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3
import tempfile
import threading
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp())

import pytest

from airflow_provider_userdata.delivery.reading.digest import SourceDigest
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat, Source
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources import SqlSource, hold, open_source
from tests.doubles.databases import POSTGRES

pytest.importorskip("airflow.providers.sqlite")


@pytest.fixture
def database(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Make a database of 2500 samples and a connection to it."""
    path = tmp_path / "samples.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE samples (id INTEGER, name TEXT)")
        connection.executemany("INSERT INTO samples VALUES (?, ?)", [(n, f"alice {n}") for n in range(2500)])
    connection.close()
    monkeypatch.setenv("AIRFLOW_CONN_SAMPLES", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    monkeypatch.setenv("AIRFLOW_CONN_WEB", "http://example.com")
    monkeypatch.setenv("AIRFLOW_CONN_ODD", "nosuchtype://example.com")
    return path


def rows_of(source: Source) -> list[Any]:
    """Read all rows, as dictionaries."""
    return [row.as_dict() for chunk in source.chunks() for row in chunk.rows]


@pytest.mark.usefixtures("database")
def test_rows_are_streamed() -> None:
    """A thousand rows at a time, named by the query's columns."""
    source = open_source(hold(SqlSource("SELECT id AS n, name FROM samples ORDER BY id", "samples")), columns=["n"])
    chunks = list(source.chunks())
    assert [len(chunk.rows) for chunk in chunks] == [1000, 1000, 500]
    assert chunks[0].rows[0].as_dict() == {"n": 0, "name": "alice 0"}
    assert chunks[2].rows[-1].as_dict() == {"n": 2499, "name": "alice 2499"}
    assert {chunk.form for chunk in chunks} == {RowFormat.VALUES}
    assert source.total is None


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("sql", "parameters"), [("id < ?", (2,)), ("id < :most", {"most": 2})])
def test_parameters_reach_the_driver(sql: str, parameters: Any) -> None:
    """They are passed as they are, by position or by name."""
    query = SqlSource(f"SELECT id FROM samples WHERE {sql} ORDER BY id", "samples", parameters)
    assert rows_of(open_source(query)) == [{"id": 0}, {"id": 1}]


@pytest.mark.usefixtures("database")
def test_a_query_is_read_in_a_thread_of_its_own() -> None:
    """A SQLite cursor can't change threads: all of it lives where the rows are read."""
    source = open_source(SqlSource("SELECT id FROM samples", "samples"))
    read: list[int] = []
    thread = threading.Thread(target=lambda: read.append(len(rows_of(source))))
    thread.start()
    thread.join()
    assert read == [2500]


def test_the_connection_is_looked_up_once(database: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading doesn't ask Airflow again: two calls at once, from two threads, can fail."""
    source = open_source(SqlSource("SELECT id FROM samples", "samples"))
    monkeypatch.delenv("AIRFLOW_CONN_SAMPLES")
    assert len(rows_of(source)) == 2500
    assert database.exists()


def test_the_database_is_let_go_when_reading_ends_early(database: pathlib.Path) -> None:
    """A cursor that nobody reads on must not hold a lock."""
    chunks = open_source(SqlSource("SELECT id FROM samples", "samples")).chunks()
    assert isinstance(next(chunks), Chunk)
    links = pathlib.Path("/proc/self/fd")
    assert str(database) in {os.path.realpath(link) for link in links.iterdir()}
    chunks.close()  # type: ignore[attr-defined]
    assert str(database) not in {os.path.realpath(link) for link in links.iterdir()}


@pytest.mark.usefixtures("database")
def test_no_rows_are_no_records() -> None:
    """An empty result is fine; its columns are checked all the same."""
    assert rows_of(open_source(SqlSource("SELECT id FROM samples WHERE 0", "samples"))) == []
    with pytest.raises(SourceError, match="lacks the column 'steps'; it has 'id'"):
        rows_of(open_source(SqlSource("SELECT id FROM samples WHERE 0", "samples"), columns=["steps"]))


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT id, name AS id FROM samples", "returns more than one column 'id'"),
        ("DELETE FROM samples", "returns no rows; it should be a SELECT"),
    ],
)
def test_a_query_without_proper_columns_is_refused(sql: str, message: str) -> None:
    """A dictionary would swallow one of two columns of a name."""
    with pytest.raises(SourceError, match=f"the query on connection 'samples' {message}"):
        rows_of(open_source(SqlSource(sql, "samples")))


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("conn_id", "message"),
    [
        ("nowhere", "there is no connection 'nowhere'"),
        ("web", "connection 'web' is of type 'http', (which|not a database)"),
        ("odd", "connection 'odd' is of type 'nosuchtype', which has no hook here; is its provider installed"),
    ],
)
def test_a_connection_that_is_no_database_is_refused(conn_id: str, message: str) -> None:
    """The message names the connection, before anything is read."""
    with pytest.raises(SourceError, match=message):
        open_source(SqlSource("SELECT 1", conn_id))


@pytest.mark.usefixtures("database")
def test_a_query_that_fails_breaks_the_source() -> None:
    """The database's own message, which may quote data, is the cause and not our text."""
    query = SqlSource("SELECT json_extract('{}', name) FROM samples", "samples")
    with pytest.raises(SourceBrokeError, match="connection 'samples' failed at position 0: OperationalError") as caught:
        rows_of(open_source(query))
    assert "alice" in str(caught.value.__cause__)
    assert "alice" not in str(caught.value)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nope FROM samples", "no such column: nope"),
        ("SELECT * FROM nothere", "no such table: nothere"),
        ("SELEC 1", 'near "SELEC": syntax error'),
    ],
)
def test_a_query_that_is_at_fault_is_shown_with_what_the_database_says(sql: str, message: str) -> None:
    """No retry helps, so it is an error of another kind than a database that can't answer."""
    with pytest.raises(SourceError) as caught:
        rows_of(open_source(SqlSource(sql, "samples")))
    assert str(caught.value) == f"source: the query on connection 'samples' is not valid: {message} (SQLITE_ERROR)"
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("database")
def test_a_column_that_is_not_wanted_may_be_named_twice() -> None:
    """With `fields`, only the columns that it names must be there, once."""
    sql = "SELECT id, name AS n, 1 AS x, 2 AS x FROM samples ORDER BY id LIMIT 1"
    assert rows_of(open_source(SqlSource(sql, "samples"), columns=["id", "n"], only=True))[0]["n"] == "alice 0"
    for columns, only in ((["id", "x"], True), (["id"], False)):
        with pytest.raises(SourceError, match="returns more than one column 'x'; rename one with AS"):
            rows_of(open_source(SqlSource(sql, "samples"), columns=columns, only=only))


@pytest.mark.usefixtures("database")
def test_wanted_columns_that_are_missing_are_named_beside_those_there_are() -> None:
    """Not all of them, if there are many."""
    sql = f"SELECT {', '.join(f'{number} AS c{number}' for number in range(25))}"
    with pytest.raises(SourceError) as caught:
        rows_of(open_source(SqlSource(sql, "samples"), columns=["c1", "start", "unit"], only=True))
    assert "lacks the columns 'start', 'unit'; it has 'c0', 'c1'" in str(caught.value)
    assert str(caught.value).endswith("'c19' and 5 more")


@pytest.mark.parametrize("extra", [{}, {"cursor": "dictcursor"}])
@pytest.mark.skipif(POSTGRES is None, reason="`make test-postgres` runs a server")
def test_rows_come_from_a_server_of_postgresql(extra: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """By Airflow's own hook, whatever rows its connection asks for."""
    pytest.importorskip("airflow.providers.postgres")
    at = urlsplit(POSTGRES or "")
    to = {"host": at.hostname, "port": at.port, "login": at.username, "schema": at.path[1:]}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "postgres", **to, "extra": extra}))
    query = SqlSource("SELECT n, n / 4.0 AS value FROM generate_series(1, %s) AS numbers(n)", "warehouse", [2500])

    rows = rows_of(open_source(query))

    assert len(rows) == 2500
    assert rows[1] == {"n": 2, "value": Decimal("0.5")}


@pytest.mark.usefixtures("database")
def test_the_digest_of_a_query_is_that_of_dictionaries() -> None:
    """As in checkpoints of earlier versions, in the middle of a query, too."""
    chunks = list(open_source(SqlSource("SELECT name, id FROM samples ORDER BY id", "samples")).chunks())
    digest, expected = SourceDigest(), SourceDigest()

    marks = [mark for chunk in chunks for mark in digest.take(chunk.rows, (1500,), chunk.text)]

    rows = [{"name": f"alice {number}", "id": number} for number in range(2500)]
    assert marks[1:3] == [*expected.take(rows[:1500]), *expected.take(rows[1500:2000])]
    assert marks[3:] == expected.take(rows[2000:])
