"""The sandbox's own addresses, under ``/sandbox``: to look at what arrived, and to script what happens next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from airflow_provider_userdata.sandbox.arrivals import Arrival
from airflow_provider_userdata.sandbox.faults import seconds
from airflow_provider_userdata.sandbox.limits import VendorRateLimit
from airflow_provider_userdata.sandbox.page import render
from airflow_provider_userdata.sandbox.vendor import FakeVendor

# The page shows what anybody sent: even if an escape were missing, nothing could be loaded or sent elsewhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


class Control:
    """Shows and scripts the vendors over HTTP.

    :param vendors: the vendors by name.
    """

    def __init__(self, vendors: Mapping[str, FakeVendor]) -> None:
        self._vendors = vendors

    def routes(self) -> list[web.RouteDef]:
        """Its paths."""
        return [
            web.get("/sandbox", self.page),
            web.get("/sandbox/arrived.json", self.all_arrived),
            web.get("/sandbox/arrived/{vendor:[a-z]+}.json", self.arrived),
            web.put("/sandbox/faults/{vendor}", self.put_faults),
            web.delete("/sandbox/faults/{vendor}", self.clear_faults),
            web.put("/sandbox/settings/{vendor}", self.put_settings),
            web.post("/sandbox/reset", self.reset),
        ]

    async def page(self, _: web.Request) -> web.Response:
        """``GET /sandbox``: the page."""
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
        return web.Response(text=render(self._vendors), content_type="text/html", charset="utf-8", headers=headers)

    async def all_arrived(self, _: web.Request) -> web.Response:
        """``GET /sandbox/arrived.json``: all three."""
        return web.json_response({name: describe(vendor) for name, vendor in self._vendors.items()})

    async def arrived(self, request: web.Request) -> web.Response:
        """``GET /sandbox/arrived/{vendor}.json``: one of them."""
        return web.json_response(describe(self._vendor(request)))

    async def put_faults(self, request: web.Request) -> web.Response:
        """``PUT /sandbox/faults/{vendor}``: a JSON list of texts replaces the script."""
        return await self._change(request, _rescript)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """``DELETE /sandbox/faults/{vendor}``: forget the script and the random faults."""
        vendor = self._vendor(request)
        vendor.clear_faults()
        return web.json_response(_state(vendor))

    async def put_settings(self, request: web.Request) -> web.Response:
        """``PUT /sandbox/settings/{vendor}``: any of ``latency``, ``maintenance``, ``rate_limit``, ``random``."""
        return await self._change(request, _set)

    async def reset(self, _: web.Request) -> web.Response:
        """``POST /sandbox/reset``: forget what arrived, every script and every setting."""
        for vendor in self._vendors.values():
            vendor.reset()
        return web.json_response({})

    def _vendor(self, request: web.Request) -> FakeVendor:
        vendor = self._vendors.get(request.match_info["vendor"])
        if vendor is None:
            raise web.HTTPNotFound
        return vendor

    async def _change(self, request: web.Request, change: Callable[[FakeVendor, Any], None]) -> web.Response:
        vendor = self._vendor(request)
        try:
            change(vendor, await request.json())
        except (ValueError, TypeError) as error:
            return web.json_response({"detail": str(error)}, status=400)
        return web.json_response(_state(vendor))


def describe(vendor: FakeVendor) -> dict[str, Any]:
    """Put what arrived at a vendor, and what it will do next, as JSON has it."""
    requests = [_request(request) for request in vendor.requests]
    return {"counts": asdict(vendor.counts), **_state(vendor), "requests": requests, "records": vendor.arrived()}


def _request(request: Arrival) -> dict[str, Any]:
    return {
        "path": request.path,
        "status": request.status,
        "at": request.at,
        "seconds": None if request.ended is None else request.ended - request.started,
        "bytes": len(request.body),
        "accepted": request.accepted,
        "fault": request.fault,
        "headers": request.headers,
    }


def _state(vendor: FakeVendor) -> dict[str, Any]:
    limit = vendor.rate_limit
    return {
        "pending": vendor.pending,
        "random": vendor.chances,
        "latency": vendor.latency,
        "rate_limit": asdict(limit) if limit else None,
        "maintenance": getattr(vendor, "maintenance", False),
    }


def _rescript(vendor: FakeVendor, texts: Any) -> None:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError('a script is a list of texts, such as ["429 retry-after=2", "503 x3"]')
    vendor.rescript(*texts)


def _set(vendor: FakeVendor, settings: Any) -> None:
    """Apply settings: all of them, or none where one is wrong."""
    if not isinstance(settings, dict):
        raise ValueError("settings are an object")  # noqa: TRY004 - one kind of error for whoever sent it
    changes = [_setting(vendor, name, value) for name, value in settings.items()]
    for attribute, value in changes:
        setattr(vendor, attribute, value)


def _setting(vendor: FakeVendor, name: str, value: Any) -> tuple[str, Any]:
    """Return the attribute that a setting sets, and its value."""
    if name == "latency":
        return name, seconds(value)
    if name == "rate_limit":
        limit = value if isinstance(value, dict | None) else {"per_second": value}
        return name, None if limit is None else VendorRateLimit(**limit)
    if name in ("maintenance", "registered_only") and hasattr(vendor, name) and isinstance(value, bool):
        return name, value
    if name == "random" and isinstance(value, dict) and value.keys() == {"seed", "chances"}:
        return "chance", vendor.chance_of(**value)
    raise ValueError(
        f"{vendor.title} has no such setting: {name} (latency, rate_limit, random; GeroSense: maintenance, "
        "registered_only)"
    )
