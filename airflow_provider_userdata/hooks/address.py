"""Reads and checks an Airflow connection: the vendor's address, credential, timeout and proxy. Without any I/O."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Collection, Mapping
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
    """Return the scheme, host, port and path of a connection, without a slash at the end.

    :param connection: an Airflow connection.
    :param default: the vendor's own address, or None if each customer has a different one.
    :param paths: the paths of the vendor's API, which are added to the address for each request.
    :raises ConnectionSettingsError: if there is no host, or one that can't be used.
    """
    host = (connection.host or "").strip() or default
    if not host:
        reason = "has no host: it is the address that the vendor gave you, https://…"
        raise ConnectionSettingsError(f"connection {connection.conn_id!r} {reason}")
    scheme = (connection.schema or "https").strip().lower()
    try:
        parts = _split(connection, _bracketed(host if "://" in host else f"{scheme}://{host}"))
        name = _as_ascii(str(parts.hostname))
    except ValueError:
        raise wrong(connection, "the host is not a valid address") from None
    port = parts.port or connection.port
    if not 0 < (port or 1) < 65536:
        raise wrong(connection, "the port must be from 1 to 65535")
    if parts.scheme == "http" and not (_is_loopback(str(parts.hostname)) or _allows_http(connection)):
        reason = f"http would send the key and the data unencrypted to {name}"
        raise wrong(connection, f'{reason}; use https, or set "allow_http": true in its extra')
    own = default is not None and f".{name}".endswith(f".{urlsplit(default).hostname}")
    if part := _api_path(parts.path, paths, shortest=1 if own else 2):
        reason = "the host contains a path of the API, which is added for each request"
        raise wrong(connection, f"{reason}: remove {part!r} and what follows it")
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def maybe_twice(url: str, paths: Collection[str]) -> str | None:
    """Return the end of an address's path if an API path begins with it too: by mistake, or as a proxy's own."""
    return _api_path(urlsplit(url).path, paths, shortest=1)


def timeout(connection: Any) -> float:
    """Return the seconds that a request may take.

    :raises ConnectionSettingsError: if `timeout` in the extra is not a number above 0.
    """
    value = extra(connection, "timeout")
    if value is None:
        return TIMEOUT
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if isinstance(value, bool) or not 0 < seconds < float("inf"):
        raise wrong(connection, "'timeout' in its extra must be a number of seconds above 0")
    return seconds


def verify(connection: Any) -> bool | str:
    """Return how the vendor's certificate is checked: True, False, or the path of the certificates to trust.

    :raises ConnectionSettingsError: if `verify` in the extra is something else.
    """
    value = extra(connection, "verify")
    if value is None:
        return True
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise wrong(connection, "'verify' in its extra must be true, false or a path")
    return value


def proxy(connection: Any) -> str | None:
    """Return the proxy that the connection names, or None.

    :raises ConnectionSettingsError: if `proxy` in the extra is not an address.
    """
    wanted = (
        "an address such as http://host:port or http://user:password@host:port; "
        "characters such as @, / and # are percent-encoded in a password"
    )
    return extra_text(connection, "proxy", is_proxy, wanted)


def is_proxy(url: str) -> bool:
    """Return whether an address can be a proxy's."""
    try:
        parts = urlsplit(url)
        reachable = parts.port != 0 and bool(_as_ascii(parts.hostname or ""))
    except ValueError:
        return False
    more = parts.path.strip("/") or parts.query or parts.fragment or any(sign.isspace() for sign in url)
    return reachable and not more and parts.scheme in {"http", "https"}


def credential(connection: Any, called: str) -> str:
    """Return a connection's password.

    :param connection: an Airflow connection.
    :param called: the vendor's name for it.
    :raises ConnectionSettingsError: if there is none, if a header can't carry it, or if other text was pasted with it.
    """
    password = connection.password or ""
    if not password.strip():
        raise ConnectionSettingsError(f"connection {connection.conn_id!r} has no password: it is the vendor's {called}")
    if found := _beside_the_key(password):
        raise wrong(connection, f"the password contains {found}; it must be the vendor's {called} and nothing else")
    return str(password)


def extra(connection: Any, name: str) -> Any:
    """Return a value of a connection's extra; None if it is empty or missing.

    :raises ConnectionSettingsError: if the extra is not a JSON object.
    """
    value = extras(connection).get(name)
    return None if value == "" else value


def extra_text(connection: Any, name: str, is_valid: Callable[[str], bool], wanted: str) -> str | None:
    """Return a text of a connection's extra; None if it is empty or missing.

    :raises ConnectionSettingsError: if it is not what is wanted.
    """
    value = extra(connection, name)
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


def _beside_the_key(password: str) -> str | None:
    """Return a description of text in a password that is not part of a key; None if there is none."""
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
    """Return the part of a path that is an API path, or at its end the beginning of one; None if there is none.

    :param shortest: the fewest segments of such a beginning.
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
    """Put an IPv6 address into brackets: Airflow removes them from a URI's host."""
    scheme, _, rest = url.partition("://")
    try:
        return f"{scheme}://[{ipaddress.IPv6Address(rest)}]"
    except ValueError:
        return url


def _as_ascii(host: str) -> str:
    """Encode a host's name as `requests` does (IDNA), and check that Python and aiohttp accept it too."""
    if ":" in host:
        return f"[{host}]"  # an IPv6 address
    name = host if host.isascii() else idna.encode(host, uts46=True).decode()
    name.encode("idna")
    if name.replace(".", "").isdigit():
        ipaddress.IPv4Address(name)
    return name


def _split(connection: Any, url: str) -> SplitResult:
    """Return the parts of an address; raise `ValueError` if it isn't one."""
    parts = urlsplit(url)
    parts.port  # noqa: B018  # raises if the port is not a number
    if parts.scheme not in {"http", "https"}:
        raise wrong(connection, "the host's scheme is neither https nor http")
    if not parts.hostname or any(character.isspace() for character in url):
        raise ValueError
    if parts.username or parts.password or parts.query or parts.fragment:
        raise wrong(connection, "the host contains more than an address; the key is the password")
    return parts


def _allows_http(connection: Any) -> bool:
    """Return whether the extra has `"allow_http": true`; the value is text if the connection is written as a URI."""
    return str(extra(connection, "allow_http")).strip().lower() == "true"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
