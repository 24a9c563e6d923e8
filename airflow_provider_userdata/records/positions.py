"""Where records stand in their source: rising numbers of which few are missing, so ranges say it best."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from operator import add, sub
from typing import overload


class Positions(Sequence[int]):
    """Rising positions, kept as ranges.

    :param starts: the first position of each range.
    :param ends: as many: how many positions there are up to each range's end.
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self, starts: list[int], ends: list[int]) -> None:
        self._starts = starts
        self._ends = ends

    @classmethod
    def of(cls, positions: range, without: Sequence[int] = ()) -> Positions:
        """Give a range's positions, but for those at some places, rising."""
        begins, ends = [0, *(place + 1 for place in without)], [*without, len(positions)]
        lengths = list(map(sub, ends, begins))
        kept = [index for index, length in enumerate(lengths) if length]
        first = positions.start
        return cls([first + begins[index] for index in kept], list(accumulate([lengths[index] for index in kept])))

    def ranges(self) -> list[list[int]]:
        """Give `[start, length]` of each range."""
        return [[start, length] for start, length in zip(self._starts, self._lengths(), strict=True)]

    def followed_by(self, others: Positions) -> Positions:
        """Give these and others, all of which come later."""
        if not self._ends or not others._ends:
            return self if self._ends else others
        count = self._ends[-1]
        ends = [count + end for end in others._ends]
        if self[-1] + 1 == others._starts[0]:
            return Positions([*self._starts, *others._starts[1:]], [*self._ends[:-1], *ends])
        return Positions([*self._starts, *others._starts], [*self._ends, *ends])

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Positions: ...
    def __getitem__(self, index: int | slice) -> int | Positions:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            assert step == 1  # noqa: S101  # nobody takes every other one
            return self._between(start, stop)
        place = range(len(self))[index]
        at = bisect_right(self._ends, place)
        return self._starts[at] + place - (self._ends[at - 1] if at else 0)

    def _between(self, start: int, stop: int) -> Positions:
        if start >= stop:
            return Positions([], [])
        first, last = bisect_right(self._ends, start), bisect_left(self._ends, stop)
        ends = [min(end, stop) - start for end in self._ends[first : last + 1]]
        return Positions([self[start], *self._starts[first + 1 : last + 1]], ends)

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(map(range, self._starts, map(add, self._starts, self._lengths())))

    def _lengths(self) -> Iterator[int]:
        return map(sub, self._ends, [0, *self._ends])
