"""Detects database errors that are the query's fault, so that a retry can't help.

These have an SQLSTATE of class 42: a syntax error, or the name of something that doesn't exist. SQLite, DuckDB and some
of MySQL's clients have no SQLSTATE, but say as much in another way. Messages of other errors may quote a record's
content, and are never shown.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from typing import Any

MOST_CHARACTERS = 300
"""The most characters of a database's message that are shown."""

_QUERY_AT_FAULT = re.compile("42[0-9A-Z]{3}")
_OF_A_QUERY = re.compile(
    r"no such \w+( \w+)?: .*|near \".*\": syntax error|unrecognized token: .*|ambiguous column name: .*"
    r"|incomplete input|wrong number of arguments to function .*|misuse of (aggregate|window function).*"
    r"|sub-select returns .*"
    r"|.* left and right of .* do not have the same number of result columns|no tables specified",
    re.DOTALL,
)
"""Messages of SQLite for faults that it finds before it reads a row."""
_OF_DUCKDB = ("BinderException", "CatalogException", "ParserException")
"""Errors of DuckDB that it finds before it reads a row."""
_OF_MYSQL = frozenset(
    {1044, 1046, 1049, 1051, 1052, 1054, 1064, 1065, 1066, 1109, 1111, 1142, 1143, 1146, 1222, 1241, 1305, 1370, 1582}
)
"""MySQL's numbers for a syntax error, a name that doesn't exist or isn't unique, and a permission that is missing."""
_TOO_MANY = (1203, 1226)
"""MySQL's numbers for too many connections, which its Connector files under the same SQLSTATE as a query's faults."""
_NEAR = re.compile(r"(?<=near )('.*'|\".*\")", re.DOTALL)
"""What a syntax error quotes of a query, perhaps the first part of a parameter that the client inserted."""


def query_fault(error: BaseException, parameters: Iterable[object] = ()) -> str | None:
    """Return the database's message, in one line, if the query is at fault; None for any other error.

    :param error: what the database's client raised.
    :param parameters: the query's parameters: some clients insert them into its text, and a message that quotes one
        isn't shown.
    """
    known_by = _known_by(error)
    if known_by is None:
        return None
    message = _message(error)
    values = [value for value in parameters if value is not None]
    if values:
        message = _NEAR.sub("…", message)
    if any(value and isinstance(value, str) and value in message for value in values):
        return f"{type(error).__name__} ({known_by}; its message quotes a parameter)"
    return f"{_first_line(message)} ({known_by})"


def _known_by(error: BaseException) -> str | None:
    """Return the code that shows that the query is at fault; None if it isn't known to be."""
    code = _sqlstate(error)
    if code is not None and getattr(error, "errno", None) not in _TOO_MANY:
        return f"SQLSTATE {code}" if _QUERY_AT_FAULT.fullmatch(code) else None
    if isinstance(error, sqlite3.OperationalError):
        return "SQLITE_ERROR" if _OF_A_QUERY.fullmatch(str(error)) else None
    client, kind = type(error).__module__.partition(".")[0], type(error).__name__
    if client in ("duckdb", "_duckdb"):
        return f"DuckDB's {kind}" if kind in _OF_DUCKDB else None
    if client in ("pymysql", "MySQLdb") and error.args and error.args[0] in _OF_MYSQL:
        return f"MySQL error {error.args[0]}"
    return None


def _sqlstate(error: Any) -> str | None:
    """Return the SQLSTATE that psycopg, psycopg2, MySQL's Connector, Snowflake, ODBC or pg8000 give an error."""
    codes = [getattr(error, "sqlstate", None), getattr(error, "pgcode", None)]
    if error.args:
        first = error.args[0]
        codes.append(first.get("C") if isinstance(first, dict) else first)
    return next((code for code in codes if isinstance(code, str) and re.fullmatch("[0-9A-Z]{5}", code)), None)


def _message(error: Any) -> str:
    """Return the message without the query, into whose text parameters may have been inserted."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None) or getattr(error, "msg", None)
    if primary is None and error.args and isinstance(error.args[0], dict):
        primary = error.args[0].get("M")
    return str(primary or (error.args[-1] if error.args else ""))


def _first_line(text: str) -> str:
    line = next(iter(text.strip().splitlines()), "")
    return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"
