"""Has each user introduced to the vendor before the first records go, where a vendor needs that (G14)."""

from __future__ import annotations

import asyncio

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.delivery.sending.exchange import Exchange, Outcome
from airflow_provider_userdata.delivery.sending.latest import Latest
from airflow_provider_userdata.delivery.sending.sender import Sender
from airflow_provider_userdata.records import first_user
from airflow_provider_userdata.vendors import Accepted, Vendor

MOST_USERS = 50_000
"""Users who are remembered. With more, one may be introduced once more, which the vendor takes for no error."""


class Introductions:
    """Introduces each user once. The batches of one user share that. Used on the event loop."""

    def __init__(self, vendor: Vendor, sender: Sender) -> None:
        self._vendor = vendor
        self._sender = sender
        self._known: Latest[Outcome] = Latest(MOST_USERS)
        self._running: dict[str | None, asyncio.Task[Outcome]] = {}

    async def before(self, batch: Batch) -> Outcome | None:
        """Introduce the batch's user, unless that was done; return why the batch can't go, or None if it can."""
        request = self._vendor.introduction(batch)
        if request is None:
            return None
        user = first_user(batch)
        outcome = self._known.get(user)
        if outcome is None:
            outcome = await self._introduced(Exchange(request, user, self._vendor.introduced))
        return None if isinstance(outcome.meaning, Accepted) else outcome

    async def _introduced(self, exchange: Exchange) -> Outcome:
        user = exchange.user
        running = self._running.get(user)
        if running is None:
            running = self._running[user] = asyncio.create_task(self._ask(exchange))
            running.add_done_callback(lambda _: self._running.pop(user, None))
        return await asyncio.shield(running)

    async def _ask(self, exchange: Exchange) -> Outcome:
        """Introduce a user, and remember it before the task ends: a batch that comes just then must not do it again."""
        outcome = await self._sender.ask(exchange)
        self._known.put(exchange.user, _ACCEPTED if isinstance(outcome.meaning, Accepted) else outcome)
        return outcome


_ACCEPTED = Outcome(Accepted())
"""Shared by all users: their answers are not kept."""
