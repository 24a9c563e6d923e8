"""How far apart requests go out, where a vendor limits their rate: learned from its 429s. No I/O.

A number in flight can't go below one, and a vendor that answers fast is sent too much even so. What a rate limit lets
through comes at its rate: that is the spacing to start from. It then narrows until the next 429, slowly near what was
refused last, and faster the longer nothing is refused.
"""

from __future__ import annotations

import math

WIDER = 1.4
LEAP = 1.5
"""By how much the spacing widens with a refusal: at least, and, by the rate of what was let through, at most."""
NARROWER = 0.001
"""By how much the spacing narrows with an answer, times the answers since the last refusal."""
SMOOTHING = 0.3
"""The weight of the newest time between two answers in their mean."""
LEAST = 0.0001
MOST = 1.0
"""Seconds. A vendor that takes less than a request a second is waited for by each request's own backoff."""


class Spacing:
    """The seconds from one request to the next; none until a first one is refused for coming too soon."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._between: float | None = None
        self._last: float | None = None
        self._passed = 0
        self._widened = -math.inf

    def passed(self, now: float) -> None:
        """Note a request that was let through."""
        if self._last is not None:
            # Where nothing was to be sent, nothing passed either: that says little about the vendor's rate.
            newest = min(now - self._last, LEAP * self.seconds or math.inf)
            self._between = newest if self._between is None else self._between + SMOOTHING * (newest - self._between)
        self._last = now
        self._passed += 1
        self.seconds *= max(0.5, 1.0 - NARROWER * self._passed)
        if self.seconds < LEAST:
            self.seconds = 0.0

    def refused(self, sent: float, now: float) -> None:
        """Note a 429. Those that were sent before the last one widened the spacing say nothing about it.

        :param sent: when the request was sent.
        """
        if sent > self._widened:
            self.seconds = min(MOST, max(self.seconds * WIDER, self._between or 0.0, LEAST))
            self._widened = now
            self._passed = 0
