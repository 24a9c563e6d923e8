"""The seconds between two requests where a vendor limits their rate, learned from its 429s. No I/O.

One request in flight at a time can still be too many for a vendor that answers fast, so requests are also kept apart:
they are spaced. A refusal widens the spacing, and every request that passes narrows it again: slowly at first, faster
the longer nothing is refused, and more slowly the longer the vendor asks to pause after a 429. The first spacing is the
mean time between the requests that passed before the first refusal.

The spacing never becomes much wider than the time that a request took in the long run, because some vendors refuse a
share of the requests at any rate: spacing would slow them and avoid no refusal.

CUBIC (with TCP Westwood's decrease) and BBR were tried in its place. CUBIC needed as many constants and was slower to
follow a limit that falls; BBR lost most of the time to pauses.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

WIDER = 1.4
"""The factor by which a refusal widens the spacing, at least."""
LEAP = 4.0
"""The longest time between two answers that counts, in spacings, pauses left out: beyond it, nothing was to be sent."""
ANSWERS = 26
"""The fewest requests that must pass until the spacing is as narrow again as it was before the refusal."""
PAUSES = 3
"""That also takes at least this many times the pause that was asked for, so that pauses cost a quarter of the time."""
RECENT = 50
"""The number of requests that a mean covers, about."""
CYCLES = 8
"""The number of cycles, each from one widening of the spacing to the next, that a mean covers at most."""
BEYOND = 1.5
"""The widest spacing, as a multiple of the best (shortest) time that a request took in the long run."""
WORSE = 3.0
"""If a request takes this many times the best time, the vendor's limit has fallen, and the longer time is the best."""
OFTEN = 0.4
"""If this share of the requests is refused, the limit has fallen, too, and the best time is forgotten."""
LEAST = 0.0001
"""Seconds; a narrower spacing is none."""
MOST = 30.0
"""Seconds; the widest spacing. For a vendor that accepts fewer requests, each request's own backoff waits."""
CLOSED = 3.0
"""Seconds; the widest spacing while nothing passes, so that a vendor that opens again is noticed."""


@dataclass(slots=True)
class _Cycle:
    """What happened between two refusals that widened the spacing.

    :param taken: seconds, without those in which there was nothing to send.
    :param passed: requests that the vendor let through.
    :param refused: requests that the vendor answered with 429.
    """

    taken: float = 0.0
    passed: int = 0
    refused: int = 0


class RateLimit:
    """The spacing of requests, in `seconds`: 0 until the first 429."""

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
        """Learn from a request that the vendor let through.

        :param now: seconds, when the answer came.
        :param pressed: whether more requests were waiting: if not, the rate is that of the source, not the vendor's.
        """
        self._learn(now, pressed=pressed)
        if self._cycle.passed == 0 and not self._is_first:
            self.seconds = self._open
        self._cycle.passed += 1
        self.seconds *= max(0.5, 1.0 - self._narrowing * self._cycle.passed)
        if self.seconds < LEAST:
            self.seconds = 0.0

    def refused(self, sent: float, now: float) -> None:
        """Learn from a 429. One to a request that was sent before the spacing last widened changes nothing.

        While nothing passes, the spacing widens temporarily, at most to `CLOSED`.

        :param sent: seconds, when the request was sent.
        :param now: seconds, when the answer came.
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
        """Learn that a 429 asked for a pause.

        :param seconds: the length of the pause.
        """
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
        """Update the best time that a request took in the long run, pauses and refusals included."""
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
        """Narrow the spacing to the refused one in this many answers, each by more than the one before."""
        self._narrowing = 2 * math.log(WIDER) / max(ANSWERS, answers) ** 2

    def _wider(self) -> float:
        """Return the new spacing: wider by `WIDER`, or what a request took since the last refusal if that is more.

        If the vendor asked for a pause, that time is too long, because the vendor could have accepted requests during
        the pause: the right spacing lies between it and the one before, and their geometric mean is taken.
        """
        took = self._cycle.taken / self._cycle.passed
        if self._paused_until > self._widened:
            took = math.sqrt(max(self.seconds, LEAST) * took)
        return min(max(self.seconds * WIDER, took), max(self.seconds, BEYOND * self._best))
