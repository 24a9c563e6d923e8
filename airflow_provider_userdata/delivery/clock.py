"""Time as the delivery sees it, in one place: tests bring a clock of their own, and nothing sleeps for real."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


async def unless_set(event: asyncio.Event, work: Awaitable[T]) -> T | None:
    """Let work come to its end, or give it up when the event is set: then there is no result."""
    running, waiting = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        return running.result() if running.done() else None
    finally:
        running.cancel()
        waiting.cancel()


class Clock(Protocol):
    """What tells the time and waits."""

    def seconds(self) -> float:
        """Give seconds that only run forward."""

    def now(self) -> datetime:
        """Give the date, with its offset."""

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait some seconds, or until the event is set."""


class SystemClock:
    """The machine's clock."""

    def seconds(self) -> float:
        """Give seconds that only run forward."""
        return time.monotonic()

    def now(self) -> datetime:
        """Give the date in UTC."""
        return datetime.now(UTC)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait some seconds, or until the event is set."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
