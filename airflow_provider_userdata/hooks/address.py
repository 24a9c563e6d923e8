"""From an Airflow connection to the vendor's address and the way there: pure, and strict."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import idna

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.forms import TIMEOUT

_UNSEEN = "\ufeff\u200b\u2060"
_QUOTES = frozenset({'""', "''", "``", "“”", "„“", "«»"})
_HEADER = re.compile(r"""\W*(?:-H\W+)?(Authorization|x-api-key)["']?\s*[:=]""", re.IGNORECASE)
_BEARER = re.compile(r"\W*bearer[\s:]", re.IGNORECASE)


def base_url(connection: Any, default: str | None, paths: Collection[str] = ()) -> str:
    """Give scheme, host, port and path of a connection, without a slash at the end.

    :param connection: an Airflow connection.
    :param default: the vendor's own address, or None where each customer has another.
    :param paths: those of the vendor's API, which requests add themselves.
    :raises ConnectionSettingsError: if there is no host, or one that can't be used.
    """
    where = f"connection {connection.conn_id!r}"
    host = (connection.host or "").strip() or default
    if not host:
        raise ConnectionSettingsError(f"{where} has no host: it is the address that the vendor gave you, https://…")
    scheme = (connection.schema or "https").strip().lower()
    parts = _split(_bracketed(host if "://" in host else f"{scheme}://{host}"), where)
    port = parts.port or connection.port
    name = _encoded(parts.hostname or "", where)
    if not 0 < (port or 1) < 65536:
        raise ConnectionSettingsError(f"{where}: the port is none that an address can have")
    if parts.scheme == "http" and not (_is_loopback(parts.hostname or "") or _allows_http(connection)):
        raise ConnectionSettingsError(
            f"{where}: http would send the key and the data unencrypted to {name}; "
            'use https, or say "allow_http": true in its extra'
        )
    own = default is not None and f".{name}".endswith(f".{urlsplit(default).hostname}")
    if part := _api_path(parts.path, paths, shortest=1 if own else 2):
        raise ConnectionSettingsError(
            f"{where}: the host holds a path of the API, which requests add themselves: leave out {part!r}, "
            "and what follows it"
        )
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def maybe_twice(url: str, paths: Collection[str]) -> str | None:
    """Give the end of an address that the API's paths begin with: a proxy's own path may be called so, or not."""
    return _api_path(urlsplit(url).path, paths, shortest=1)


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
    if not isinstance(value, str) or not is_proxy(value):
        raise _bad_extra(
            connection,
            "proxy",
            "an address such as http://host:port or http://user:password@host:port; "
            "signs such as @, / and # are percent-encoded in a password",
        )
    return value


def is_proxy(url: str) -> bool:
    """Say whether an address can be a proxy's."""
    try:
        parts = urlsplit(url)
        reachable = parts.port != 0 and bool(_as_ascii(parts.hostname or ""))
    except ValueError:
        return False
    more = parts.path.strip("/") or parts.query or parts.fragment or any(sign.isspace() for sign in url)
    return reachable and not more and parts.scheme in {"http", "https"}


def credential(connection: Any, called: str) -> str:
    """Give a connection's password.

    :param called: what the vendor calls it.
    :raises ConnectionSettingsError: if there is none, or one that no header can carry, or that holds more than it.
    """
    password = connection.password or ""
    if not password.strip():
        raise ConnectionSettingsError(f"connection {connection.conn_id!r} has no password: it is the vendor's {called}")
    if found := _beside_the_key(password):
        raise ConnectionSettingsError(
            f"connection {connection.conn_id!r}: the password holds {found}; "
            f"it must be the vendor's {called} and nothing else"
        )
    return str(password)


def extra(connection: Any, name: str) -> Any:
    """Give a value of a connection's extra, or None.

    :raises ConnectionSettingsError: if the extra is no JSON object.
    """
    return extras(connection).get(name)


def extras(connection: Any) -> Mapping[str, Any]:
    """Return all of a connection's extra.

    :raises ConnectionSettingsError: if the extra is not a JSON object. Airflow takes what isn't JSON for nothing.
    """
    where, text = f"connection {connection.conn_id!r}", connection.extra or ""
    if text.isspace():
        return {}
    try:
        json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise ConnectionSettingsError(
            f"{where}: its extra is not valid JSON (line {error.lineno}, column {error.colno})"
        ) from None
    values = connection.extra_dejson
    if not isinstance(values, dict):
        raise ConnectionSettingsError(f"{where}: its extra must be a JSON object")
    return values


def _beside_the_key(password: str) -> str | None:
    """Name what was pasted along with a key, or can't be a part of one."""
    bare = password.strip().strip(_UNSEEN)
    if header := _HEADER.match(bare):
        return f"{'Authorization' if header[1][0] in 'aA' else 'x-api-key'!r} before it"
    if _BEARER.match(bare):
        return "'Bearer' before it"
    if bare[0] + bare[-1] in _QUOTES and len(bare) > 1:
        return "quotes around it"
    if bare != password:
        return "a blank or a line break at its end"
    return None if bare.isascii() and bare.isprintable() else "a character that no header can carry"


def _api_path(given: str, paths: Collection[str], shortest: int) -> str | None:
    """Find one of the API's paths in another path, or at its end the beginning of one.

    :param shortest: how many segments such a beginning has at least.
    """
    segments = [segment for segment in given.split("/") if segment]
    for path in paths:
        wanted = path.strip("/").split("/")
        for start in range(len(segments)):
            rest = segments[start : start + len(wanted)]
            if rest == wanted[: len(rest)] and (len(rest) == len(wanted) or len(rest) >= shortest):
                return "/" + "/".join(rest)
    return None


def _bracketed(url: str) -> str:
    """Put an IPv6 address into brackets: Airflow takes them off a URI's."""
    scheme, _, rest = url.partition("://")
    try:
        return f"{scheme}://[{ipaddress.IPv6Address(rest)}]"
    except ValueError:
        return url


def _encoded(host: str, where: str) -> str:
    """Write a host's name as name servers know it, and an IPv6 address in brackets."""
    try:
        return f"[{host}]" if ":" in host else _as_ascii(host)
    except ValueError:
        raise ConnectionSettingsError(f"{where}: the host is no address") from None


def _as_ascii(host: str) -> str:
    """Encode a host's name as `requests` does (IDNA), and see that Python and aiohttp take it, too."""
    name = host if host.isascii() else idna.encode(host, uts46=True).decode()
    name.encode("idna")
    if name.replace(".", "").isdigit():
        ipaddress.IPv4Address(name)
    return name


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
