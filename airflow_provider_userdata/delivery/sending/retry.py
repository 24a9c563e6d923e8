"""When to send a request again. No I/O."""

from __future__ import annotations

import email.utils
import math
from dataclasses import dataclass
from datetime import UTC, datetime

FIRST_WAIT = 1.0
"""The longest wait before the second attempt, in seconds; it doubles with each attempt."""
LONGEST_WAIT = 60.0
"""Seconds, of a wait between two attempts."""
EARLIEST = (0.0, 0.0, 0.0, 10.0, 65.0, 150.0)
"""The fewest seconds from the first failure to each attempt, while nothing is accepted: six attempts outlast a restart
of two minutes without more requests to a vendor that is down."""
SHORTEST_RETRY_AFTER = 1.0
"""Seconds. A `Retry-After` of 0, or a date in the past because clocks differ, would cause a retry without pause."""
LONGEST_RETRY_AFTER = 7 * 24 * 3600.0
"""Seconds. A longer `Retry-After` is treated as a week: `max_wait` ends the run long before."""
POISON = 3
"""A request that keeps failing while the vendor accepts others gets `max_attempts` times this many attempts."""


@dataclass(slots=True)
class Attempts:
    """The attempts at one request.

    :param started: seconds of the clock, from which its waiting counts.
    :param accepted: how many requests the vendor had accepted when this one last failed.
    :param sent: how often it was sent.
    :param used_up: how often it failed without a `Retry-After`.
    :param in_vain: how many of these failures came since the vendor last accepted a request.
    :param failing_since: when the first of those came.
    """

    started: float
    accepted: int
    sent: int = 0
    used_up: int = 0
    in_vain: int = 0
    failing_since: float = 0.0

    def failed(self, accepted: int, now: float) -> None:
        """Count a failure.

        :param accepted: how many requests the vendor has accepted by now.
        :param now: seconds of the clock.
        """
        self.in_vain = 1 if accepted > self.accepted else self.in_vain + 1
        if self.in_vain == 1:
            self.failing_since = now
        self.accepted = accepted
        self.used_up += 1

    def is_over(self, most: int) -> bool:
        """Return whether to stop: the vendor accepts nothing, or, after many more attempts, not this request."""
        return self.in_vain >= most or self.used_up >= POISON * most

    def wait(self, now: float, max_wait: float, chance: float) -> float:
        """Return the seconds to wait before the next attempt.

        :param max_wait: seconds without an accepted request after which the run stops waiting; no attempt is put off
            for more than half of them.
        :param chance: a random number from 0 to 1.
        """
        earliest = EARLIEST[min(self.in_vain, len(EARLIEST) - 1)]
        rest = self.failing_since + min(earliest, max_wait / 2) - now
        return max(0.0, rest) + backoff(self.used_up, chance)


def backoff(attempt: int, chance: float) -> float:
    """Return the seconds to wait after an attempt: exponential, with full jitter (A2).

    :param attempt: the number of the attempt that failed, from 1.
    :param chance: a random number from 0 to 1.
    """
    return chance * min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt - 1, 16))


def retry_after(text: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header, in seconds or as a date (A2).

    :param now: with its offset.
    :return: seconds from now, at least one; None if there is no header, or it is not valid.
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
    """Return what a valid `Retry-After` header asks for, in words for a message."""
    seconds, date = _seconds(text.strip()), _date(text)
    if seconds is None and date is not None:
        return f"asks to wait until {date:%Y-%m-%d %H:%M:%S} UTC"
    return f"asks to wait for {seconds or 0.0:,.12g} s"


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
