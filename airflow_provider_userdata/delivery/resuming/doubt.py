"""What earlier attempts sent, or may have sent, and of which nobody knows what became (A3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet

ALL = 2**53
"""No source has as many records."""


class Doubt:
    """A set of positions.

    :param positions: that were sent.
    :param below: all positions below this one may have been sent, too, unless they have their fate.
    """

    def __init__(self, positions: IntervalSet | None = None, below: int = 0) -> None:
        self.positions = IntervalSet() if positions is None else positions
        self.below = below

    def __bool__(self) -> bool:
        return self.below > 0 or self.positions.end > 0

    def __contains__(self, position: int) -> bool:
        return position < self.below or position in self.positions

    def count(self, ranges: Iterable[Sequence[int]]) -> int:
        """Return how many positions without a fate, given as `[start, length]`, are in doubt."""
        if not self:
            return 0
        count = 0
        for start, length in ranges:
            below = min(max(self.below - start, 0), length)
            count += below + self.positions.count(start + below, length - below)
        return count

    def of(self, settled: IntervalSet) -> int | None:
        """Return how many positions are in doubt where some have their fate; None where nobody can tell."""
        if self.below >= ALL:
            return None
        return len(IntervalSet([*self.positions.ranges(), (0, self.below)]).without(settled))
