"""TLS certificates: those to trust, and the client's own."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import certifi

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.extras import extra_text, wrong

Client = str | tuple[str, str]
"""The path of a file with the client's certificate and key, or the paths of both, as `requests` accepts them."""


class _EncryptedError(Exception):
    """A key is encrypted and needs a password."""


def client_certificate(connection: Any) -> Client | None:
    """Return the client's certificate that a connection names, after checking that it can be used; None if none.

    :raises ConnectionSettingsError: if a file can't be read, or certificate and key don't belong together.
    """
    certificate, key = (_path(connection, name) for name in ("client_cert", "client_key"))
    if certificate is None and key is not None:
        raise wrong(connection, "'client_key' in its extra needs 'client_cert' beside it")
    if certificate is None:
        return None
    client = (certificate, key) if key else certificate
    _check_file(connection, "client_cert", certificate, b"CERTIFICATE-----", "certificate")
    if key:
        name, path, what = "client_key", key, "private key"
    else:
        name, path, what = "client_cert", certificate, "private key, and 'client_key' names none"
    _check_file(connection, name, path, b"PRIVATE KEY-----", what)
    try:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), client)
    except _EncryptedError:
        reason = "is encrypted: a key without a password is needed"
    except ssl.SSLError as error:
        reason = "is another certificate's key" if "MISMATCH" in (error.reason or "") else "can't be used"
    else:
        return client
    raise wrong(connection, f"{name!r} in its extra {reason}") from None


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
    return extra_text(connection, name, lambda text: "-----BEGIN" not in text, "the path of a file")


def _check_file(connection: Any, name: str, path: str, mark: bytes, what: str) -> None:
    """Check that a file can be read and contains what it should: OpenSSL's errors don't tell these apart."""
    try:
        holds = mark in Path(path).read_bytes()
    except (OSError, ValueError):
        raise wrong(connection, f"{name!r} in its extra names a file that can't be read") from None
    if not holds:
        raise wrong(connection, f"the file of {name!r} in its extra contains no {what}")
