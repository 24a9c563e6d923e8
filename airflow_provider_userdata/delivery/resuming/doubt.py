"""What earlier attempts sent, or may have sent, with an unknown outcome (A3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet
from airflow_provider_userdata.records import Record

ALL = 2**53
"""More than the records of any source."""


class Doubt:
    """A set of positions in doubt. The one owner: all others ask it.

    :param positions: that were sent.
    :param below: all positions below this one may have been sent, too, unless they have their fate.
    """

    def __init__(self, positions: IntervalSet | None = None, below: int = 0) -> None:
        self.positions = IntervalSet() if positions is None else positions
        self.below = below

    def add(self, other: Doubt) -> None:
        """Add what another one holds."""
        self.positions.add_all(other.positions.ranges())
        self.below = max(self.below, other.below)

    def add_all(self) -> None:
        """Note that any record without a fate may have been sent."""
        self.below = ALL

    def __bool__(self) -> bool:
        return self.below > 0 or self.positions.end > 0

    def __contains__(self, position: int) -> bool:
        return position < self.below or position in self.positions

    def count(self, ranges: Iterable[Sequence[int]]) -> int:
        """Return how many positions without a fate, given as `[start, length]`, are in doubt."""
        count = 0
        for start, length in ranges:
            below = min(max(self.below - start, 0), length)
            count += below + self.positions.count(start + below, length - below)
        return count

    def split(self, records: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Record]]:
        """Return the records that are in doubt, and the others, in their order."""
        if not self:
            return [], records
        doubtful = [record for record in records if record.position in self]
        return doubtful, [record for record in records if record.position not in self]

    def of(self, settled: IntervalSet) -> int | None:
        """Return how many positions are in doubt, without those that are settled; None if any may be."""
        if self.below >= ALL:
            return None
        return len(IntervalSet([*self.positions.ranges(), (0, self.below)]).without(settled))
