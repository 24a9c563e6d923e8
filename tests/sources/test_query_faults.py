"""When a database says that a query is at fault, and what of its message is shown."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import Any

import duckdb
import psycopg
import psycopg2
import pymysql
import pytest

from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources import SqlSource
from airflow_provider_userdata.sources.query_faults import MOST_CHARACTERS, query_fault
from airflow_provider_userdata.sources.sql import read_query
from tests.doubles.databases import CLIENTS, OF_MYSQL, OF_POSTGRES


class Psycopg2Error(psycopg2.ProgrammingError):  # type: ignore[misc]  # it has no types
    """Stands for an error of a server: only the client itself can give one its code."""

    pgcode: Any = "42P01"


class ConnectorError(Exception):
    """An error as MySQL's own Connector raises it."""

    def __init__(self, sqlstate: str, msg: str) -> None:
        super().__init__(1146, f"1146 ({sqlstate}): {msg}", sqlstate)
        self.sqlstate, self.msg = sqlstate, msg


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (psycopg.errors.UndefinedTable('relation "x" does not exist\nLINE 1: …'), 'relation "x" does not exist'),
        (Psycopg2Error('relation "x" does not exist\nLINE 1: SELECT …\n'), 'relation "x" does not exist'),
        (ConnectorError("42S02", "Table 'x' doesn't exist"), "Table 'x' doesn't exist"),
        (Exception("42S22", "[42S22] Invalid column name"), "[42S22] Invalid column name"),
        (Exception({"S": "ERROR", "C": "42703", "M": "column x does not exist"}), "column x does not exist"),
    ],
    ids=["psycopg", "psycopg2", "MySQL Connector", "ODBC", "pg8000"],
)
def test_class_42_is_the_querys_fault(error: Exception, said: str) -> None:
    """Whichever way a client gives the code, the first line of what is wrong is shown, without the query."""
    fault = query_fault(error)

    assert fault is not None
    assert re.fullmatch(re.escape(said) + r" \(SQLSTATE 42[0-9A-Z]{3}\)", fault)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.InvalidTextRepresentation('invalid input syntax for type integer: "geheim"'),
        psycopg.errors.QueryCanceled("geheim"),
        psycopg.OperationalError("geheim"),
        psycopg2.OperationalError("geheim"),
        ConnectorError("22007", "Incorrect date value: 'geheim'"),
        ConnectorError("40001", "Deadlock found: 'geheim'"),
        Exception(1146, "Table 'geheim' doesn't exist"),
        pymysql.err.OperationalError(2013, "geheim"),
        pymysql.err.OperationalError(1292, "Incorrect datetime value: 'geheim'"),
        pymysql.err.OperationalError(),
        duckdb.ConversionException("Conversion Error: Could not convert string 'geheim' to INT32"),
        Exception("geheim"),
        Exception(),
        sqlite3.OperationalError("bad JSON path: 'geheim'"),
        sqlite3.OperationalError("database is locked"),
        sqlite3.OperationalError("malformed JSON: no such column: geheim"),
        sqlite3.IntegrityError("no such table: geheim"),
        KeyboardInterrupt("42P01"),
    ],
    ids=repr,
)
def test_other_errors_are_not(error: BaseException) -> None:
    """What has another code, or none, may quote a record, or pass."""
    if isinstance(error, KeyboardInterrupt):
        error.args = ()
    assert query_fault(error) is None


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nope", "no such column: nope"),
        ("SELECT * FROM nothere", "no such table: nothere"),
        ("SELEC 1", 'near "SELEC": syntax error'),
        ("SELECT 'x", 'unrecognized token: "\'x"'),
        ("SELECT a FROM (SELECT 1 AS a), (SELECT 2 AS a)", "ambiguous column name: a"),
        ("SELECT (", "incomplete input"),
        ("SELECT abs(1, 2)", "wrong number of arguments to function abs()"),
        ("SELECT sum(sum(1))", "misuse of aggregate function sum()"),
        ("SELECT (SELECT 1, 2)", "sub-select returns 2 columns - expected 1"),
        ("SELECT *", "no tables specified"),
    ],
)
def test_what_sqlite_says_of_a_query(sql: str, said: str) -> None:
    """SQLite gives no codes, so the message decides."""
    with (
        contextlib.closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError) as caught,
    ):
        connection.execute(sql)

    assert query_fault(caught.value) == f"{said} (SQLITE_ERROR)"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM nothere", "Catalog Error: Table with name nothere does not exist! (DuckDB's CatalogException)"),
        ("SELEC 1", 'Parser Error: syntax error at or near "SELEC" (DuckDB\'s ParserException)'),
        ("SELECT sum(sum(1))", "Binder Error: aggregate function calls cannot be nested (DuckDB's BinderException)"),
        ("SELECT 'geheim'::integer", None),
        ("SELECT strptime('geheim', '%Y')", None),
    ],
)
def test_what_duckdb_says_of_a_query(sql: str, said: str | None) -> None:
    """DuckDB has no codes, but a class for each kind of error."""
    with contextlib.closing(duckdb.connect()) as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute(sql)

    assert query_fault(caught.value) == said


