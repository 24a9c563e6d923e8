"""Holds requests back: while the vendor asks for a pause, and to a limit of requests a second."""

from __future__ import annotations

import asyncio

from airflow_provider_userdata.delivery.clock import Clock


class Pace:
    """What every request passes before it is sent, the ones sent again included.

    :param clock: tells the time.
    :param halted: set when nothing may be sent any more.
    :param requests_per_second: a hard limit, or None.
    """

    def __init__(self, clock: Clock, halted: asyncio.Event, requests_per_second: float | None = None) -> None:
        self._clock = clock
        self._halted = halted
        self._interval = 1.0 / requests_per_second if requests_per_second else 0.0
        self._next = clock.seconds()
        self._paused_until = clock.seconds()

    def pause(self, seconds: float) -> None:
        """Let nothing pass for some seconds: what a `Retry-After` asks holds for every request (A2)."""
        self._paused_until = max(self._paused_until, self._clock.seconds() + seconds)

    async def permission(self) -> bool:
        """Wait until a request may be sent; False where the delivery was halted meanwhile."""
        while not self._halted.is_set():
            now = self._clock.seconds()
            if now < self._paused_until:
                await self._clock.wait(self._halted, self._paused_until - now)
            elif self._interval and now < self._next:
                # Taking the place before waiting keeps the order, and the limit, among those who wait.
                turn, self._next = self._next, self._next + self._interval
                await self._clock.wait(self._halted, turn - now)
                if self._clock.seconds() >= self._paused_until:
                    return not self._halted.is_set()
            else:
                self._next = max(self._next, now) + self._interval
                return True
        return False
