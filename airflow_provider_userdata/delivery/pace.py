"""Holds requests back: to a number in flight that adapts, while the vendor asks for a pause, to a rate."""

from __future__ import annotations

import asyncio
from collections import deque

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.concurrency import Concurrency


class Pace:
    """What every request passes before it is sent, the ones sent again included.

    :param clock: tells the time.
    :param halted: set when nothing may be sent any more.
    :param max_in_flight: how many requests may be in flight at most.
    :param requests_per_second: a hard limit, or None.
    """

    def __init__(
        self, clock: Clock, halted: asyncio.Event, max_in_flight: int, requests_per_second: float | None = None
    ) -> None:
        self._clock = clock
        self._halted = halted
        self._concurrency = Concurrency(max_in_flight)
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._interval = 1.0 / requests_per_second if requests_per_second else 0.0
        self._next = clock.seconds()
        self._paused_until = clock.seconds()
        self.busy = 0.0
        """Seconds that this process itself was busy and could take no answer: not the vendor's."""

    def pause(self, seconds: float) -> None:
        """Let nothing pass for some seconds: what a `Retry-After` asks holds for every request (A2)."""
        self._paused_until = max(self._paused_until, self._clock.seconds() + seconds)

    async def permission(self) -> bool:
        """Wait until a request may be sent, and take its place in flight; False where the delivery was halted."""
        while await self._place():
            if await self._turn():
                self._in_flight += 1
                self._concurrency.sent(self._in_flight)
                return True
        return False

    def answered(self, seconds: float) -> None:
        """Give a place in flight back after an answer.

        :param seconds: the round trip, without the time that this process itself was busy.
        """
        self._in_flight -= 1
        self._concurrency.answered(max(0.0, seconds))
        self.wake()

    def pushed_back(self) -> None:
        """Give a place in flight back after an answer, or none, that asks for fewer requests."""
        self._in_flight -= 1
        self._concurrency.pushed_back()
        self.wake()

    def given_up(self) -> None:
        """Give a place in flight back without having learned anything."""
        self._in_flight -= 1
        self.wake()

    def wake(self) -> None:
        """Let those go on for whom there is a place now, or who wait in vain since the delivery was halted."""
        places = len(self._waiting) if self._halted.is_set() else self._concurrency.limit - self._in_flight
        while self._waiting and places > 0:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                places -= 1

    async def _place(self) -> bool:
        """Wait until fewer requests are in flight than may be."""
        while not self._halted.is_set() and self._in_flight >= self._concurrency.limit:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        return not self._halted.is_set()

    async def _turn(self) -> bool:
        """Wait for a pause's end and the rate's next turn; False where the places in flight were taken meanwhile."""
        now = self._clock.seconds()
        if now < self._paused_until:
            await self._clock.wait(self._halted, self._paused_until - now)
            return False
        if self._interval and now < self._next:
            # Taking the turn before waiting keeps the order, and the limit, among those who wait.
            turn, self._next = self._next, self._next + self._interval
            await self._clock.wait(self._halted, turn - now)
            if self._halted.is_set():
                return False
            return self._clock.seconds() >= self._paused_until
        self._next = max(self._next, now) + self._interval
        return True
