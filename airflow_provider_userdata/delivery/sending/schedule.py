"""When requests may go at a fixed rate: on a schedule, so that a late request doesn't lower the rate. No I/O."""

from __future__ import annotations

import math
from collections import deque

LONGEST_CATCH_UP = 1.0
"""Seconds that the schedule may be behind: what was not used before that is lost."""
MARGIN = 1.005
"""The factor by which a window is longer than the rate requires, because some requests reach the vendor sooner."""
MOST_IN_WINDOW = 10_000
"""The most requests in a window; at higher rates, it is shorter than a second."""


class Schedule:
    """Says when requests may go, so that no second has more than a rate allows.

    A window is a second, or the time for one request if that is longer. With n requests per window, each request goes
    at least a window after the n-th before it; within a window, they may go at any moment.

    :param per_second: requests a second; in any second there are no more than that, rounded up.
    """

    def __init__(self, per_second: float) -> None:
        in_window = min(math.ceil(per_second), MOST_IN_WINDOW)
        self._interval = 1.0 / per_second
        self._window = in_window / per_second * MARGIN
        self._last = deque([-math.inf] * in_window, maxlen=in_window)
        self._next: float | None = None

    def turn(self) -> float:
        """Return the second of the clock at which the next request may go."""
        return -math.inf if self._next is None else max(self._next, self._last[0] + self._window)

    def sent(self, now: float) -> None:
        """Record that a request goes now."""
        self._last.append(now)
        due = now if self._next is None else max(self._next, now - LONGEST_CATCH_UP)
        self._next = due + self._interval
