"""What a delivery waits for before it sends anything more, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.upload_status import Waiting, WaitsFor


class Pauses:
    """Remembers the pauses of a delivery that are not over. Used on the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: Waiting | None = None
        self._backoffs: list[Waiting] = []

    def add(self, why: WaitsFor, seconds: float) -> None:
        """Note that no request goes for some seconds; the pause that ends last counts."""
        until = self._clock.now() + timedelta(seconds=seconds)
        if self._all is None or until > self._all.until:
            self._all = Waiting(why, until)

    def add_backoff(self, why: WaitsFor, seconds: float) -> None:
        """Note that a request waits for some seconds before it is sent again; others may go."""
        now = self._clock.now()
        self._backoffs = [*self._waiting(now), Waiting(why, now + timedelta(seconds=seconds))]

    def now(self, in_flight: int) -> Waiting | None:
        """Return what the delivery waits for; None if it sends.

        :param in_flight: the number of requests in flight: while there are any, a single one's wait holds up nothing.
        """
        now = self._clock.now()
        if self._all is not None and self._all.until > now:
            return self._all
        return None if in_flight else min(self._waiting(now), key=lambda one: one.until, default=None)

    def _waiting(self, now: datetime) -> list[Waiting]:
        return [one for one in self._backoffs if one.until > now]
