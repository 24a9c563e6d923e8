"""How far apart requests go out, where a vendor limits their rate: learned from its 429s. No I/O.

A number in flight can't go below one, and a vendor that answers fast is sent too much even so. The rate at which
requests were let through is the spacing to start from. It then narrows until the next 429, slowly near what was refused
last, and faster the longer nothing is refused; the more slowly, the longer the vendor asks to wait after a 429. It
never widens far beyond what a request took in the long run: that would only slow what a vendor refuses at any rate.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

WIDER = 1.4
"""By how much the spacing widens with a refusal, at least."""
LEAP = 4.0
"""Of a time without an answer, in which no pause was asked for, so many spacings count: there was nothing to send."""
ANSWERS = 26
"""So many requests, at least, are let through until the spacing is back where one was refused."""
PAUSES = 3
"""And that takes so many times the pause that was asked for: at a limited rate, pauses cost a quarter of the time."""
RECENT = 50
"""A mean is that of about so many requests."""
CYCLES = 8
"""Or of those between so many refusals, each of which widened the spacing."""
BEYOND = 1.5
"""The widest spacing, in times of what a request took in the long run when that was best."""
WORSE = 3.0
"""Where a request takes so many times the best, the vendor's limit has fallen: that is the best now."""
OFTEN = 0.4
"""Where such a share is refused, it has fallen, too: the best is found anew."""
LEAST = 0.0001
MOST = 30.0
"""Seconds. A vendor that takes less than a request in so many is waited for by each request's own backoff."""
CLOSED = 3.0
"""Seconds between two requests at most, to see whether a vendor that lets nothing through does so again."""


@dataclass(slots=True)
class _Cycle:
    """What came between two refusals that widened the spacing.

    :param taken: seconds, without those in which there was nothing to send.
    """

    taken: float = 0.0
    passed: int = 0
    refused: int = 0


class RateLimit:
    """The seconds from one request to the next; none until a first one is refused for coming too soon."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._between = 0.0
        self._last: float | None = None
        self._cycle = _Cycle()
        self._open = 0.0
        self._widened = -math.inf
        self._paused_until = -math.inf
        self._narrowing = 0.0
        self._cycles: deque[_Cycle] = deque(maxlen=CYCLES)
        self._best = math.inf

    def passed(self, now: float, *, pressed: bool = True) -> None:
        """Note a request that was let through.

        :param pressed: whether there was more to be sent than could be: else it tells a source's rate, not a vendor's.
        """
        self._learn(now, pressed=pressed)
        if self._cycle.passed == 0 and not self._is_first:
            self.seconds = self._open
        self._cycle.passed += 1
        self.seconds *= max(0.5, 1.0 - self._narrowing * self._cycle.passed)
        if self.seconds < LEAST:
            self.seconds = 0.0

    def refused(self, sent: float, now: float) -> None:
        """Note a 429. Those that were sent before the last one widened the spacing say nothing about it.

        Where nothing has been let through since, it only widens until something is.

        :param sent: when the request was sent.
        """
        if self._is_first:
            self._widen(self._between, now)
            return
        self._learn(now)
        self._cycle.refused += 1
        if sent > self._widened:
            if self._cycle.passed:
                self._learn_of_long_run()
                self._widen(self._wider(), now)
            else:
                self.seconds = max(self.seconds, min(self.seconds * WIDER, CLOSED))
                self._widened = now

    def paused(self, now: float, seconds: float) -> None:
        """Note that the vendor asked for a pause with a 429."""
        self._paused_until = max(self._paused_until, now + seconds)
        if self.seconds > 0:
            self._narrow_in(PAUSES * (self._paused_until - self._widened) / self.seconds)

    @property
    def _is_first(self) -> bool:
        return self._widened == -math.inf

    def _learn(self, now: float, *, pressed: bool = True) -> None:
        """Count the time since the last answer."""
        last, self._last = self._last, now
        if last is None:
            return
        if self._is_first:
            self._between += (now - last - self._between) / min(self._cycle.passed, RECENT) if pressed else 0.0
        else:
            paused = max(0.0, min(now, self._paused_until) - last)
            self._cycle.taken += paused + min(now - last - paused, LEAP * max(self.seconds, self._between))

    def _learn_of_long_run(self) -> None:
        """Find what a request took in the long run, pauses and refusals counted, when that was best."""
        self._cycles.append(self._cycle)
        passed = sum(cycle.passed for cycle in self._cycles)
        refused = sum(cycle.refused for cycle in self._cycles)
        if passed >= RECENT or len(self._cycles) == CYCLES:
            took = sum(cycle.taken for cycle in self._cycles) / passed
            self._best = took if took > WORSE * self._best else min(self._best, took)
            if refused > OFTEN * (passed + refused):
                self._best = math.inf
                self._cycles.clear()

    def _widen(self, seconds: float, now: float) -> None:
        self.seconds = self._open = min(MOST, max(seconds, 2 * LEAST))
        self._widened = self._last = now
        self._cycle = _Cycle()
        self._narrow_in(ANSWERS)

    def _narrow_in(self, answers: float) -> None:
        """Have it back where it was refused after so many answers: each narrows it by more than the one before."""
        self._narrowing = 2 * math.log(WIDER) / max(ANSWERS, answers) ** 2

    def _wider(self) -> float:
        """Give the new spacing: wider by `WIDER`, or by more where a request took far more time, refusals counted.

        With pauses that is wide enough, and often far too wide, since what a vendor takes again after a pause needn't
        fill it: what it takes in the long run lies between that and the spacing.
        """
        took = self._cycle.taken / self._cycle.passed
        if self._paused_until > self._widened:
            took = math.sqrt(max(self.seconds, LEAST) * took)
        return min(max(self.seconds * WIDER, took), max(self.seconds, BEYOND * self._best))
