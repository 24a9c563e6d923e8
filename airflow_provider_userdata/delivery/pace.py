"""Holds requests back: to a number in flight that adapts, while the vendor asks for a pause, to a rate."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.concurrency import Concurrency
from airflow_provider_userdata.delivery.spacing import Spacing


@dataclass(frozen=True, slots=True)
class Departure:
    """A request's place in flight, to be given back to the pace.

    :param at: when it was given, by the clock.
    :param busy: how long this thread had been busy itself by then.
    """

    at: float
    busy: float


class Pace:
    """What every request passes before it is sent, the ones sent again included.

    :param clock: tells the time.
    :param halted: set when nothing may be sent any more.
    :param max_in_flight: how many requests may be in flight at most.
    :param requests_per_second: a hard limit, or None.
    :param busy: tells how many seconds this thread was busy itself: while it is, it takes no answers.
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
        self._concurrency = Concurrency(max_in_flight)
        self._spacing = Spacing()
        self._interval = 1.0 / requests_per_second if requests_per_second else 0.0
        self._in_flight = 0
        self._sent_at = -math.inf
        self._paused_until = -math.inf
        self._queue = asyncio.Lock()
        self._changed = asyncio.Event()

    def pause(self, seconds: float) -> None:
        """Let nothing pass for some seconds: what a `Retry-After` asks holds for every request (A2)."""
        self._paused_until = max(self._paused_until, self._clock.seconds() + seconds)

    async def permission(self) -> Departure | None:
        """Wait, in the order of asking, until a request may be sent; None where the delivery was halted."""
        async with self._queue:
            while not self._halted.is_set():
                if self._in_flight >= self._concurrency.limit:
                    self._changed.clear()
                    await self._changed.wait()
                elif (seconds := self._until_turn()) > 0:
                    await self._clock.wait(self._halted, seconds)
                else:
                    return self._departure()
        return None

    def answered(self, request: Departure) -> None:
        """Take a place in flight back after an answer that shows no strain but, it may be, the time that it took."""
        now = self._clock.seconds()
        self._concurrency.answered(max(0.0, now - request.at - (self._busy() - request.busy)))
        self._spacing.passed(now)
        self._free()

    def pushed_back(self, request: Departure, *, too_soon: bool = False) -> None:
        """Take a place in flight back after an answer, or none in time, that asks for fewer requests.

        :param too_soon: whether the vendor limits their rate.
        """
        self._concurrency.pushed_back()
        if too_soon:
            self._spacing.refused(request.at, self._clock.seconds())
        self._free()

    def given_up(self) -> None:
        """Take a place in flight back without having learned anything."""
        self._free()

    def wake(self) -> None:
        """Let those look again who wait: there may be a place, or the delivery was halted."""
        self._changed.set()

    def _free(self) -> None:
        self._in_flight -= 1
        self.wake()

    def _until_turn(self) -> float:
        """Give the seconds until the pause and the distance to the request before have passed."""
        turn = self._sent_at + max(self._interval, self._spacing.seconds)
        return max(turn, self._paused_until) - self._clock.seconds()

    def _departure(self) -> Departure:
        self._sent_at = self._clock.seconds()
        self._in_flight += 1
        self._concurrency.sent(self._in_flight)
        return Departure(self._sent_at, self._busy())
