"""GeroSense's double: 3 to 1000 samples a request."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

from airflow_provider_userdata.sandbox.answers import FakeAnswer, drop, respond
from airflow_provider_userdata.sandbox.arrivals import JsonObject
from airflow_provider_userdata.sandbox.faults import ScriptedFault
from airflow_provider_userdata.sandbox.gerosense_users import (
    LOGIN,
    Registrations,
    Tokens,
    bearer,
    calculation,
    check_id,
)
from airflow_provider_userdata.sandbox.reading import ContractBreach, only_keys, read_json
from airflow_provider_userdata.sandbox.vendor import FakeVendor

_REQUIRED = ("device_name", "start_date", "unit", "value")
_KNOWN = frozenset({*_REQUIRED, "device_version", "end_date"})
_LIMITS = {"count": 30000, "count/min": 300, "count/s": None}
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]"
    r"(?::[0-5][0-9](?:\.[0-9]{1,6}([0-9]*))?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
)


class FakeGerosense(FakeVendor):
    """``POST /api/v1.1/samples`` and ``GET /api/status``, as GeroSense's pages have them (G1-G3, G5-G8, G10, G13).

    And for many users (G14): where ``user_tokens`` names them, the proxy takes more tokens, one a user. The direct API
    has ``POST /api/v1.0/login/access-token``, ``/api/v2.2/user``, ``/api/v2.2/samples`` and ``…/bioage/calculate``.

    Stricter than the page, which says nothing about it: keys that it doesn't name, nulls, blank device names,
    timestamps without an offset, and ISO 8601 in other forms than the page's example are refused.

    ``maintenance`` can be set: then the status says so, and every POST is answered with 503. ``registered_only`` can be
    set: then the direct API refuses samples of users that were not registered.
    """

    name = "gerosense"
    title = "GeroSense"
    key = "sandbox-gerosense-token"
    paths = ("/api/",)
    key_trial: ClassVar[JsonObject] = {"data": []}

    def reset(self) -> None:
        """Forget what arrived, the script, and every setting."""
        super().reset()
        self.maintenance = False
        self.registered_only = False
        self.tokens = Tokens(self.key)
        self.registrations = Registrations()
        self.calculated: list[JsonObject] = []
        self.user_tokens: dict[str, str] = {}
        """Tokens of the proxy, with the users that they stand for."""

    def connections(self, url: str) -> dict[str, JsonObject]:
        """Return the proxy's connection, and an account with the direct API, for many users (G14)."""
        found = super().connections(url)
        (proxy,) = found.values()
        return {**found, "gerosense_direct": {**proxy, "login": LOGIN, "extra": {"api": "direct"}}}

    def routes(self) -> list[web.RouteDef]:
        """Its paths."""
        return [
            web.post("/api/v1.1/samples", self.post),
            web.get("/api/status", self.status),
            web.post("/api/v1.1/bioage/calculate", self.calculate),
            web.post("/api/v1.0/login/access-token", self.log_in),
            web.post("/api/v2.2/user", self.register),
            web.post("/api/v2.2/samples", self.post),
            web.post("/api/v2.2/bioage/calculate", self.calculate),
        ]

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """``POST /api/v1.0/login/access-token``: a form with the account gives a token (G14)."""
        self.tokens.asked += 1
        return respond(self.closed() or self.tokens.log_in(await request.post()))

    async def register(self, request: web.Request) -> web.StreamResponse:
        """``POST /api/v2.2/user``: register a user (G14)."""
        barred = self.closed() or self.tokens.use(request)
        said = barred or self.registrations.register(request, await request.read())
        return drop(request) if said is None else respond(said)

    async def calculate(self, request: web.Request) -> web.StreamResponse:
        """``POST …/bioage/calculate``: ask for a user's biological age (G14)."""
        if barred := self.closed() or self.barred(request):
            return respond(barred)
        user = None if _is_direct(request) else self.user_tokens.get(bearer(request), "")
        try:
            self.calculated.append(calculation(request, await request.read(), user))
        except ContractBreach as refused:
            return respond(self.refusal(refused))
        return respond(FakeAnswer(200))

    def barred(self, request: web.Request) -> FakeAnswer | None:
        """Return the answer to a request without a good token; None if it has one."""
        if _is_direct(request):
            return self.tokens.use(request)
        if self.authorised(request) or bearer(request) in self.user_tokens:
            return None
        return self.error(401, "the key is missing or wrong")

    async def status(self, _: web.Request) -> web.Response:
        """``GET /api/status``: open to everybody, as the vendor's own example has no token (G13)."""
        status = "Maintenance" if self.maintenance else "Ok"
        return web.json_response({"status": status, "minimal_api_version": "v1.0"})

    def closed(self) -> FakeAnswer | None:
        """In maintenance it takes nothing (G13)."""
        return self.error(503, "maintenance") if self.maintenance else None

    def accepted_share(self, fault: ScriptedFault) -> float:
        """Under a 207, the first half (G10)."""
        return 0.5 if fault.status == 207 else super().accepted_share(fault)

    def check(self, request: web.Request, body: bytes) -> list[JsonObject]:
        """Each sample, with the data type of its request (G2, G3)."""
        value = read_json("G1", request, body)
        direct = _is_direct(request)
        upload = only_keys("G1", value, (), ("user_id", "data_type", "data") if direct else ("data_type", "data"))
        data_type, samples = upload["data_type"], upload["data"]
        if data_type not in ("steps", "bpm"):
            raise ContractBreach("G2", ("data_type",), "must be steps or bpm")
        if not isinstance(samples, list):
            raise ContractBreach("G3", ("data",), "must be an array")
        if not 3 <= len(samples) <= 1000:
            raise ContractBreach("G3", ("data",), "must have 3 to 1000 samples")
        for position, sample in enumerate(samples):
            try:
                _check_sample(sample)
            except ContractBreach as refused:
                refused.loc = ("data", position, *refused.loc)
                raise
        whose = self._whose(upload) if direct else _known(self.user_tokens.get(bearer(request)))
        return [{**whose, "data_type": data_type, **sample} for sample in samples]

    def _whose(self, upload: JsonObject) -> JsonObject:
        check_id(upload["user_id"], "user_id")
        if self.registered_only and upload["user_id"] not in self.registrations.users:
            raise ContractBreach("G14", ("user_id",), "must be a registered user")
        return {"user_id": upload["user_id"]}

    def success(self, *, receipt: bool) -> FakeAnswer:  # noqa: ARG002 - the status is the receipt
        """200 and nothing else (G10)."""
        return FakeAnswer(200)

    def refusal(self, refused: ContractBreach) -> FakeAnswer:
        """400: no sample of the request is accepted (G10)."""
        return FakeAnswer.json(400, {"message": refused.message, "rule": refused.rule, "path": refused.path})

    def error(self, status: int, message: str) -> FakeAnswer:
        """Other errors have a message."""
        return FakeAnswer(status) if status == 207 else FakeAnswer.json(status, {"message": message})

    def check_fault(self, fault: ScriptedFault) -> None:
        """Refuse a fault that means nothing at GeroSense."""
        if not fault.receipt:
            raise ValueError("GeroSense's receipt is its 200: there is none to leave out")


