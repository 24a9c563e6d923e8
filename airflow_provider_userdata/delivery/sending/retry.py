"""When to send a request again, if the vendor doesn't say when (`retry_after.py` reads what it says), and for how long.

No I/O.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_userdata.delivery.clock import Clock

FIRST_WAIT = 1.0
"""The longest wait before the second attempt, in seconds; it doubles with each attempt."""
LONGEST_WAIT = 60.0
"""Seconds, of a wait between two attempts."""
EARLIEST = (0.0, 0.0, 0.0, 10.0, 65.0, 150.0)
"""The fewest seconds from the first failure to each attempt, while nothing is accepted: six attempts outlast a restart
of two minutes without more requests to a vendor that is down."""
POISON = 3
"""A request that keeps failing while the vendor accepts others gets `max_attempts` times this many attempts."""


@dataclass(slots=True)
class Attempts:
    """The attempts at one request.

    :param started: seconds of the clock, from which its waiting counts.
    :param accepted: how many requests the vendor had accepted when this one last failed.
    :param sent: how often it was sent.
    :param used_up: how often it failed without a `Retry-After`.
    :param in_vain: how many of these failures came since the vendor last accepted a request.
    :param failing_since: when the first of those came.
    """

    started: float
    accepted: int
    sent: int = 0
    used_up: int = 0
    in_vain: int = 0
    failing_since: float = 0.0

    def failed(self, accepted: int, now: float) -> None:
        """Count a failure, by when the vendor has accepted a number of requests."""
        self.in_vain = 1 if accepted > self.accepted else self.in_vain + 1
        if self.in_vain == 1:
            self.failing_since = now
        self.accepted = accepted
        self.used_up += 1

    def is_over(self, most: int) -> bool:
        """Return whether to stop: the vendor accepts nothing, or, after many more attempts, not this request."""
        return self.in_vain >= most or self.used_up >= POISON * most

    def wait(self, now: float, max_wait: float, chance: float) -> float:
        """Return the seconds to wait before the next attempt.

        :param max_wait: seconds without an accepted request after which the run stops waiting; no attempt is put off
            for more than half of them.
        :param chance: a random number from 0 to 1.
        """
        earliest = EARLIEST[min(self.in_vain, len(EARLIEST) - 1)]
        rest = self.failing_since + min(earliest, max_wait / 2) - now
        return max(0.0, rest) + backoff(self.used_up, chance)


def backoff(attempt: int, chance: float) -> float:
    """Return the seconds to wait after an attempt, counted from 1: exponential, with full jitter (A2)."""
    return chance * min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt - 1, 16))


class Waiting:
    """The time that a run, over all its attempts, has waited without an accepted request: at most `max_wait` (A4).

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
