"""Turns records into batches of one user each, whose sizes hold for each user alone (G14). No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_provider_userdata.delivery.sending.batcher import WINDOW_BATCHES, Batch, OrderedBatcher
from airflow_provider_userdata.records import Record, by_user
from airflow_provider_userdata.vendors import BatchLimits


class UserBatcher:
    """Batches each user's records in the source's order, as if they were alone in it.

    Full batches leave at once. The records that may be sent and wait for more of their users are bounded: where they
    exceed a window, half of it leaves, beginning with the users that were not seen for longest. If that can be avoided,
    no user keeps too few for a request. A source that is sorted by user so needs the fewest requests. Users with fewer
    records than the minimum wait for the source's end, whatever their number.

    :param window: the records of the window; None takes `WINDOW_BATCHES` full batches.
    """

    def __init__(self, limits: BatchLimits, window: int | None = None) -> None:
        self._limits = limits
        self._window = window or WINDOW_BATCHES * limits.maximum
        self._few: dict[str | None, OrderedBatcher] = {}  # users with fewer records than the minimum
        self._enough: dict[str | None, OrderedBatcher] = {}  # the other ones; who was seen last comes last
        self._waiting = 0  # records of the other ones

    @property
    def pending(self) -> list[Record]:
        """The records that are not in a batch yet."""
        waiting = [*self._few.values(), *self._enough.values()]
        return [record for batcher in waiting for record in batcher.pending]

    @property
    def room(self) -> int:
        """The best number of records to add next: a full batch."""
        return self._limits.maximum

    def add(self, records: Sequence[Record]) -> list[Batch]:
        """Add records, and return the batches that are full, or for which the window has no room."""
        batches: list[Batch] = []
        for user, own in by_user(records):
            batcher = self._taken_out(user) or OrderedBatcher(self._limits)
            batches += batcher.add(own)
            self._put_back(user, batcher)
        if self._waiting > self._window:
            batches += self._shrunk(OrderedBatcher.relieve)
            batches += self._shrunk(OrderedBatcher.flush)
        return batches

    def flush(self) -> list[Batch]:
        """Return all that may be sent; of a user with fewer than the minimum, nothing."""
        return self._shrunk(OrderedBatcher.flush, most=0)

    relieve = flush

    def _shrunk(self, leave: Callable[[OrderedBatcher], list[Batch]], most: int | None = None) -> list[Batch]:
        """Return batches until few enough records wait.

        :param leave: returns what leaves of a user's records.
        :param most: how many may still wait; None is half of the window.
        """
        batches: list[Batch] = []
        for user in list(self._enough):
            if self._waiting <= (self._window // 2 if most is None else most):
                break
            batcher = self._enough[user]
            left = leave(batcher)
            batches += left
            self._waiting -= sum(map(len, left))
            if len(batcher.pending) < self._limits.minimum:
                self._put_back(user, self._taken_out(user) or batcher)
        return batches

    def _taken_out(self, user: str | None) -> OrderedBatcher | None:
        if (batcher := self._enough.pop(user, None)) is not None:
            self._waiting -= len(batcher.pending)
            return batcher
        return self._few.pop(user, None)

    def _put_back(self, user: str | None, batcher: OrderedBatcher) -> None:
        count = len(batcher.pending)
        if count >= self._limits.minimum:
            self._enough[user] = batcher
            self._waiting += count
        elif count:
            self._few[user] = batcher
