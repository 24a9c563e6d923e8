"""The sandbox: the three vendors on one port of this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from airflow_provider_userdata import registry
from airflow_provider_userdata.sandbox.control import Control
from airflow_provider_userdata.sandbox.gerosense import FakeGerosense
from airflow_provider_userdata.sandbox.ptengine import FakePtengine
from airflow_provider_userdata.sandbox.thymia import FakeThymia
from airflow_provider_userdata.sandbox.vendor import FakeVendor

#: The keys that the sandbox takes. They open nothing else.
SANDBOX_KEYS = {vendor.name: vendor.key for vendor in registry.fakes()}

_LARGEST_BODY = 64 * 1024 * 1024
# How many seconds answers in progress have to end in, when the sandbox does.
_PATIENCE = 0.1


class Sandbox:
    """Thymia, GeroSense and Ptengine on this machine, strict about their contracts, with faults on request.

    It runs in a thread with an event loop of its own, so that tests can use it in process::

        with Sandbox() as sandbox:
            sandbox.ptengine.script("429 retry-after=1", "503 x2")
            ...  # upload to sandbox.url with SANDBOX_KEYS["ptengine"]
            assert sandbox.ptengine.counts.records == 100

    :param host: the address to listen on; only loopback.
    :param port: the port; 0 takes a free one.
    :param keep: how many of the last requests and records of each vendor to keep; None keeps all, for tests.
    :raises ValueError: where the address is not loopback: whoever reaches the sandbox sees what was sent to it.
    """

    thymia: FakeThymia
    gerosense: FakeGerosense
    ptengine: FakePtengine

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, keep: int | None = 1000) -> None:
        self._host = _loopback(host)
        self._port = port
        #: The vendors by name. Each is an attribute, too.
        self.vendors: dict[str, FakeVendor] = {fake.name: fake(keep) for fake in registry.fakes()}
        vars(self).update(self.vendors)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base address of all three vendors."""
        if self._loop is None:
            raise RuntimeError("the sandbox is not running")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def page(self) -> str:
        """The address of the page that shows what arrived."""
        return f"{self.url}/sandbox"

    def start(self) -> None:
        """Listen; returns when connections are taken.

        :raises OSError: where the port is taken.
        """
        if self._thread is not None:
            raise RuntimeError("a sandbox is started once")
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="userdata-sandbox", daemon=True)
        self._thread.start()
        ready.result()

    def stop(self) -> None:
        """Close every connection, those that hang too, and end."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._loop = None

    def reset(self) -> None:
        """Forget what arrived, every script and every setting."""
        for vendor in self.vendors.values():
            vendor.reset()

    def random_faults(self, vendor: str, *, seed: int, chances: Mapping[str, float]) -> None:
        """Let chance decide at one vendor, whenever its script is empty.

        :param vendor: ``"thymia"``, ``"gerosense"`` or ``"ptengine"``.
        :param seed: makes it repeatable.
        :param chances: each fault's probability, such as ``{"503": 0.03, "cut after accepting": 0.02}``.
        """
        self.vendors[vendor].random_faults(seed=seed, chances=chances)

    def connections(self) -> dict[str, str]:
        """Return the environment variables that make Airflow's connections lead here.

        They are the vendors' default connections, and `gerosense_direct`, an account with the direct API.
        """
        return {
            f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields)
            for vendor in self.vendors.values()
            for name, fields in vendor.connections(self.url).items()
        }

    def _run(self, ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except Exception as error:  # whatever it is, `start` raises it where it can be seen
            if ready.done():
                raise
            ready.set_exception(error)

    async def _serve(self, ready: Future[None]) -> None:
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=_PATIENCE)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self._port = runner.addresses[0][1]
            self._loop = asyncio.get_running_loop()
            ready.set_result(None)
            await self._stopping.wait()
        finally:
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_LARGEST_BODY, middlewares=[self._errors_as_json])
        for vendor in self.vendors.values():
            application.add_routes(vendor.routes())
        application.add_routes(Control(self.vendors).routes())
        return application

    @web.middleware
    async def _errors_as_json(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer wrong paths and methods in the words of the vendor that was meant."""
        try:
            return await handler(request)
        except web.HTTPException as error:
            meant = (vendor for vendor in self.vendors.values() if request.path.startswith(vendor.paths))
            answer = next(meant, self.thymia).error(error.status, error.reason)
            allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return web.Response(status=error.status, body=answer.body, headers=allow, content_type="application/json")


def _loopback(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"  # one address: on two, a free port would be two ports
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host
    raise ValueError(f"the sandbox listens on loopback only, such as 127.0.0.1, not on {host!r}")
