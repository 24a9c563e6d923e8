"""Reads and checks the addresses of a connection: the vendor's and the proxy's. Without any I/O."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Any
from urllib.parse import SplitResult, urlsplit

import idna

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.extras import allows_http, extra_text, wrong

_SCHEMES = frozenset({"http", "https"})


def base_url(connection: Any, default: str | None, paths: Collection[str] = ()) -> str:
    """Return the scheme, host, port and path of a connection, without a slash at the end.

    :param connection: an Airflow connection.
    :param default: the vendor's own address, or None if each customer has a different one.
    :param paths: the paths of the vendor's API, which are added to the address for each request.
    :raises ConnectionSettingsError: if there is no host, or one that can't be used.
    """
    try:
        parts = _split(connection, _written(connection, default))
        name = _as_ascii(str(parts.hostname))
    except ValueError:
        raise wrong(connection, "the host is not a valid address") from None
    port = connection.port if parts.port is None else parts.port
    if port is not None and not 0 < port < 65536:
        raise wrong(connection, "the port must be from 1 to 65535")
    if parts.scheme == "http" and not (_is_loopback(str(parts.hostname)) or allows_http(connection)):
        reason = f"http would send the key and the data unencrypted to {name}"
        raise wrong(connection, f'{reason}; use https, or set "allow_http": true in its extra')
    own = default is not None and f".{name}".endswith(f".{urlsplit(default).hostname}")
    if part := _api_path(parts.path, paths, shortest=1 if own else 2):
        reason = "the host contains a path of the API, which is added for each request"
        raise wrong(connection, f"{reason}: remove {part!r} and what follows it")
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def doubtful_parts(connection: Any) -> list[str]:
    """Return a clause for each part of a connection's address that may not be meant so, for the user.

    :param connection: an Airflow connection whose address can be used.
    """
    host, port = (connection.host or "").strip(), connection.port
    with_scheme = "://" in host
    parts = urlsplit(_bracketed(host if with_scheme else f"https://{host}"))
    found = []
    if with_scheme and (connection.schema or parts.scheme).strip().lower() != parts.scheme:
        found.append(f"its scheme is not used, because the host begins with {parts.scheme}://")
    if parts.port is not None and port not in {None, parts.port}:
        found.append(f"its port is not used, because the host names port {parts.port}")
    if not host and port is not None:
        found.append(f"its port {port} is added to the vendor's own host, because it names no host")
    return found


def maybe_twice(url: str, paths: Collection[str]) -> str | None:
    """Return the end of an address's path if an API path begins with it too: by mistake, or as a proxy's own."""
    return _api_path(urlsplit(url).path, paths, shortest=1)


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
    return reachable and not more and parts.scheme in _SCHEMES


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


def _written(connection: Any, default: str | None) -> str:
    """Return a connection's address as it is written, with its scheme."""
    host = (connection.host or "").strip()
    if not host and default is None:
        reason = "has no host: it is the address that the vendor gave you, https://…"
        raise ConnectionSettingsError(f"connection {connection.conn_id!r} {reason}")
    host = host or str(default)
    if "://" in host:
        return _bracketed(host)
    scheme = (connection.schema or "https").strip().lower()
    if scheme not in _SCHEMES:
        raise wrong(connection, "the scheme must be the word https or http, and nothing else")
    return _bracketed(f"{scheme}://{host}")


def _split(connection: Any, url: str) -> SplitResult:
    """Return the parts of an address; raise `ValueError` if it isn't one."""
    parts = urlsplit(url)
    parts.port  # noqa: B018  # raises if the port is not a number
    if parts.scheme not in _SCHEMES:
        raise wrong(connection, "the host's scheme is neither https nor http")
    if not parts.hostname or any(character.isspace() for character in url):
        raise ValueError
    if parts.username or parts.password or parts.query or parts.fragment:
        raise wrong(connection, "the host contains more than an address; the key is the password")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
