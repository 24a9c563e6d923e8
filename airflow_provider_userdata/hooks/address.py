"""From an Airflow connection to the vendor's address and the way there: pure, and strict."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.forms import TIMEOUT


def base_url(connection: Any, default: str | None) -> str:
    """Give scheme, host, port and path of a connection, without a slash at the end.

    :param connection: an Airflow connection.
    :param default: the vendor's own address, or None where each customer has another.
    :raises ConnectionSettingsError: if there is no host, or one that can't be used.
    """
    where = f"connection {connection.conn_id!r}"
    host = (connection.host or "").strip() or default
    if not host:
        raise ConnectionSettingsError(f"{where} has no host: it is the address that the vendor gave you, https://…")
    scheme = (connection.schema or "https").strip().lower()
    parts = _split(host if "://" in host else f"{scheme}://{host}", where)
    port = parts.port or connection.port
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    if not 0 < (port or 1) < 65536:
        raise ConnectionSettingsError(f"{where}: the port is none that an address can have")
    if parts.scheme == "http" and not (_is_loopback(parts.hostname or "") or _allows_http(connection)):
        raise ConnectionSettingsError(
            f"{where}: http would send the key and the data unencrypted to {name}; "
            'use https, or say "allow_http": true in its extra'
        )
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def timeout(connection: Any) -> float:
    """Give the seconds that a request may take.

    :raises ConnectionSettingsError: if the extra holds no number above 0.
    """
    value = extra(connection, "timeout")
    if value is None or value == "":
        return TIMEOUT
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if isinstance(value, bool) or not 0 < seconds < float("inf"):
        raise _bad_extra(connection, "timeout", "a number of seconds above 0")
    return seconds


def verify(connection: Any) -> bool | str:
    """Give how the vendor's certificate is checked: True, False, or the path of the certificates to trust.

    :raises ConnectionSettingsError: if the extra holds something else.
    """
    value = extra(connection, "verify")
    if value is None or value == "":
        return True
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise _bad_extra(connection, "verify", "true, false or a path")
    return value


def proxy(connection: Any) -> str | None:
    """Give the proxy that the connection names, or None.

    :raises ConnectionSettingsError: if the extra holds no address.
    """
    value = extra(connection, "proxy")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or _scheme(value) not in {"http", "https"}:
        raise _bad_extra(connection, "proxy", "an address that begins with http:// or https://")
    return value


def credential(connection: Any, called: str) -> str:
    """Give a connection's password.

    :param called: what the vendor calls it.
    :raises ConnectionSettingsError: if there is none, or one that no header can carry.
    """
    password = connection.password or ""
    if not password.strip():
        raise ConnectionSettingsError(f"connection {connection.conn_id!r} has no password: it is the vendor's {called}")
    if not (password.isascii() and password.isprintable()) or password != password.strip():
        raise ConnectionSettingsError(
            f"connection {connection.conn_id!r}: the password holds a blank at its end, a line break or a character "
            f"that no header can carry; is it the vendor's {called}?"
        )
    return str(password)


def extra(connection: Any, name: str) -> Any:
    """Give a value of a connection's extra, or None.

    :raises ConnectionSettingsError: if the extra is no JSON object.
    """
    values = connection.extra_dejson
    if not isinstance(values, dict):
        raise ConnectionSettingsError(f"connection {connection.conn_id!r}: its extra must be a JSON object")
    return values.get(name)


def _split(url: str, where: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises where the port is no number
    except ValueError:
        raise ConnectionSettingsError(f"{where}: the host is no address") from None
    if parts.scheme not in {"http", "https"}:
        raise ConnectionSettingsError(f"{where}: the host's scheme is neither https nor http")
    if not parts.hostname or any(character.isspace() for character in url):
        raise ConnectionSettingsError(f"{where}: the host is no address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConnectionSettingsError(f"{where}: the host holds more than an address; the key is the password")
    return parts


def _scheme(url: str) -> str | None:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return None


def _allows_http(connection: Any) -> bool:
    """Tell whether the extra says so: `true`, which is text where a connection is written as a URI."""
    return str(extra(connection, "allow_http")).strip().lower() == "true"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad_extra(connection: Any, name: str, wanted: str) -> ConnectionSettingsError:
    return ConnectionSettingsError(f"connection {connection.conn_id!r}: {name!r} in its extra must be {wanted}")
