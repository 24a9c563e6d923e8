"""Reads the vendor's `Retry-After`: how long it asks to wait (A2). The sender obeys it before it sends again."""

from __future__ import annotations

import email.utils
import math
from datetime import UTC, datetime

SHORTEST_RETRY_AFTER = 1.0
"""Seconds. A `Retry-After` of 0, or a date in the past because clocks differ, would cause a retry without pause."""
LONGEST_RETRY_AFTER = 7 * 24 * 3600.0
"""Seconds. A longer `Retry-After` is treated as a week: `max_wait` ends the run long before."""


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
