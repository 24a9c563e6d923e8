"""Decides when each request may go: limits the number in flight and the rate, and waits while the vendor pauses."""

from __future__ import annotations

import asyncio
import enum
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.sending.concurrency_limit import ConcurrencyLimit
from airflow_provider_userdata.delivery.sending.rate_limit import RateLimit
from airflow_provider_userdata.delivery.sending.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Permit:
    """The permission to send one request; to be returned to the throttle when the request has ended.

    :param at: when it was given, in the clock's seconds.
    :param busy: how many seconds of CPU this thread had used by then.
    :param pressed: whether more requests were to be sent than allowed: this one waited, or took the last slot.
    """

    at: float
    busy: float
    pressed: bool


class _Turn(enum.Enum):
    """Given to the first waiter when a slot is free but it is too early to send: it sleeps until its turn."""

    FIRST = "first"


_Given = Permit | _Turn | None


class Throttle:
    """Every request, also one that is sent again, needs a permit from here before it is sent.

    :param halted: set when nothing may be sent any more.
    :param max_in_flight: the most requests in flight.
    :param requests_per_second: a hard limit; None sets none.
    :param busy: returns how many seconds of CPU this thread has used: while it is busy, it reads no answers.
    """

    def __init__(
        self,
        clock: Clock,
        halted: asyncio.Event,
        max_in_flight: int,
        requests_per_second: float | None = None,
        busy: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock = clock
        self._halted = halted
        self._busy = busy
        self._concurrency = ConcurrencyLimit(max_in_flight)
        self._spacing = RateLimit()
        self._schedule = Schedule(requests_per_second) if requests_per_second else None
        self._in_flight = 0
        self._sent_at = -math.inf
        self._paused_until = -math.inf
        self._waiters: deque[asyncio.Future[_Given]] = deque()
        self._first_waits = False

    @property
    def in_flight(self) -> int:
        """How many requests are in flight."""
        return self._in_flight

    def pause(self, seconds: float, *, too_soon: bool = False) -> None:
        """Send nothing for some seconds: a `Retry-After` applies to every request (A2).

        :param too_soon: whether the vendor asked for it with a 429.
        """
        now = self._clock.seconds()
        self._paused_until = max(self._paused_until, now + seconds)
        if too_soon:
            self._spacing.paused(now, seconds)

    async def permission(self) -> Permit | None:
        """Wait, first come, first served, until a request may be sent; return None if the delivery was halted."""
        none_waits = not self._waiters and not self._first_waits
        if none_waits and self._has_slot() and not self._is_spaced() and not self._halted.is_set():
            return self._permit(waited=False)
        waiter: asyncio.Future[_Given] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self.wake()
        while (given := await self._given(waiter)) is _Turn.FIRST:
            try:
                while not self._halted.is_set() and (seconds := self._until_turn()) > 0:
                    await self._clock.wait(self._halted, seconds)
                if self._has_slot() and not self._halted.is_set():
                    return self._permit(waited=True)
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.appendleft(waiter)
            finally:
                self._first_waits = False
                self.wake()
        return given

    async def _given(self, waiter: asyncio.Future[_Given]) -> _Given:
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it was given something at that moment
                given = waiter.result()
                self._in_flight -= isinstance(given, Permit)
                self._first_waits = self._first_waits and given is not _Turn.FIRST
                self.wake()
            raise

    def answered(self, request: Permit) -> None:
        """Take a permit back after an answer that asks for nothing; a slow one may still lower the number in flight."""
        now = self._clock.seconds()
        self._concurrency.answered(now - request.at, self._busy() - request.busy)
        self._spacing.passed(now, pressed=request.pressed)
        self.release()

    def pushed_back(self, request: Permit, *, too_soon: bool = False) -> None:
        """Take a permit back after a 429, a 503 or a timeout: fewer requests may be in flight.

        :param too_soon: whether it was a 429.
        """
        self._concurrency.pushed_back()
        if too_soon:
            self._spacing.refused(request.at, self._clock.seconds())
        self.release()

    def release(self) -> None:
        """Take a permit back without learning anything from it."""
        self._in_flight -= 1
        self.wake()

    def wake(self) -> None:
        """Give permits to all waiters that may go; call this when the delivery is halted, too.

        All get theirs now: if each waited until the loop had run the one before, all would be slower.
        """
        while self._waiters and not self._first_waits:
            if self._waiters[0].cancelled():
                self._waiters.popleft()
            elif self._halted.is_set():
                self._waiters.popleft().set_result(None)
            elif not self._has_slot():
                return
            elif self._is_spaced():
                self._first_waits = True
                self._waiters.popleft().set_result(_Turn.FIRST)
            else:
                self._waiters.popleft().set_result(self._permit(waited=True))

    def _has_slot(self) -> bool:
        return self._in_flight < self._concurrency.limit

    def _is_spaced(self) -> bool:
        """Return whether requests go out one by one, so that a waiter may have to sleep first."""
        return self._schedule is not None or self._spacing.seconds > 0 or self._until_turn() > 0

    def _until_turn(self) -> float:
        """Return the seconds until the pause, the spacing and the schedule allow the next request."""
        turn = max(self._sent_at + self._spacing.seconds, self._paused_until)
        if self._schedule is not None:
            turn = max(turn, self._schedule.turn())
        return turn - self._clock.seconds()

    def _permit(self, *, waited: bool) -> Permit:
        self._sent_at = self._clock.seconds()
        if self._schedule is not None:
            self._schedule.sent(self._sent_at)
        self._in_flight += 1
        self._concurrency.sent(self._in_flight)
        return Permit(self._sent_at, self._busy(), waited or not self._has_slot())
