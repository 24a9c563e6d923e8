"""Whether a database says that a query is at fault, so that no retry helps, and what it says of it.

By class 42 of SQL's own codes: the query's text names what isn't there, or isn't SQL. Messages of other classes may
quote what the database stumbled over, a record's content, and are never shown.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from typing import Any

MOST_CHARACTERS = 300
"""How much of a database's message is shown."""

_QUERY_AT_FAULT = re.compile("42[0-9A-Z]{3}")
_OF_A_QUERY = re.compile(
    r"no such \w+( \w+)?: .*|near \".*\": syntax error|unrecognized token: .*|ambiguous column name: .*"
    r"|incomplete input|wrong number of arguments to function .*|misuse of (aggregate|window function).*"
    r"|sub-select returns .*"
    r"|.* left and right of .* do not have the same number of result columns|no tables specified",
    re.DOTALL,
)
"""What SQLite, which has no such codes, says of a query before it looks at a row."""


def query_fault(error: BaseException, parameters: Iterable[object] = ()) -> str | None:
    """Return what a database says, in one line, where the query is at fault; None for any other error.

    :param error: what the database's client raised.
    :param parameters: the query's: some clients put them into its text, and a message that quotes one isn't shown.
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
    """Return the code that a client gives: psycopg, psycopg2, MySQL's Connector, Snowflake, ODBC, pg8000."""
    codes = [getattr(error, "sqlstate", None), getattr(error, "pgcode", None)]
    if error.args:
        first = error.args[0]
        codes.append(first.get("C") if isinstance(first, dict) else first)
    return next((code for code in codes if isinstance(code, str) and re.fullmatch("[0-9A-Z]{5}", code)), None)


def _message(error: Any) -> str:
    """Return what is wrong, without the query: of parameters that were put into it nothing is shown."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None) or getattr(error, "msg", None)
    if primary is None and error.args and isinstance(error.args[0], dict):
        primary = error.args[0].get("M")
    return str(primary or (error.args[-1] if error.args else ""))


def _first_line(text: str) -> str:
    line = next(iter(text.strip().splitlines()), "")
    return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"
