"""Which positions of a source have their fate: all below some number, and some beyond it."""

from __future__ import annotations

import base64
import bisect
import operator
import zlib
from collections.abc import Iterable, Iterator, Sequence

_FEW = 4
"""Fewer ranges than this are taken one by one."""


class Settled:
    """A set of positions, kept as ranges: it is small where positions are settled nearly in order.

    :param ranges: `[start, length]`, in any order.
    """

    def __init__(self, ranges: Iterable[Iterable[int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, length in ranges:
            self.add(start, length)

    @property
    def below(self) -> int:
        """All positions below this one are settled."""
        return self._ends[0] if self._starts and self._starts[0] == 0 else 0

    @property
    def end(self) -> int:
        """No position from this one on is settled."""
        return self._ends[-1] if self._ends else 0

    def __contains__(self, position: int) -> bool:
        index = bisect.bisect_right(self._starts, position) - 1
        return index >= 0 and position < self._ends[index]

    def __len__(self) -> int:
        return sum(self._ends) - sum(self._starts)

    def add(self, start: int, length: int) -> None:
        """Settle positions; those that are settled already stay so."""
        if not length:
            return
        end = start + length
        if not self._ends or start > self._ends[-1]:  # as most are: nothing has to be looked for
            self._starts.append(start)
            self._ends.append(end)
            return
        first = bisect.bisect_left(self._ends, start)
        last = bisect.bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def add_all(self, ranges: Sequence[Sequence[int]]) -> None:
        """Settle positions; quickly where the ranges are many, and new."""
        starts, ends = _bounds(ranges)
        if not self._take(starts, ends, starts, ends):
            for start, length in ranges:
                self.add(start, length)

    def discard_all(self, ranges: Sequence[Sequence[int]]) -> None:
        """Take positions out again; quickly where the ranges are many, and all of them were in."""
        starts, ends = _bounds(ranges)
        if not self._take(starts, ends, ends, starts):
            for start, length in ranges:
                self.discard(start, length)

    def discard(self, start: int, length: int) -> None:
        """Take positions out again; those that were not in stay out."""
        if start >= self.end:
            return
        end = start + length
        first = bisect.bisect_right(self._ends, start)
        last = bisect.bisect_left(self._starts, end)
        if first >= last or not length:
            return
        left = [(self._starts[first], start), (end, self._ends[last - 1])]
        kept = [(begin, stop) for begin, stop in left if begin < stop]
        self._starts[first:last] = [begin for begin, _ in kept]
        self._ends[first:last] = [stop for _, stop in kept]

    def _take(self, starts: Sequence[int], ends: Sequence[int], rises: Sequence[int], falls: Sequence[int]) -> bool:
        """Let ranges begin and end at more positions: so can be written what is added, and what is taken out.

        :param starts: of the ranges that this is about.
        :param ends: theirs.
        :param rises: where from now on a range begins, or one that ended goes on.
        :param falls: where from now on a range ends, or one that began doesn't.
        :return: whether that could be done. Nothing is done where ranges would overlap, or lack what is taken out.
        """
        if len(starts) < _FEW:
            return False
        first, last = bisect.bisect_left(self._ends, min(starts)), bisect.bisect_right(self._starts, max(ends))
        rising, falling = {*self._starts[first:last], *rises}, {*self._ends[first:last], *falls}
        if len(rising) + len(falling) < 2 * (last - first + len(starts)):
            return False
        both = rising & falling
        begun, ended = sorted(rising - both), sorted(falling - both)
        if not all(map(operator.lt, begun, ended)) or not all(map(operator.lt, ended, begun[1:])):
            return False
        self._starts[first:last], self._ends[first:last] = begun, ended
        return True

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Give the positions as `(start, length)`."""
        for start, end in zip(self._starts, self._ends, strict=True):
            yield start, end - start

    def without(self, other: Settled) -> Settled:
        """Give the positions that the other set lacks."""
        left = Settled()
        for start, length in self.ranges():
            position = start
            while position < start + length:
                if position in other:
                    position = other.end_of(position)
                else:
                    end = min(other.next_from(position), start + length)
                    left.add(position, end - position)
                    position = end
        return left

    def end_of(self, position: int) -> int:
        """Give the end of the range that holds a position."""
        return self._ends[bisect.bisect_right(self._starts, position) - 1]

    def next_from(self, position: int) -> int:
        """Give the first settled position from one on that isn't; a very large number where there is none."""
        index = bisect.bisect_left(self._starts, position)
        return self._starts[index] if index < len(self._starts) else 2**63


def _bounds(ranges: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    return [start for start, _ in ranges], [start + length for start, length in ranges]


def packed(positions: Settled, start: int) -> str:
    """Write the positions from a start on as text: a bitmap, compressed."""
    size = max(0, positions.end - start)
    bits = bytearray((size + 7) // 8)
    for first, length in positions.ranges():
        _fill(bits, max(first, start) - start, first + length - start)
    return base64.b85encode(zlib.compress(bytes(bits), 9)).decode() if size else ""


def _fill(bits: bytearray, first: int, end: int) -> None:
    """Set bits, whole bytes at once."""
    while first < end:
        if first & 7 or end - first < 8:
            bits[first >> 3] |= 1 << (first & 7)
            first += 1
        else:
            whole = (end - first) >> 3
            bits[first >> 3 : (first >> 3) + whole] = b"\xff" * whole
            first += whole << 3


def unpacked(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Read positions that `packed` wrote, as `(start, length)`."""
    if not text:
        return
    bits = int.from_bytes(zlib.decompress(base64.b85decode(text)), "little")
    position = start
    while bits:
        zeros = (bits & -bits).bit_length() - 1
        bits >>= zeros
        position += zeros
        ones = (~bits & (bits + 1)).bit_length() - 1
        bits >>= ones
        yield position, ones
        position += ones
