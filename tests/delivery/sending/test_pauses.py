"""Pure decisions about time: how long to wait before a request is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.sending.retry import FIRST_WAIT, LONGEST_WAIT, backoff
from airflow_provider_userdata.delivery.sending.retry_after import (
    LONGEST_RETRY_AFTER,
    SHORTEST_RETRY_AFTER,
    RetryAfter,
    retry_after,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def seconds_of(asked: RetryAfter | None) -> float | None:
    """Return the seconds of what a vendor asks for, if it asks for anything."""
    return None if asked is None else asked.seconds


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_the_wait_grows_to_a_limit(attempt: int, chance: float) -> None:
    """Waits double with each attempt up to a minute, and are drawn from all below (A2)."""
    assert 0 <= backoff(attempt, chance) <= min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt, 100))
    assert backoff(attempt, 1.0) <= backoff(attempt + 1, 1.0) <= LONGEST_WAIT
    assert backoff(attempt, 0.0) == 0


def test_the_first_waits_are_short() -> None:
    """1, 2, 4, 8 … seconds at most."""
    assert [backoff(attempt, 1.0) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("120", 120),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("0", SHORTEST_RETRY_AFTER),
        ("-5", SHORTEST_RETRY_AFTER),
        ("99999999999", LONGEST_RETRY_AFTER),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 01 Mar 2026 12:02:00 -0000", 120),
        ("Sun, 01 Mar 2026 21:02:00 +0900", 120),
        ("Sunday, 01-Mar-26 12:02:00 GMT", 120),
        ("Sun, 01 Mar 2026 11:00:00 GMT", SHORTEST_RETRY_AFTER),
        ("Wed, 01 Mar 2028 12:00:00 GMT", LONGEST_RETRY_AFTER),
        ("Sun, 30 Feb 2026 12:00:00 GMT", None),
        ("Sun, 01 Mar 2026 12:02:00 +99999999999999999999", None),
    ],
)
def test_the_header_is_read_in_seconds_or_as_a_date(text: str | None, seconds: float | None) -> None:
    """Seconds and dates become seconds from now, never without a pause; what says nothing is None (A2)."""
    assert seconds_of(retry_after(text, NOW)) == seconds


@given(seconds=st.integers(1, 600_000), hours=st.integers(-14, 14))
def test_a_date_is_read_in_any_zone(seconds: int, hours: int) -> None:
    """A date means the same moment wherever it is written."""
    moment = (NOW + timedelta(seconds=seconds)).astimezone(tz=(NOW + timedelta(hours=hours)).tzinfo)

    assert seconds_of(retry_after(format_datetime(moment), NOW)) == seconds


@given(st.text() | st.from_regex(r"\A[A-Z][a-z]{2}, \d{1,5} [A-Z][a-z]{2} \d{1,6} \d{1,3}:\d\d:\d\d [+-]?\w{1,25}\Z"))
def test_any_header_is_survived(text: str) -> None:
    """Whatever a vendor writes, it is a bounded number of seconds or nothing."""
    seconds = seconds_of(retry_after(text, NOW))

    assert seconds is None or SHORTEST_RETRY_AFTER <= seconds <= LONGEST_RETRY_AFTER
