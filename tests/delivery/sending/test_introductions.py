"""Users are introduced once, whenever their batches come."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_userdata.delivery.sending.exchange import Outcome
from airflow_provider_userdata.delivery.sending.introductions import Introductions
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import Accepted, Request


@pytest.mark.parametrize("later", range(10))
def test_a_batch_may_come_at_any_moment(later: int) -> None:
    """Also between the vendor's answer and the moment in which those who waited for it go on."""
    asked = []

    async def ask(exchange: Any) -> Outcome:
        asked.append(exchange.user)
        await asyncio.sleep(0)
        return Outcome(Accepted())

    async def come(introductions: Introductions, turns: int) -> Outcome | None:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await introductions.before([Record(b"{}", user="u")])

    async def come_both() -> None:
        vendor: Any = SimpleNamespace(introduction=lambda _: Request("/users", (b"{}",)), introduced=None)
        sender: Any = SimpleNamespace(ask=ask)
        introductions = Introductions(vendor, sender)
        assert await asyncio.gather(*(come(introductions, turns) for turns in (later, 0))) == [None, None]

    asyncio.run(come_both())
    assert asked == ["u"]
