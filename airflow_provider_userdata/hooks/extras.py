"""Reads and checks a connection's extra: its JSON, and the values that are not addresses or files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.forms import TIMEOUT, is_duration


def timeout(connection: Any) -> float:
    """Return the seconds that a request may take.

    :raises ConnectionSettingsError: if `timeout` in the extra is not a number above 0.
    """
    value = extra_value(connection, "timeout")
    if value is None:
        return TIMEOUT
    if not is_duration(value):
        raise wrong(connection, "'timeout' in its extra must be a number of seconds above 0")
    return float(value)


def verify(connection: Any) -> bool | str:
    """Return how the vendor's certificate is checked: True, False, or the path of the certificates to trust.

    :raises ConnectionSettingsError: if `verify` in the extra is something else.
    """
    value = extra_value(connection, "verify")
    if value is None:
        return True
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise wrong(connection, "'verify' in its extra must be true, false or a path")
    return value


def allows_http(connection: Any) -> bool:
    """Return whether the extra has `"allow_http": true`; the value is text if the connection is written as a URI."""
    return str(extra_value(connection, "allow_http")).strip().lower() == "true"


def extra_value(connection: Any, name: str) -> Any:
    """Return a value of a connection's extra; None if it is empty or missing.

    :raises ConnectionSettingsError: if the extra is not a JSON object.
    """
    value = extras(connection).get(name)
    return None if value == "" else value


def extra_text(connection: Any, name: str, is_valid: Callable[[str], bool], wanted: str) -> str | None:
    """Return a text of a connection's extra; None if it is empty or missing.

    :raises ConnectionSettingsError: if it is not what is wanted.
    """
    value = extra_value(connection, name)
    if value is None:
        return None
    if not isinstance(value, str) or not is_valid(value):
        raise wrong(connection, f"{name!r} in its extra must be {wanted}")
    return value


def extras(connection: Any) -> Mapping[str, Any]:
    """Return all of a connection's extra.

    :raises ConnectionSettingsError: if the extra is not a JSON object; Airflow itself treats invalid JSON as empty.
    """
    text = connection.extra or ""
    if text.isspace():
        return {}
    try:
        json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise wrong(connection, f"its extra is not valid JSON (line {error.lineno}, column {error.colno})") from None
    values = connection.extra_dejson
    if not isinstance(values, dict):
        raise wrong(connection, "its extra must be a JSON object")
    return values


def wrong(connection: Any, reason: str) -> ConnectionSettingsError:
    """Return an error that names the connection."""
    return ConnectionSettingsError(f"connection {connection.conn_id!r}: {reason}")
