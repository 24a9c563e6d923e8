"""What the three doubles have in common: their script, their counts, and a POST's way through them."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from dataclasses import replace
from http.client import responses
from typing import ClassVar

from aiohttp import web

from airflow_provider_userdata.sandbox.answers import FakeAnswer, drop, respond, respond_half
from airflow_provider_userdata.sandbox.arrivals import Arrival, Arrivals, Counts, JsonObject
from airflow_provider_userdata.sandbox.faults import ScriptedFault, seconds
from airflow_provider_userdata.sandbox.limits import Bucket, VendorRateLimit
from airflow_provider_userdata.sandbox.reading import ContractBreach
from airflow_provider_userdata.sandbox.script import Scripted

# Bytes. Longer bodies carry data, and are not parsed only to see whether they do.
_LONGEST_KEY_TRIAL = 200


class FakeVendor(Scripted, ABC):
    """One vendor's double: what tests and the control API see of it.

    :param keep: how many requests and records to keep; None: all.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    key: ClassVar[str]
    paths: ClassVar[tuple[str, ...]]
    """What the paths of its API begin with: wrong ones are answered in its words."""
    key_trial: ClassVar[JsonObject | None] = None
    """The body of a POST without data, by which a client tries its key."""

    def __init__(self, keep: int | None) -> None:
        self._arrivals = Arrivals(keep)
        self.reset()

    def reset(self) -> None:
        """Forget what arrived, the script, and every setting."""
        self._arrivals.reset()
        self.clear_faults()
        self._latency = 0.0
        self._bucket: Bucket | None = None

    def connections(self, url: str) -> dict[str, JsonObject]:
        """Return Airflow's connections to the vendor, by their ids.

        :param url: the sandbox's address.
        """
        return {f"{self.name}_default": {"conn_type": self.name, "host": url, "password": self.key}}

    @property
    def latency(self) -> float:
        """Seconds that every POST waits before it is looked at; can be set."""
        return self._latency

    @latency.setter
    def latency(self, value: float) -> None:
        self._latency = seconds(value)

    @property
    def rate_limit(self) -> VendorRateLimit | None:
        """The rate limit; can be set, to a number of requests a second too, or None."""
        return self._bucket.limit if self._bucket else None

    @rate_limit.setter
    def rate_limit(self, value: VendorRateLimit | float | None) -> None:
        limit = value if isinstance(value, VendorRateLimit | None) else VendorRateLimit(value)
        self._bucket = Bucket(limit) if limit else None

    def arrived(self) -> list[JsonObject]:
        """Return the accepted records, in order of arrival, as far as they are kept."""
        return self._arrivals.records()

    @property
    def requests(self) -> list[Arrival]:
        """The POSTs, in order of arrival, as far as they are kept."""
        return self._arrivals.requests()

    @property
    def counts(self) -> Counts:
        """Counts of all that arrived since the last reset."""
        return self._arrivals.counts()

    # What each vendor says about itself.

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Its paths."""

    def authorised(self, request: web.Request) -> bool:
        """Return whether the request carries the key, as its bearer token."""
        return request.headers.get("Authorization") == f"Bearer {self.key}"

    def barred(self, request: web.Request) -> FakeAnswer | None:
        """Return the answer to a request without a good key; None if it has one."""
        return None if self.authorised(request) else self.error(401, "the key is missing or wrong")

    @abstractmethod
    def check(self, request: web.Request, body: bytes) -> list[JsonObject]:
        """Read the records out of a request, or raise :class:`ContractBreach`."""

    @abstractmethod
    def success(self, *, receipt: bool) -> FakeAnswer:
        """Its answer to what it accepts."""

    @abstractmethod
    def refusal(self, refused: ContractBreach) -> FakeAnswer:
        """Its answer to what breaks a rule."""

    @abstractmethod
    def error(self, status: int, message: str) -> FakeAnswer:
        """Its way to word any other error."""

    def namespace(self, request: web.Request) -> str:  # noqa: ARG002 - Thymia needs it
        """Name what, beside a record's content, makes it another record."""
        return ""

    def closed(self) -> FakeAnswer | None:
        """Its answer while it takes nothing at all."""
        return None

    def accepted_share(self, fault: ScriptedFault) -> float:
        """Which share of the valid records is accepted, under a fault."""
        return 1.0 if fault.accepts else 0.0

    # A POST's way.

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Take a POST: rate limit, then the script, then the key, then the rules.

        One that only tries the key meets the same, but is not counted, and uses nothing up: tests count uploads.
        """
        if await self._only_tries_key(request):
            return await self._tried(request) or drop(request)
        entry = self._arrivals.begin(request.rel_url.raw_path, request.headers)
        response: web.StreamResponse | None = None
        try:
            response = await self._respond(request, entry)
        except web.HTTPRequestEntityTooLarge:
            response = respond(self.error(413, "the body is too large for the sandbox"))
        finally:
            self._arrivals.end(entry, None if response is None else response.status)
        return drop(request) if response is None else response

    async def _respond(self, request: web.Request, entry: Arrival) -> web.StreamResponse | None:
        self._arrivals.carry(entry, await request.read())
        if turned_away := self._turned_away():
            return respond(turned_away)
        fault = self.next_fault()
        entry.fault = "" if fault == ScriptedFault() else str(fault)
        return await self._meet(request, entry, fault)

    async def _only_tries_key(self, request: web.Request) -> bool:
        if self.key_trial is None or not 0 < (request.content_length or 0) <= _LONGEST_KEY_TRIAL:
            return False
        try:
            return bool(json.loads(await request.read()) == self.key_trial)
        except ValueError:
            return False

    async def _tried(self, request: web.Request) -> web.StreamResponse | None:
        if closed := self.closed():
            return respond(closed)
        uncounted = Arrival(request.rel_url.raw_path, {}, at=0, started=0, body=await request.read())
        return await self._meet(request, uncounted, self.coming_fault())

    async def _meet(self, request: web.Request, entry: Arrival, fault: ScriptedFault) -> web.StreamResponse | None:
        """Do what the script has for a POST, or answer it by the key and the rules."""
        # A client that gives up meanwhile is served all the same, as it would be elsewhere.
        await asyncio.sleep(self._latency + fault.latency)
        share = self.accepted_share(fault)
        if share and (refusal := self._judge(request, entry, share)):
            return respond(refusal)
        return await self._act(request, fault)

    def _turned_away(self) -> FakeAnswer | None:
        if self._bucket and not self._bucket.take():
            self._arrivals.rate_limited()
            after = self._bucket.limit.retry_after
            headers = {} if after is None else {"retry-after": str(after)}
            return replace(self.error(429, "too many requests"), headers=headers)
        return self.closed()

    def _judge(self, request: web.Request, entry: Arrival, share: float) -> FakeAnswer | None:
        """Check what was sent and accept a share of it, or answer why not."""
        if barred := self.barred(request):
            return barred
        try:
            records = self.check(request, entry.body)
        except ContractBreach as refused:
            return self.refusal(refused)
        self._arrivals.accept(entry, records[: int(len(records) * share)], self.namespace(request))
        return None

    async def _act(self, request: web.Request, fault: ScriptedFault) -> web.StreamResponse | None:
        """Answer, or whatever else the script has; None: nothing comes back."""
        if fault.action == "ok":
            return respond(self.success(receipt=True))
        if fault.action == "half":
            return await respond_half(request, self.success(receipt=True))
        if fault.action == "hang":
            await _gone(request)
        if fault.status is None:
            return None
        reason = responses.get(fault.status, "no reason")
        answer = self.error(fault.status, reason) if fault.receipt else self.success(receipt=False)
        body, content_type = fault.content() or (answer.body, answer.content_type)
        return respond(FakeAnswer(fault.status, body, content_type, fault.sent_headers()))


async def _gone(request: web.Request) -> None:
    """Wait until the client gives up, or the sandbox ends."""
    while request.transport is not None:  # noqa: ASYNC110 - aiohttp has no event for it
        await asyncio.sleep(0.05)
