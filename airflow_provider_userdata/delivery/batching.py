"""Turns valid records into batches, by a vendor's limits: pure, and bounded whatever the source."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Protocol

from airflow_provider_userdata.vendors.contract import BatchLimits, Record

Batch = list[Record]

WINDOW_BATCHES = 50
"""How many full batches' worth of records may wait for company, where records group or users return."""


class Batcher(Protocol):
    """Takes records in the source's order, and gives batches in the order in which they are sent."""

    @property
    def pending(self) -> list[Record]:
        """The records that stand in no batch yet."""

    def add(self, records: Sequence[Record]) -> list[Batch]:
        """Take records, and give the batches that are full."""

    def flush(self) -> list[Batch]:
        """Give what is left: every record but too few for a batch, which stay pending."""


def batcher(limits: BatchLimits) -> Batcher:
    """Choose the way of batching that a vendor's limits ask for."""
    return GroupBatcher(limits) if limits.user_once else OrderedBatcher(limits)


class OrderedBatcher:
    """Batches in the source's order, and never leaves a tail that is too small to be sent (G3).

    So many records stay back that the last batch can be evened out with the one before it. The number of batches is
    the smallest possible, `ceil(n / maximum)`.
    """

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._reserve = limits.minimum if limits.minimum > 1 else 0
        self._pending: list[Record] = []

    @property
    def pending(self) -> list[Record]:
        """The records that stand in no batch yet."""
        return self._pending

    def add(self, records: Sequence[Record]) -> list[Batch]:
        """Take records, and give the batches that are full."""
        self._pending.extend(records)
        size = self._limits.maximum
        full = max(0, len(self._pending) - self._reserve) // size
        batches = _slices(self._pending[: full * size], size)
        del self._pending[: full * size]
        return batches

    def flush(self) -> list[Batch]:
        """Give what is left, in one batch or two of even size; fewer than the minimum stay pending."""
        left = len(self._pending)
        if left < self._limits.minimum:
            return []
        batches = _slices(self._pending, left if left <= self._limits.maximum else (left + 1) // 2)
        self._pending = []
        return batches


class GroupBatcher:
    """Batches records of one group (P5), each user once in a batch, a user's records in the source's order (P8).

    A window of records is laid out in levels: a user's first record in the window is of level 0, the second of
    level 1, and so on, whatever their groups. A batch holds records of one group and one level, and batches leave
    level by level, so a record never leaves before an earlier one of its user, and no two batches wait for each
    other. Full batches of level 0 leave at once. The window ends after a bounded number of records, so that a
    rare group, or a user who comes again and again, keeps nothing back for long.
    """

    def __init__(self, limits: BatchLimits, window: int | None = None) -> None:
        self._maximum = limits.maximum
        self._window = window or WINDOW_BATCHES * limits.maximum
        self._taken = 0
        self._seen: dict[str | None, int] = {}
        self._open: dict[tuple[int, tuple[str, ...]], Batch] = {}

    @property
    def pending(self) -> list[Record]:
        """The records that stand in no batch yet."""
        return [record for batch in self._open.values() for record in batch]

    def add(self, records: Sequence[Record]) -> list[Batch]:
        """Take records, and give the batches that are full or whose window has ended."""
        batches: list[Batch] = []
        start = 0
        while start < len(records):
            part = records[start : start + self._window - self._taken]
            start += len(part)
            self._taken += len(part)
            batches.extend(self._place(part))
            if self._taken == self._window:
                batches.extend(self.flush())
        return batches

    def _place(self, records: Sequence[Record]) -> list[Batch]:
        """Place records of one window, and give the batches of level 0 that are full."""
        full: list[Batch] = []
        seen = self._seen
        group: tuple[str, ...] | None = None
        batch: Batch = []
        for record in records:
            level = seen.get(record.user, 0)
            seen[record.user] = level + 1
            if level:
                self._open.setdefault((level, record.group), []).append(record)
                continue
            if record.group is not group:  # nearly all records of a source share one object, which is never hashed here
                group = record.group
                batch = self._open.setdefault((0, group), [])
            batch.append(record)
            if len(batch) == self._maximum:
                full.append(self._open.pop((0, group)))
                group = None
        return full

    def flush(self) -> list[Batch]:
        """End the window: give all that is left, level by level."""
        by_level = sorted(self._open.items(), key=lambda placed: placed[0][0])
        self._open = {}
        self._seen.clear()
        self._taken = 0
        return [batch for _, records in by_level for batch in _slices(records, self._maximum)]


def _slices(records: list[Record], size: int) -> list[Batch]:
    return [records[start : start + size] for start in range(0, len(records), size or 1)]


def ranges(positions: Sequence[int]) -> list[list[int]]:
    """Write rising positions as `[start, length]` ranges, as receipts keep them."""
    found: list[list[int]] = []
    index, count = 0, len(positions)
    while index < count:
        first, ahead, reach = positions[index], positions[index] - index, 1
        # Where none is missing, a position is as far ahead of its place in the list as the first one.
        while index + reach < count and positions[index + reach] - index - reach == ahead:
            reach *= 2
        end = index + 1
        if reach > 1:
            low, high = index + reach // 2, min(index + reach, count)
            end = bisect.bisect_right(range(count), ahead, lo=low, hi=high, key=lambda place: positions[place] - place)
        found.append([first, end - index])
        index = end
    return found
