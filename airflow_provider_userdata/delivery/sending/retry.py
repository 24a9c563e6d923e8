"""When to send again: pure decisions."""

from __future__ import annotations

import email.utils
import math
from dataclasses import dataclass
from datetime import UTC, datetime

FIRST_WAIT = 1.0
"""The longest wait before the second attempt, in seconds; it doubles with each attempt."""
LONGEST_WAIT = 60.0
EARLIEST = (0.0, 0.0, 0.0, 10.0, 65.0, 150.0)
"""Seconds from the first failure to each attempt, at least, while nothing is accepted: six outlast a restart of two
minutes, and a dead vendor isn't asked more often for it."""
SHORTEST_RETRY_AFTER = 1.0
"""A `Retry-After` of nothing, or of the past by a clock that runs late, would have us ask again without a pause."""
LONGEST_RETRY_AFTER = 7 * 24 * 3600.0
"""A `Retry-After` beyond a week is taken for a week: `max_wait` ends the run long before."""
POISON = 3
"""How many times its attempts a request gets that keeps failing while the vendor accepts others."""


@dataclass(slots=True)
class Attempts:
    """What the attempts at one request have used up.

    :param started: since when it waits.
    :param sent: how often it was sent.
    :param used_up: how often it failed, where the vendor gave no `Retry-After`.
    :param in_vain: how often of these since the vendor last accepted anything: one that accepts isn't dead.
    :param failing_since: when the first of those was.
    :param accepted: how many requests the vendor had accepted when it last failed.
    """

    started: float
    accepted: int
    sent: int = 0
    used_up: int = 0
    in_vain: int = 0
    failing_since: float = 0.0

    def failed(self, accepted: int, now: float) -> None:
        """Count a failure."""
        self.in_vain = 1 if accepted > self.accepted else self.in_vain + 1
        if self.in_vain == 1:
            self.failing_since = now
        self.accepted = accepted
        self.used_up += 1

    def over(self, most: int) -> bool:
        """Say whether the vendor is dead to this request: to all, or, after many more, to this one alone."""
        return self.in_vain >= most or self.used_up >= POISON * most

    def wait(self, now: float, max_wait: float, chance: float) -> float:
        """Return the seconds to wait before the next attempt.

        :param max_wait: seconds without an accepted request, after which waiting ends: half of them are enough.
        :param chance: drawn evenly from 0 to 1.
        """
        earliest = EARLIEST[min(self.in_vain, len(EARLIEST) - 1)]
        rest = self.failing_since + min(earliest, max_wait / 2) - now
        return max(0.0, rest) + backoff(self.used_up, chance)


def backoff(attempt: int, chance: float) -> float:
    """Give the seconds to wait after an attempt: exponential, with full jitter (A2).

    :param attempt: the number of the attempt that failed, from 1.
    :param chance: drawn evenly from 0 to 1.
    """
    return chance * min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt - 1, 16))


def retry_after(text: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header, in seconds or as a date (A2).

    :param now: with its offset.
    :return: seconds from now, at least one; None where there is no header or it says nothing readable.
    """
    if text is None:
        return None
    seconds = _seconds(text.strip())
    if seconds is None:
        date = _date(text)
        if date is None:
            return None
        seconds = (date - now).total_seconds()
    return min(max(seconds, SHORTEST_RETRY_AFTER), LONGEST_RETRY_AFTER)


def asks_to_wait(text: str) -> str:
    """Say what a readable `Retry-After` header asks for, in words of our own."""
    seconds, date = _seconds(text.strip()), _date(text)
    if seconds is None and date is not None:
        return f"asks to wait until {date:%Y-%m-%d %H:%M:%S} UTC"
    return f"asks to wait for {seconds or 0.0:,.12g} s"


def beyond_max_wait(what: str, wait: float, waited: float, max_wait: float) -> str:
    """Say that a wait is not begun, since it would go beyond `max_wait` (A4).

    :param wait: seconds.
    :param waited: seconds without an accepted request until now.
    """
    before = f" after {waited:,.0f} s without an accepted request" if wait <= max_wait else ""
    return f"{what}{before}: more than max_wait={max_wait:g} allows"


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _date(text: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
