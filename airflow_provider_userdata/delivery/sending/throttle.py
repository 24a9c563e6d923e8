"""Holds requests back: to a number in flight that adapts, while the vendor asks for a pause, to a rate."""

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
    """A request's place in flight, to be given back to the pace.

    :param at: when it was given, by the clock.
    :param busy: how long this thread had been busy itself by then.
    :param pressed: whether there was more to be sent than could be: it waited itself, or took the last place.
    """

    at: float
    busy: float
    pressed: bool


class _Turn(enum.Enum):
    """What is given to whoever asked first where only time is in its way: it is to wait for its turn itself."""

    FIRST = "first"


_Given = Permit | _Turn | None


class Throttle:
    """What every request passes before it is sent, the ones sent again included.

    :param clock: tells the time.
    :param halted: set when nothing may be sent any more.
    :param max_in_flight: how many requests may be in flight at most.
    :param requests_per_second: a hard limit, kept by a schedule, or None.
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
        self._concurrency = ConcurrencyLimit(max_in_flight)
        self._spacing = RateLimit()
        self._schedule = Schedule(requests_per_second) if requests_per_second else None
        self._in_flight = 0
        self._sent_at = -math.inf
        self._paused_until = -math.inf
        self._asking: deque[asyncio.Future[_Given]] = deque()
        self._first_waits = False

    def pause(self, seconds: float, *, too_soon: bool = False) -> None:
        """Let nothing pass for some seconds: what a `Retry-After` asks holds for every request (A2).

        :param too_soon: whether the vendor limits the requests' rate.
        """
        now = self._clock.seconds()
        self._paused_until = max(self._paused_until, now + seconds)
        if too_soon:
            self._spacing.paused(now, seconds)

    async def permission(self) -> Permit | None:
        """Wait, in the order of asking, until a request may be sent; None where the delivery was halted."""
        nobody_waits = not self._asking and not self._first_waits
        if nobody_waits and self._has_place() and not self._keeps_distance() and not self._halted.is_set():
            return self._departure(waited=False)
        place: asyncio.Future[_Given] = asyncio.get_running_loop().create_future()
        self._asking.append(place)
        self.wake()
        while (given := await self._given(place)) is _Turn.FIRST:
            try:
                while not self._halted.is_set() and (seconds := self._until_turn()) > 0:
                    await self._clock.wait(self._halted, seconds)
                if self._has_place() and not self._halted.is_set():
                    return self._departure(waited=True)
                place = asyncio.get_running_loop().create_future()
                self._asking.appendleft(place)
            finally:
                self._first_waits = False
                self.wake()
        return given

    async def _given(self, place: asyncio.Future[_Given]) -> _Given:
        try:
            return await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self._hand_back(place.result())
            raise

    def _hand_back(self, given: _Given) -> None:
        """Take back what was given to somebody who was cancelled at that moment."""
        if isinstance(given, Permit):
            self._free()
        elif given is _Turn.FIRST:
            self._first_waits = False
            self.wake()

    def answered(self, request: Permit) -> None:
        """Take a place in flight back after an answer that shows no strain but, it may be, the time that it took."""
        now = self._clock.seconds()
        self._concurrency.answered(now - request.at, self._busy() - request.busy)
        self._spacing.passed(now, pressed=request.pressed)
        self._free()

    def pushed_back(self, request: Permit, *, too_soon: bool = False) -> None:
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
        """Let pass who may: there may be a place, or the delivery was halted.

        All at once, not each when the one before has had its turn on the loop: that would slow them all down.
        """
        while self._asking and not self._first_waits:
            if self._asking[0].cancelled():
                self._asking.popleft()
            elif self._halted.is_set():
                self._asking.popleft().set_result(None)
            elif not self._has_place():
                return
            elif self._keeps_distance():
                self._first_waits = True
                self._asking.popleft().set_result(_Turn.FIRST)
            else:
                self._asking.popleft().set_result(self._departure(waited=True))

    def _free(self) -> None:
        self._in_flight -= 1
        self.wake()

    def _has_place(self) -> bool:
        return self._in_flight < self._concurrency.limit

    def _keeps_distance(self) -> bool:
        """Say whether requests go out one by one: each then goes when it has its turn on the loop, not before."""
        return self._schedule is not None or self._spacing.seconds > 0 or self._until_turn() > 0

    def _until_turn(self) -> float:
        """Give the seconds until the pause and the distance to the request before have passed, and the rate allows."""
        turn = max(self._sent_at + self._spacing.seconds, self._paused_until)
        if self._schedule is not None:
            turn = max(turn, self._schedule.turn())
        return turn - self._clock.seconds()

    def _departure(self, *, waited: bool) -> Permit:
        self._sent_at = self._clock.seconds()
        if self._schedule is not None:
            self._schedule.sent(self._sent_at)
        self._in_flight += 1
        self._concurrency.sent(self._in_flight)
        return Permit(self._sent_at, self._busy(), waited or not self._has_place())
