"""Connections to be made hooks of, and a server that looks at what they send."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.hooks.gerosense import GerosenseHook
from airflow_provider_userdata.hooks.ptengine import PtengineHook
from airflow_provider_userdata.hooks.thymia import ThymiaHook

HOOKS: dict[str, type[VendorHook]] = {"thymia": ThymiaHook, "gerosense": GerosenseHook, "ptengine": PtengineHook}
KEY = "a-key-of-the-tests"


@pytest.fixture
def key() -> str:
    """Give the key that the connections have."""
    return KEY


@pytest.fixture
def hooks() -> dict[str, Any]:
    """Give the hooks' classes by vendor."""
    return dict(HOOKS)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., VendorHook]:
    """Define a connection, as JSON or as a URI, and give its hook: ``connect("thymia", host=…)``."""

    def define(vendor: str, uri: str | None = None, **fields: Any) -> VendorHook:
        value = uri.format(key=KEY) if uri else json.dumps({"conn_type": vendor, "password": KEY, **fields})
        monkeypatch.setenv("AIRFLOW_CONN_MINE", value)
        return HOOKS[vendor]("mine")

    return define


class Requests(ThreadingHTTPServer):
    """A server that redirects, or never answers, and keeps the headers that it saw."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[dict[str, str]] = []
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Answers as `Requests` says."""

    server: Requests

    def do_GET(self) -> None:
        """Redirect to another host, hang, or answer 200."""
        self.server.seen.append({"path": self.path, **dict(self.headers)})
        if self.path.endswith("/hang"):
            self.server.go_on.wait(10)
        self.send_response(302 if self.path.endswith("/away") else 200)
        self.send_header("Location", "http://localhost.invalid/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Vendor(ThreadingHTTPServer):
    """A server that gives the answer that it is told to whatever tries a key, and keeps all requests.

    GeroSense's status is answered as a healthy GeroSense does.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), VendorHandler)
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
        self.status = b'{"status": "Ok", "minimal_api_version": "v1.0"}'
        self.seen: list[tuple[str, str, bytes]] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def tried(self) -> list[tuple[str, str, bytes]]:
        """Method, path and body of the requests, without those for GeroSense's status."""
        return [request for request in self.seen if request[1] != "/api/status"]


class VendorHandler(BaseHTTPRequestHandler):
    """Answers as `Vendor` says."""

    server: Vendor

    def do_GET(self) -> None:
        """Answer the status, or what tries a key."""
        self._answer()

    def do_POST(self) -> None:
        """Answer what tries a key."""
        self._answer()

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, sent))
        asks = self.path == "/api/status"
        status, headers, body = (200, {}, self.server.status) if asks else self.server.answer
        self.send_response(status)
        for name, text in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def vendor_server() -> Iterator[Vendor]:
    """Run a server that stands for a vendor: ``vendor_server.answer = (401, {}, b"")``."""
    with Vendor() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server() -> Iterator[Requests]:
    """Run the server."""
    with Requests() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.go_on.set()
        server.shutdown()
