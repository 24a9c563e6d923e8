"""When requests may go at a fixed rate: on a schedule, so that what goes late is made up for. No I/O."""

from __future__ import annotations

import math
from collections import deque

LONGEST_CATCH_UP = 1.0
"""Seconds that the schedule may lie behind: what was not used before that is not made up for."""
MARGIN = 1.005
"""A window's length in times of the shortest: a request's way from here to the vendor doesn't always take as long."""
MOST_IN_WINDOW = 10_000
"""Beyond so many, a window is shorter than a second."""


class Schedule:
    """The moments at which requests may go, no more than a rate allows in any second.

    As many as go in a window (a second; the time of one request, where it is longer) may go at any moments in it, but
    each at the earliest a window after the one that is so many before it.

    :param per_second: requests a second; in any second there are no more than that, rounded up.
    """

    def __init__(self, per_second: float) -> None:
        in_window = min(math.ceil(per_second), MOST_IN_WINDOW)
        self._interval = 1.0 / per_second
        self._window = in_window / per_second * MARGIN
        self._last = deque([-math.inf] * in_window, maxlen=in_window)
        self._next: float | None = None

    def turn(self) -> float:
        """Return the moment at which the next request may go."""
        return -math.inf if self._next is None else max(self._next, self._last[0] + self._window)

    def sent(self, now: float) -> None:
        """Note that a request goes."""
        self._last.append(now)
        due = now if self._next is None else max(self._next, now - LONGEST_CATCH_UP)
        self._next = due + self._interval
