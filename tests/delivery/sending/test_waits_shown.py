"""What a delivery waits for: the pause that ends last, and a single request's wait only if nothing else is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.sending.pauses import Pauses
from airflow_provider_userdata.upload_status import Waiting

START = datetime(2026, 11, 30, tzinfo=UTC)


class SetClock(Clock):
    """A clock that is set."""

    second = 0.0

    def now(self) -> datetime:
        """Return the time that was set."""
        return START + timedelta(seconds=self.second)


def test_the_pause_that_ends_last_counts_until_it_is_over() -> None:
    """A shorter one in between changes nothing; afterwards there is none."""
    clock = SetClock()
    pauses = Pauses(clock)
    assert pauses.now(0) is None
    pauses.add("too_many_requests", 30)
    pauses.add("retry_after", 10)
    assert pauses.now(5) == Waiting("too_many_requests", START + timedelta(seconds=30))
    pauses.add("maintenance", 60)
    assert pauses.now(0) == Waiting("maintenance", START + timedelta(seconds=60))
    clock.second = 60.0
    assert pauses.now(0) is None


def test_a_requests_own_wait_counts_while_no_other_is_in_flight() -> None:
    """It goes on with the first of those that wait."""
    clock = SetClock()
    pauses = Pauses(clock)
    pauses.add_backoff("retry", 20)
    pauses.add_backoff("too_many_requests", 8)
    assert pauses.now(1) is None
    assert pauses.now(0) == Waiting("too_many_requests", START + timedelta(seconds=8))
    clock.second = 9.0
    assert pauses.now(0) == Waiting("retry", START + timedelta(seconds=20))
    clock.second = 20.0
    assert pauses.now(0) is None
