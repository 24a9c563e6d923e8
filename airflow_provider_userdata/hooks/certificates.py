"""TLS certificates: those to trust, and the client's own."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import certifi

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.address import extra

Client = str | tuple[str, str]
"""The path of a file with the client's certificate and key, or the paths of both, as `requests` accepts them."""


class _EncryptedError(Exception):
    """A key is encrypted and needs a password."""


def client_certificate(connection: Any) -> Client | None:
    """Return the client's certificate that a connection names, after checking that it can be used; None if none.

    :raises ConnectionSettingsError: if a file can't be read, or certificate and key don't belong together.
    """
    where = f"connection {connection.conn_id!r}"
    certificate, key = (_path(connection, name) for name in ("client_cert", "client_key"))
    if certificate is None and key is not None:
        raise ConnectionSettingsError(f"{where}: 'client_key' in its extra needs 'client_cert' beside it")
    if certificate is None:
        return None
    client = (certificate, key) if key else certificate
    _holds(where, "client_cert", certificate, b"CERTIFICATE-----", "certificate")
    asked = ("client_key", key) if key else ("client_cert", certificate)
    _holds(where, *asked, b"PRIVATE KEY-----", "private key" if key else "private key, and 'client_key' names none")
    try:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), client)
    except _EncryptedError:
        reason = f"{asked[0]!r} in its extra is encrypted: a key without a password is needed"
    except ssl.SSLError as error:
        mismatch = "MISMATCH" in (error.reason or "")
        reason = f"{asked[0]!r} in its extra " + ("is another certificate's key" if mismatch else "can't be used")
    else:
        return client
    raise ConnectionSettingsError(f"{where}: {reason}") from None


def load(tls: ssl.SSLContext, client: Client) -> None:
    """Load the client's certificate into a TLS context, for servers that ask for one."""

    def password() -> str:  # without it, OpenSSL asks for one on the terminal, and waits
        raise _EncryptedError

    certificate, key = (client, None) if isinstance(client, str) else client
    tls.load_cert_chain(certificate, key, password)


def trusted(settings: Mapping[str, Any], conn_id: str, *, own: bool) -> ssl.SSLContext | bool:
    """Return a TLS context that trusts the same certificates as `requests`; False if nothing is verified.

    Reading them takes as long as sending ten requests.

    :param settings: what `requests` merges from a session and the environment: `verify`, `cert`.
    :param own: whether the connection names the file of certificates to trust.
    :raises ConnectionSettingsError: if that file can't be read.
    """
    verify, client = settings["verify"], settings["cert"]
    if verify is False and client is None:
        return False
    try:
        tls = ssl.create_default_context(cafile=certifi.where() if verify in (True, None, False) else verify)
    except OSError:
        who = "'verify' in its extra" if own else "the environment's REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
        raise ConnectionSettingsError(
            f"connection {conn_id!r}: {who} names a file that can't be read, or has no certificates"
        ) from None
    if verify is False:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    if client is not None:
        load(tls, client)
    return tls


def _path(connection: Any, name: str) -> str | None:
    value = extra(connection, name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or "-----BEGIN" in value:
        raise ConnectionSettingsError(
            f"connection {connection.conn_id!r}: {name!r} in its extra must be the path of a file"
        )
    return value


def _holds(where: str, name: str, path: str, mark: bytes, what: str) -> None:
    """Check that a file can be read and contains what it should: OpenSSL's errors don't tell these apart."""
    try:
        holds = mark in Path(path).read_bytes()
    except (OSError, ValueError):
        raise ConnectionSettingsError(f"{where}: {name!r} in its extra names a file that can't be read") from None
    if not holds:
        raise ConnectionSettingsError(f"{where}: the file of {name!r} in its extra contains no {what}")
