"""Turns records into batches of one user each, whose sizes hold for each user alone (G14)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from airflow_provider_userdata.delivery.sending.batcher import WINDOW_BATCHES, Batch, OrderedBatcher
from airflow_provider_userdata.delivery.sending.few_records import FewRecords
from airflow_provider_userdata.records import Record, by_user
from airflow_provider_userdata.vendors import BatchLimits


class _OwnBatcher(OrderedBatcher):
    """Batches one user's records.

    `seen` is how many records of all users had come when the last one of this user came.
    """

    __slots__ = ("seen",)
    seen: int


class UserBatcher:
    """Batches each user's records in the source's order, as if they were alone in it.

    Full batches leave at once. The records that may be sent and wait for more of their users are bounded: where they
    exceed a window, up to half of it leaves, beginning with the users that were not seen for longest. Users that were
    seen lately may come again: if there is room, they keep as many records as their next batch may need. Users with
    fewer records than the minimum wait for the source's end, whatever their number: of many, most are in a file.

    :param window: the records of the window; None takes `WINDOW_BATCHES` full batches.
    :param few: keeps the records of users with fewer than the minimum.
    """

    def __init__(self, limits: BatchLimits, window: int | None = None, few: FewRecords | None = None) -> None:
        self._limits = limits
        self._window = window or WINDOW_BATCHES * limits.maximum
        self._few = FewRecords() if few is None else few
        self._enough: dict[str | None, _OwnBatcher] = {}  # the other users; who was seen last comes last
        self._waiting = 0  # records of the other users
        self._taken = 0

    @property
    def pending(self) -> list[Record]:
        """The records that are not in a batch yet."""
        return [record for records in self.groups for record in records]

    @property
    def groups(self) -> Iterable[Sequence[Record]]:
        """The same, by user; not all of them are in memory."""
        return chain(self._few, (batcher.pending for batcher in self._enough.values()))

    @property
    def room(self) -> int:
        """The best number of records to add next: a full batch."""
        return self._limits.maximum

    def add(self, records: Sequence[Record]) -> list[Batch]:
        """Add records, and return the batches that are full, or for which the window has no room."""
        batches: list[Batch] = []
        self._taken += len(records)
        groups = by_user(records)
        self._few.bring_back([user for user, _ in groups if user not in self._enough])
        for user, own in groups:
            batcher = self._taken_out(user)
            batcher.seen = self._taken
            batches += batcher.add(own)
            self._put_back(user, batcher)
        self._few.shrink()
        if self._waiting > self._window:
            half = self._window // 2
            batches += self._shrunk(OrderedBatcher.flush, half, unseen_since=self._taken - half)
            for leave in (OrderedBatcher.relieve, OrderedBatcher.flush):
                if self._waiting > self._window - half // 2:
                    batches += self._shrunk(leave, half)
        return batches

    def flush(self) -> list[Batch]:
        """Return all that may be sent; of a user with fewer than the minimum, nothing."""
        return self._shrunk(OrderedBatcher.flush, 0)

    relieve = flush

    def _shrunk(
        self, leave: Callable[[OrderedBatcher], list[Batch]], most: int, unseen_since: float = math.inf
    ) -> list[Batch]:
        """Return batches until few enough records wait, of the users that were not seen for longest first.

        :param leave: returns what leaves of a user's records.
        :param most: how many may still wait.
        :param unseen_since: leaves out users of whom a record came later than this many of all.
        """
        batches: list[Batch] = []
        for user, batcher in list(self._enough.items()):
            if self._waiting <= most or batcher.seen > unseen_since:
                break
            left = leave(batcher)
            batches += left
            self._waiting -= sum(map(len, left))
            if len(batcher.pending) < self._limits.minimum:
                self._put_back(user, self._taken_out(user))
        return batches

    def _taken_out(self, user: str | None) -> _OwnBatcher:
        if (batcher := self._enough.pop(user, None)) is not None:
            self._waiting -= len(batcher.pending)
            return batcher
        return _OwnBatcher(self._limits, self._few.take(user))

    def _put_back(self, user: str | None, batcher: _OwnBatcher) -> None:
        count = len(batcher.pending)
        if count >= self._limits.minimum:
            self._enough[user] = batcher
            self._waiting += count
        elif count:
            self._few.put(user, list(batcher.pending))
