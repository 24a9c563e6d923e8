"""How far apart requests go out, where a vendor limits their rate: learned from its 429s. No I/O.

A number in flight can't go below one, and a vendor that answers fast is sent too much even so. The rate at which
requests were let through is the spacing to start from. It then narrows until the next 429, slowly near what was refused
last, and faster the longer nothing is refused; the more slowly, the longer the vendor asks to wait after a 429.
"""

from __future__ import annotations

import math

WIDER = 1.4
"""By how much the spacing widens with a refusal, at least."""
LEAP = 1.5
"""Of a time in which nothing passed and no pause was asked for, so many spacings count: there was nothing to send."""
ANSWERS = 26
"""So many requests, at least, are let through until the spacing is back where one was refused."""
PAUSES = 10
"""And that takes so many times the pause that was asked for: a refusal then costs a tenth of the time."""
RECENT = 50
"""The mean time between two answers is that of about so many."""
LEAST = 0.0001
MOST = 3.0
"""Seconds. A vendor that takes less than a request in so many is waited for by each request's own backoff."""


class Spacing:
    """The seconds from one request to the next; none until a first one is refused for coming too soon."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._between = 0.0
        self._last: float | None = None
        self._passed = 0
        self._taken = 0.0
        self._widened = -math.inf
        self._paused_until = -math.inf
        self._narrowing = 0.0

    def passed(self, now: float) -> None:
        """Note a request that was let through."""
        if self._last is not None:
            self._learn(self._last, now)
        self._last = now
        self._passed += 1
        self.seconds *= max(0.5, 1.0 - self._narrowing * self._passed)
        if self.seconds < LEAST:
            self.seconds = 0.0

    def refused(self, sent: float, now: float) -> None:
        """Note a 429. Those that were sent before the last one widened the spacing say nothing about it.

        :param sent: when the request was sent.
        """
        if sent > self._widened:
            self.seconds = min(MOST, max(self._wider(), 2 * LEAST))
            self._widened = now
            self._passed, self._taken = 0, 0.0
            self._narrow_in(ANSWERS)

    def paused(self, now: float, seconds: float) -> None:
        """Note that the vendor asked for a pause with a 429."""
        self._paused_until = max(self._paused_until, now + seconds)
        if self.seconds > 0:
            self._narrow_in(PAUSES * (self._paused_until - self._widened) / self.seconds)

    def _learn(self, last: float, now: float) -> None:
        """Count the time between two answers."""
        if self.seconds > 0:
            paused = max(0.0, min(now, self._paused_until) - last)
            self._taken += paused + min(now - last - paused, LEAP * self.seconds)
        else:
            self._between += (min(now - last, MOST) - self._between) / min(self._passed, RECENT)

    def _wider(self) -> float:
        """Give the new spacing: wider by `WIDER`, or more where pauses took most of the time.

        With the pauses, each request that passed took so long: enough, and often far too much, since what a vendor
        takes again after a pause needn't fill it. What it takes in the long run lies between that and the spacing.
        """
        if self.seconds == 0:
            return self._between
        through = self._taken / self._passed if self._passed else 0.0
        return max(self.seconds * WIDER, math.sqrt(self.seconds * through))

    def _narrow_in(self, answers: float) -> None:
        """Have it back where it was refused after so many answers: each narrows it by more than the one before."""
        self._narrowing = 2 * math.log(WIDER) / max(ANSWERS, answers) ** 2
