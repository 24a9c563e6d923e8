"""Detects database errors that are the query's fault, so that a retry can't help.

These have an SQLSTATE of class 42: a syntax error, or the name of something that doesn't exist. Messages of other
classes may quote a record's content, and are never shown.
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
"""Messages of SQLite, which has no SQLSTATE, for faults that it finds before it reads a row."""


def query_fault(error: BaseException, parameters: Iterable[object] = ()) -> str | None:
    """Return the database's message, in one line, if the query is at fault; None for any other error.

    :param error: what the database's client raised.
    :param parameters: the query's parameters: some clients insert them into its text, and a message that quotes one
        isn't shown.
    """
    code = _sqlstate(error)
    if code is not None and _QUERY_AT_FAULT.fullmatch(code):
        message, known_by = _first_line(_message(error)), f"SQLSTATE {code}"
    elif isinstance(error, sqlite3.OperationalError) and _OF_A_QUERY.fullmatch(str(error)):
        message, known_by = _first_line(str(error)), "SQLITE_ERROR"
    else:
        return None
    if any(value and isinstance(value, str) and value in message for value in parameters):
        return f"{type(error).__name__} ({known_by}; its message quotes a parameter)"
    return f"{message} ({known_by})"


def _sqlstate(error: Any) -> str | None:
    """Return the SQLSTATE of an error of psycopg, psycopg2, MySQL's Connector, Snowflake, ODBC or pg8000; else None."""
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
