"""How long a run has waited for its vendor, over all its attempts: at most `max_wait` (A4). No I/O."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from airflow_provider_userdata.delivery.clock import Clock


class Waiting:
    """The time without an accepted request.

    :param max_wait: the most seconds of it.
    :param halted: set when this attempt ends.
    """

    def __init__(self, clock: Clock, max_wait: float, halted: asyncio.Event) -> None:
        self._clock = clock
        self._max_wait = max_wait
        self._halted = halted
        self._accepted_at = clock.seconds()
        self._carried_in: float | None = None
        self._comes_back = False
        self.accepted = 0
        """The number of accepted requests."""

    def record_accepted(self) -> None:
        """Record that a request was accepted: waiting starts over."""
        self.accepted += 1
        self._accepted_at = self._clock.seconds()
        self._carried_in = None

    def start(self) -> float:
        """Return the second of the clock from which a new wait counts; an earlier attempt's wait is included."""
        return self._clock.seconds() if self._carried_in is None else self._carried_in

    def too_long(self, reason: str, started: float, wait: float) -> str | None:
        """Return a message if a wait would exceed `max_wait`, otherwise None.

        :param reason: why the run would wait.
        :param started: the second of the clock from which the wait counts.
        :param wait: seconds.
        """
        waited = self._clock.seconds() - max(started, self._accepted_at)
        if waited + wait <= self._max_wait:
            return None
        before = f" after {waited:,.0f} s without an accepted request" if wait <= self._max_wait else ""
        return f"{reason}{before}: more than max_wait={self._max_wait:g} allows"

    def come_back(self, wait: float) -> datetime:
        """Return when the next attempt is to come back; it continues this wait."""
        self._comes_back = True
        return self._clock.now() + timedelta(seconds=wait)

    def since(self) -> datetime | None:
        """Return since when the next attempt will have waited; None if it starts over, with `max_wait` seconds.

        It starts over after an attempt that has ended, but not to come back.
        """
        if self._comes_back or (self._carried_in is not None and not self._halted.is_set()):
            return self._clock.now() - timedelta(seconds=self._clock.seconds() - self._accepted_at)
        return None

    def carry_in(self, since: datetime | None) -> None:
        """Add the time that an earlier attempt waited; it counts until a request is accepted."""
        if since is not None:
            self._accepted_at -= max(0.0, (self._clock.now() - since).total_seconds())
            self._carried_in = self._accepted_at
