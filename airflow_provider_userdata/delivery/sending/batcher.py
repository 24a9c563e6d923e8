"""Turns valid records into batches by a vendor's limits; the records that wait are bounded for any source. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_userdata.records import Record, RecordBatch, joined, users_of
from airflow_provider_userdata.vendors import BatchLimits

Batch = Sequence[Record]

WINDOW_BATCHES = 50
"""A window's records, in full batches: how many may wait where batches are made by group and user."""


class OrderedBatcher:
    """Batches in the source's order; the last batch is never too small to be sent (G3).

    As many records as the minimum are kept back, so that the last two batches can be evened out. The number of batches
    is the smallest possible, `ceil(n / maximum)`.
    """

    __slots__ = ("_limits", "_pending", "_reserve")  # where users are many, each has a batcher

    def __init__(self, limits: BatchLimits, pending: Sequence[Record] = ()) -> None:
        self._limits = limits
        self._reserve = limits.minimum if limits.minimum > 1 else 0
        self._pending = pending

    @property
    def pending(self) -> Sequence[Record]:
        """The records that are not in a batch yet."""
        return self._pending

    @property
    def groups(self) -> Iterable[Sequence[Record]]:
        """The same."""
        return [self._pending] if self._pending else []

    @property
    def room(self) -> int:
        """The best number of records to add next: it completes a batch, and at least half a batch is new."""
        size = self._limits.maximum
        left = size - len(self._pending) % size
        return left if 2 * left >= size else left + size

    def add(self, records: Sequence[Record]) -> list[Batch]:
        """Add records, and return the batches that are full."""
        size, waiting = self._limits.maximum, len(self._pending)
        end = max(0, waiting + len(records) - self._reserve) // size * size
        begun = waiting + -waiting % size
        if begun > end:
            batches, self._pending = _cut(joined(self._pending, records), size, end)
            return batches
        # Only the first batch is joined with what waits; the others stay slices of the new records, which is cheaper.
        first, _ = _cut(joined(self._pending, records[: begun - waiting]), size, begun)
        left = records[begun - waiting :] if begun > waiting else records
        others, self._pending = _cut(left, size, end - begun)
        return first + others

    def flush(self) -> list[Batch]:
        """Return the rest in one batch, or two of even size; fewer than the minimum stay pending."""
        left = len(self._pending)
        if left < self._limits.minimum:
            return []
        size = left if left <= self._limits.maximum else (left + 1) // 2
        batches, self._pending = _cut(self._pending, size, left)
        return batches

    def relieve(self) -> list[Batch]:
        """Return what can go before more is added: all but the records that the last batch may need."""
        end = len(self._pending) - self._reserve
        if end < self._limits.minimum:
            return []
        batches, self._pending = _cut(self._pending, self._limits.maximum, end)
        return batches


class GroupBatcher:
    """Batches records of one group (P5), each user once in a batch, a user's records in the source's order (P8).

    Each record of a window has a level: 0 for a user's first record in the window, 1 for the second, and so on, across
    groups. A batch holds records of one group and one level, and batches leave level by level. So a record never leaves
    before an earlier one of its user, and no two batches wait for each other. Full batches of level 0 leave at once.
    The window ends after a bounded number of records, so that a rare group, or a user who returns often, delays nothing
    for long.

    :param window: the records of a window; None takes `WINDOW_BATCHES` full batches.
    """

    def __init__(self, limits: BatchLimits, window: int | None = None) -> None:
        self._maximum = limits.maximum
        self._window = window or WINDOW_BATCHES * limits.maximum
        self._taken = 0
        self._seen: dict[str | None, int] = {}
        self._open: dict[tuple[int, tuple[str, ...]], Batch] = {}

    @property
    def pending(self) -> list[Record]:
        """The records that are not in a batch yet."""
        return [record for batch in self._open.values() for record in batch]

    @property
    def groups(self) -> Iterable[Sequence[Record]]:
        """The same."""
        return [self.pending] if self._open else []

    @property
    def room(self) -> int:
        """The best number of records to add next: two full batches."""
        return 2 * self._maximum

    def add(self, records: Sequence[Record]) -> list[Batch]:
        """Add records, and return the batches that are full or whose window has ended."""
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
        """Place records of one window, and return the batches of level 0 that are full."""
        if isinstance(records, RecordBatch):
            first = dict.fromkeys(users_of(records), 1)
            if len(first) == len(records) and self._seen.keys().isdisjoint(first):
                self._seen.update(first)
                waiting = joined(self._open.pop((0, records.group), ()), records)
                full, rest = _cut(waiting, self._maximum, len(waiting) // self._maximum * self._maximum)
                if rest:
                    self._open[0, records.group] = rest
                return full
        return self._place_each(records)

    def _place_each(self, records: Sequence[Record]) -> list[Batch]:
        full: list[Batch] = []
        seen = self._seen
        group: tuple[str, ...] | None = None
        batch: list[Record] = []
        for record in records:
            level = seen.get(record.user, 0)
            seen[record.user] = level + 1
            if level:
                self._begun(level, record.group).append(record)
                continue
            if record.group is not group:  # nearly all records of a source share one object, which is never hashed here
                group = record.group
                batch = self._begun(0, group)
            batch.append(record)
            if len(batch) == self._maximum:
                full.append(self._open.pop((0, group)))
                group = None
        return full

    def _begun(self, level: int, group: tuple[str, ...]) -> list[Record]:
        """Return the open batch of a level and a group."""
        batch = self._open.get((level, group), ())
        if not isinstance(batch, list):
            batch = self._open[level, group] = list(batch)
        return batch

    def flush(self) -> list[Batch]:
        """End the window, and return all the rest, level by level."""
        by_level = sorted(self._open.items(), key=lambda placed: placed[0][0])
        self._open = {}
        self._seen.clear()
        self._taken = 0
        return [batch for _, records in by_level for batch in _cut(records, self._maximum, len(records))[0]]

    relieve = flush


def _cut(records: Sequence[Record], size: int, end: int) -> tuple[list[Batch], Sequence[Record]]:
    """Return the records up to an end in batches of a size, and the rest."""
    if not end:
        return [], records
    if end == len(records) <= size:
        return [records], []
    return [records[start : min(start + size, end)] for start in range(0, end, size)], records[end:]
