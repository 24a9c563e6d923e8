"""When requests may go at a fixed rate: on a schedule, so that a late request doesn't lower the rate. No I/O."""

from __future__ import annotations

import math
from collections import deque

MARGIN = 1.005
"""The factor by which a window is longer than the rate requires, because some requests reach the vendor sooner."""
MOST_IN_WINDOW = 10_000
"""The most requests in a window; at higher rates, it is shorter than a second."""


class Schedule:
    """Says when requests may go, so that no second has more than a rate allows.

    A window is a second, or the time for one request if that is longer. With n requests per window, each request goes
    at least a window after the n-th before it; the first ones are spread as if others had gone before them.

    :param per_second: requests a second; in any second there are no more than that, rounded up.
    """

    def __init__(self, per_second: float) -> None:
        self._in_window = min(math.ceil(per_second), MOST_IN_WINDOW)
        self._interval = MARGIN / per_second
        self._last: deque[float] = deque(maxlen=self._in_window)

    def turn(self) -> float:
        """Return the second of the clock at which the next request may go."""
        return self._last[0] + self._in_window * self._interval if self._last else -math.inf

    def sent(self, now: float) -> None:
        """Record that a request goes now."""
        if not self._last:
            self._last.extend(now - self._interval * before for before in range(self._in_window, 0, -1))
        self._last.append(now)
