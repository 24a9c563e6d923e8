"""A vendor's rate limit."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VendorRateLimit:
    """How many POSTs a second a sandbox vendor takes; it answers the others with 429.

    :param per_second: requests a second; what was not used is saved up for one second at most.
    :param retry_after: whole seconds to name in ``Retry-After``; None: the header is left out.
    """

    per_second: float
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.per_second, bool) or not 0 < self.per_second < float("inf"):
            raise ValueError("a rate limit is a number of requests a second, above 0")
        if self.retry_after is not None and (type(self.retry_after) is not int or self.retry_after < 0):
            raise ValueError("retry_after is a whole number of seconds")


class Bucket:
    """Lets through what a rate limit allows: a token bucket that holds one second's worth."""

    def __init__(self, limit: VendorRateLimit) -> None:
        self.limit = limit
        self._size = max(1.0, limit.per_second)
        self._tokens = self._size
        self._at = time.monotonic()

    def take(self) -> bool:
        """Whether one more request may pass now."""
        now = time.monotonic()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self.limit.per_second)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