def test_a_message_that_quotes_a_parameter_is_not_shown() -> None:
    """Some clients put parameters into the query's text."""
    error = psycopg.errors.SyntaxError("syntax error at or near \"'geheim'\"")

    assert query_fault(error, ["geheim"]) == "syntax error at or near … (SQLSTATE 42601)"
    assert query_fault(error, [None]) == "syntax error at or near \"'geheim'\" (SQLSTATE 42601)"
    assert query_fault(sqlite3.OperationalError("no such column: geheim"), ["geheim"]) == (
        "OperationalError (SQLITE_ERROR; its message quotes a parameter)"
    )


def test_a_message_that_quotes_a_part_of_a_parameter_is_shown_without_it() -> None:
    """MySQL quotes the first 80 characters of what it doesn't understand."""
    message = f"… the right syntax to use near ''geheim{'x' * 73}' at line 1"
    error = pymysql.err.ProgrammingError(1064, message)

    assert query_fault(error, [f"geheim{'x' * 99}"]) == "… the right syntax to use near … at line 1 (MySQL error 1064)"


def test_a_long_message_is_cut() -> None:
    """A database may quote half of the query."""
    fault = query_fault(psycopg.errors.SyntaxError("x" * 10_000))

    assert fault == f"{'x' * MOST_CHARACTERS}… (SQLSTATE 42601)"


@pytest.mark.parametrize("client", OF_POSTGRES)
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM nothere", 'relation "nothere" does not exist (SQLSTATE 42P01)'),
        ("SELECT relnome FROM pg_class WHERE relname = %s", 'column "relnome" does not exist (SQLSTATE 42703)'),
        ("SELECT 1 +", "syntax error at end of input (SQLSTATE 42601)"),
        ("SELECT 'geheim'::integer", None),
        ("SELECT 1 / 0", None),
    ],
)
def test_what_postgresql_says(client: str, sql: str, said: str | None) -> None:
    """PostgreSQL's own errors, by both of its clients: a query at fault is told from data at fault."""
    _check_what_a_server_says(client, sql, said)


@pytest.mark.parametrize("client", OF_MYSQL)
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM nothere", "Table 'mysql.nothere' doesn't exist"),
        ("SELECT Hoost FROM user WHERE Host = %s", "Unknown column 'Hoost' in 'SELECT'"),
        ("SELEC 1", "the right syntax to use near 'SELEC 1' at line 1"),
        ("SELECT 1 LIMIT %s", "the right syntax to use near … at line 1"),
        ("SELECT (SELECT 'geheim' UNION SELECT 2)", None),
    ],
)
def test_what_mysql_says(client: str, sql: str, said: str | None) -> None:
    """MySQL's own errors, by clients that give their number, their SQLSTATE or both."""
    _check_what_a_server_says(client, sql, said)


def _check_what_a_server_says(client: str, sql: str, said: str | None) -> None:
    if (missing := CLIENTS[client].missing) is not None:
        pytest.skip(missing)
    query = SqlSource(sql, "warehouse", ["geheim"] if "%s" in sql else None)

    with pytest.raises((SourceError, SourceBrokeError)) as caught:
        list(read_query(query, CLIENTS[client].hook()))

    assert isinstance(caught.value, SourceBrokeError) is (said is None)
    assert "geheim" not in str(caught.value)
    assert said is None or said in str(caught.value)
