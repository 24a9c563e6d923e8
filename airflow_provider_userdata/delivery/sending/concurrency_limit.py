"""How many requests may be in flight: adapts to the vendor's answers, between 1 and a maximum. No I/O.

It starts with a few, and doubles each round trip until the first pushback, which undoes the last doubling. After that,
it grows by one a round trip and shrinks by a tenth (AIMD). The rule is that of Vector's adaptive request concurrency,
with a faster start.
"""

from __future__ import annotations

import math

START = 8
"""The limit before the first answers: half of what the operators allow by default."""
SHRINK = 0.9
"""The factor of a pushback, or a slow round."""
SMOOTHING = 0.4
"""The weight of the newest round trip in the mean."""
DEVIATIONS = 2.5
"""A round trip that is slower than the mean by this many standard deviations shows a vendor under load."""
LEAST_GROWTH = 0.5
LEAST_SECONDS = 0.01
"""Less than half the mean, or ten milliseconds, above the mean is noise and never counts as slow."""


class ConcurrencyLimit:
    """The number of requests that may be in flight. A round is as many answers as may be in flight at its start.

    :param most: the number that it never exceeds.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(START, most))
        self._doubling = True
        self._mean: float | None = None
        self._variance = 0.0
        self._start_round()

    def _start_round(self) -> None:
        self._size = self.limit
        self._answers = 0
        self._trips: list[float] = []
        self._busy = 0.0
        self._reached = False
        self._pushed = False

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    def sent(self, in_flight: int) -> None:
        """Record that a request was sent, and how many are in flight with it."""
        self._reached = self._reached or in_flight >= self.limit

    def answered(self, seconds: float, busy: float = 0.0) -> None:
        """Learn from an answer that asks for nothing.

        :param seconds: its round trip.
        :param busy: the seconds of it in which this process was busy and could not have read the answer.
        """
        self._trips.append(seconds)
        self._busy += min(seconds, busy)
        self._count()

    def pushed_back(self) -> None:
        """Learn from a 429, a 503 or a timeout: the limit shrinks, but only once a round, however many come."""
        if not self._pushed:
            self._pushed = True
            self._limit = max(1.0, self._limit / 2 if self._doubling else math.floor(self._limit * SHRINK))
            self._doubling = False
        self._count()

    def _count(self) -> None:
        self._answers += 1
        if self._answers >= self._size:
            if self._trips:
                self._learn(sum(self._trips) / len(self._trips), self._busy / len(self._trips))
            self._start_round()

    def _learn(self, seconds: float, busy: float) -> None:
        """Learn from a round's mean round trip, and the part of it in which this process was busy."""
        if not self._pushed:
            if self._is_slow(seconds - busy):
                self._doubling = False
                self._limit = max(1.0, math.floor(self._limit * SHRINK))
            elif self._reached:
                self._limit = min(float(self._most), self._limit * 2 if self._doubling else self._limit + 1)
        # The exponentially weighted mean and variance.
        mean = seconds if self._mean is None else self._mean
        away = seconds - mean
        self._mean = mean + SMOOTHING * away
        self._variance = (1 - SMOOTHING) * (self._variance + SMOOTHING * away * away)

    def _is_slow(self, seconds: float) -> bool:
        """Return whether a round trip without this process's own work exceeds the mean of those with it."""
        if self._mean is None:
            return False
        margin = max(DEVIATIONS * math.sqrt(self._variance), LEAST_GROWTH * self._mean, LEAST_SECONDS)
        return seconds > self._mean + margin