def _is_direct(request: web.Request) -> bool:
    return request.path.startswith("/api/v2.2/")


def _known(user: str | None) -> JsonObject:
    return {} if user is None else {"user_id": user}


def _check_sample(sample: Any) -> None:
    only_keys("G5", sample, (), _REQUIRED, _KNOWN)
    if not isinstance(sample["device_name"], str) or not sample["device_name"].strip():
        raise ContractBreach("G5", ("device_name",), "must be a string that is not blank")
    if not isinstance(sample.get("device_version", ""), str):
        raise ContractBreach("G5", ("device_version",), "must be a string, where it is given")
    start = _instant(sample, "start_date")
    if "end_date" in sample and _instant(sample, "end_date") < start:
        raise ContractBreach("G6", ("end_date",), "must not be earlier than start_date")
    _check_value(sample["unit"], sample["value"])


def _instant(sample: JsonObject, field: str) -> tuple[datetime, str]:
    """Read an instant that can be compared; the digits beyond its microseconds beside it."""
    value = sample[field]
    match = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ContractBreach("G7", (field,), "must be an ISO 8601 timestamp with an offset")
    try:
        return datetime.fromisoformat(value), (match[1] or "").rstrip("0")
    except ValueError:
        raise ContractBreach("G7", (field,), "must be a date that the calendar has") from None


def _check_value(unit: Any, value: Any) -> None:
    if not isinstance(unit, str) or unit not in _LIMITS:
        raise ContractBreach("G8", ("unit",), "must be count, count/min or count/s")
    if type(value) is not int and type(value) is not float:  # a bool is an int, but no number
        raise ContractBreach("G8", ("value",), "must be a number")
    if value <= 0:
        raise ContractBreach("G8", ("value",), "must be bigger than 0")
    limit = _LIMITS[unit]
    if limit is not None and value > limit:
        raise ContractBreach("G8", ("value",), f"must be at most {limit} for unit {unit}")
