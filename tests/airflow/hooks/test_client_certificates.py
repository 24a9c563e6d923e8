"""A server that asks for a client's certificate: sessions and deliveries show it alike."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_provider_userdata.delivery.sending.transport import NoAnswer, Transport
from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.hooks.forms import connection_type
from airflow_provider_userdata.vendors.answers import Answer

Connect = Callable[..., VendorHook]


class Handler(BaseHTTPRequestHandler):
    """Answers whom it knows."""

    def do_GET(self) -> None:
        """Say that the service is ready."""
        body = b'{"status": "Ok"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Refuse what only tries a key."""
        self.send_response(400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def asking(authority: Any) -> Iterator[str]:
    """Run a server that asks for certificates of the tests' authority."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        tls = authority.server("127.0.0.1", asks=True)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def files(authority: Any, tmp_path: Path) -> dict[str, str]:
    """Write a client's certificate and its key: in one file, in two, and the key with a password."""
    both = authority.certificate("client")
    key = serialization.load_pem_private_key(both.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    certificate, _, plain = both.read_text().partition("-----BEGIN PRIVATE KEY")
    made = {
        "certificate": certificate,
        "key": "-----BEGIN PRIVATE KEY" + plain,
        "encrypted": encrypted.decode(),
        "both, encrypted": certificate + encrypted.decode(),
        "broken": "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
        "empty": "",
    }
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    paths = {name: str(tmp_path / name) for name in made}
    return {**paths, "both": str(both), "another's": str(authority.certificate("another")), "folder": str(tmp_path)}


def _delivered(hook: VendorHook) -> Answer | NoAnswer:
    async def ask() -> Answer | NoAnswer:
        async with Transport(hook.endpoint()) as transport:
            return await transport.get("/api/status")

    return asyncio.run(ask())


@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("given", [("both", None), ("certificate", "key")])
def test_a_certificate_is_shown(
    asking: str, connect: Connect, authority: Any, files: dict[str, str], given: tuple[str, str | None], verified: bool
) -> None:
    """With its key beside it or in it, and whether the server's own is checked or not."""
    extra: dict[str, Any] = {"client_cert": files[given[0]], "verify": str(authority.path) if verified else False}
    if given[1]:
        extra["client_key"] = files[given[1]]
    hook = connect("gerosense", host=asking, extra=extra)

    with hook.get_conn() as session:
        assert session.get(hook.get_url("/api/status")).status_code == 200
    answer = _delivered(hook)
    assert isinstance(answer, Answer)
    assert answer.status == 200
    assert hook.test_connection()[0]


def test_without_one_the_extras_are_named(asking: str, connect: Connect, authority: Any) -> None:
    """The server hangs up, which it may do for other reasons."""
    hook = connect("gerosense", host=asking, extra={"verify": str(authority.path)})

    works, said = hook.test_connection()
    answer = _delivered(hook)

    assert isinstance(answer, NoAnswer)
    assert not works
    for text in (said, answer.reason):
        assert "client certificate" in text


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        (None, "key", "'client_key' in its extra needs 'client_cert' beside it"),
        (
            "certificate",
            None,
            "the file of 'client_cert' in its extra contains no private key, and 'client_key' names none",
        ),
        ("key", None, "the file of 'client_cert' in its extra contains no certificate"),
        ("certificate", "certificate", "the file of 'client_key' in its extra contains no private key"),
        ("certificate", "another's", "'client_key' in its extra is another certificate's key"),
        ("both", "another's", "'client_key' in its extra is another certificate's key"),
        ("certificate", "encrypted", "'client_key' in its extra is encrypted: a key without a password is needed"),
        ("both, encrypted", None, "'client_cert' in its extra is encrypted"),
        ("broken", "key", "'client_key' in its extra can't be used"),
        ("empty", "key", "the file of 'client_cert' in its extra contains no certificate"),
        ("folder", "key", "'client_cert' in its extra names a file that can't be read"),
        ("/nowhere/client.pem", "key", "'client_cert' in its extra names a file that can't be read"),
        ("certificate", "/nowhere/client.key", "'client_key' in its extra names a file that can't be read"),
        ("certificate", "a\0b", "'client_key' in its extra names a file that can't be read"),
        (17, None, "'client_cert' in its extra must be the path of a file"),
        ("-----BEGIN CERTIFICATE-----\nMIIB", None, "'client_cert' in its extra must be the path of a file"),
        ("certificate", True, "'client_key' in its extra must be the path of a file"),
    ],
)
def test_files_that_cannot_be_used(
    connect: Connect, files: dict[str, str], certificate: Any, key: Any, said: str
) -> None:
    """Each is said before anything is sent, for sessions, deliveries and *Test*, without the file's content."""
    extra = {"client_cert": files.get(certificate, certificate), "client_key": files.get(key, key)}
    hook = connect("gerosense", host="https://proxy.example", extra=extra)

    for use in (hook.endpoint, hook.get_conn):
        with pytest.raises(ConnectionSettingsError) as raised:
            use()
        assert f"connection 'mine': {said}" in str(raised.value)
        assert "MIIB" not in str(raised.value)
    assert hook.test_connection() == (False, str(raised.value).replace("connection 'mine'", "this connection"))


def test_blank_fields_of_a_form_are_none(connect: Connect) -> None:
    """A form sends them along."""
    hook = connect("gerosense", host="https://proxy.example", extra={"client_cert": "", "client_key": None})

    assert isinstance(hook.endpoint().tls, ssl.SSLContext)


def test_forms_have_them() -> None:
    """Those of Airflow 3 by the provider's metadata, from which Airflow 2's are made."""
    assert {"client_cert", "client_key"} <= set(connection_type("gerosense")["conn-fields"])
