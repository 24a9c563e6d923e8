"""Reads the vendor's `Retry-After`: how long it asks to wait (A2). The sender obeys it before it sends again."""

from __future__ import annotations

import email.utils
import math
from datetime import UTC, datetime
from typing import NamedTuple

SHORTEST_RETRY_AFTER = 1.0
"""Seconds. A `Retry-After` of 0, or a date in the past because clocks differ, would cause a retry without pause."""
LONGEST_RETRY_AFTER = 7 * 24 * 3600.0
"""Seconds. A longer `Retry-After` is treated as a week: `max_wait` ends the run long before."""


class RetryAfter(NamedTuple):
    """What a vendor asks for.

    :param seconds: to wait from now, at least one.
    :param words: what it asks for, for a message.
    """

    seconds: float
    words: str


def retry_after(text: str | None, now: datetime) -> RetryAfter | None:
    """Read a `Retry-After` header, in seconds or as a date (A2); None if there is no header, or it is not valid.

    :param now: with its offset.
    """
    if text is None:
        return None
    if (seconds := _seconds(text)) is not None:
        words = f"asks to wait for {seconds:,.12g} s"
    elif (date := _date(text)) is not None:
        seconds, words = (date - now).total_seconds(), f"asks to wait until {date:%Y-%m-%d %H:%M:%S} UTC"
    else:
        return None
    return RetryAfter(min(max(seconds, SHORTEST_RETRY_AFTER), LONGEST_RETRY_AFTER), words)


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
