"""Sets of positions in a source, kept as ranges, and their packed form in a checkpoint."""

from __future__ import annotations

import base64
import bisect
import operator
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence


class IntervalSet:
    """A set of positions, kept as ranges: small if positions are added nearly in order.

    :param ranges: `[start, length]`, in any order.
    """

    def __init__(self, ranges: Iterable[Iterable[int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, length in ranges:
            self.add(start, length)

    @property
    def below(self) -> int:
        """All positions below this one are in the set."""
        return self._ends[0] if self._starts and self._starts[0] == 0 else 0

    @property
    def end(self) -> int:
        """No position from this one on is in the set."""
        return self._ends[-1] if self._ends else 0

    def __contains__(self, position: int) -> bool:
        index = bisect.bisect_right(self._starts, position) - 1
        return index >= 0 and position < self._ends[index]

    def __len__(self) -> int:
        return sum(self._ends) - sum(self._starts)

    def add(self, start: int, length: int) -> None:
        """Add a range."""
        if not length:
            return
        end = start + length
        if not self._ends or start > self._ends[-1]:  # the usual case
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
        """Add ranges; quickly where they are in order and come after all others."""
        if ranges and ranges[0][0] > self.end:
            starts = [start for start, _ in ranges]
            ends = [start + length for start, length in ranges]
            if all(map(operator.lt, starts, ends)) and all(map(operator.lt, ends, starts[1:])):
                self._starts += starts
                self._ends += ends
                return
        for start, length in ranges:
            self.add(start, length)

    def discard_all(self, ranges: Sequence[Sequence[int]]) -> None:
        """Discard ranges."""
        for start, length in ranges:
            self.discard(start, length)

    def discard(self, start: int, length: int) -> None:
        """Discard a range; positions that are not in the set are ignored."""
        end = start + length
        first, last = self._overlapping(start, end)
        if first < last and length:
            left = [(self._starts[first], start), (end, self._ends[last - 1])]
            kept = [(begin, stop) for begin, stop in left if begin < stop]
            self._starts[first:last] = [begin for begin, _ in kept]
            self._ends[first:last] = [stop for _, stop in kept]

    def ranges(self) -> list[tuple[int, int]]:
        """Return the ranges as `(start, length)`."""
        return [(start, end - start) for start, end in zip(self._starts, self._ends, strict=True)]

    def count(self, start: int, length: int) -> int:
        """Return how many positions of a range are in the set."""
        end = start + length
        first, last = self._overlapping(start, end)
        held = sum(self._ends[first:last]) - sum(self._starts[first:last])
        if first < last:
            held -= max(0, start - self._starts[first]) + max(0, self._ends[last - 1] - end)
        return held

    def without(self, other: IntervalSet) -> IntervalSet:
        """Return the positions that are not in the other set."""
        left = IntervalSet()
        for start, length in self.ranges():
            end = start + length
            first, last = other._overlapping(start, end)
            gaps = zip([start, *other._ends[first:last]], [*other._starts[first:last], end], strict=True)
            left.add_all([(begin, stop - begin) for begin, stop in gaps if begin < stop])
        return left

    def _overlapping(self, start: int, end: int) -> tuple[int, int]:
        """Return the index of the first range that overlaps with another one, and that of the first beyond it."""
        return bisect.bisect_right(self._ends, start), bisect.bisect_left(self._starts, end)


def packed(positions: IntervalSet, start: int) -> str:
    """Return the positions from a start on as text: a compressed bitmap."""
    size = max(0, positions.end - start)
    bits = bytearray((size + 7) // 8)
    for first, length in positions.ranges():
        _fill(bits, max(first, start) - start, first + length - start)
    return base64.b85encode(zlib.compress(bytes(bits), 9)).decode() if size else ""


def _fill(bits: bytearray, first: int, end: int) -> None:
    """Set bits, whole bytes where possible."""
    while first < end:
        if first & 7 or end - first < 8:
            bits[first >> 3] |= 1 << (first & 7)
            first += 1
        else:
            whole = (end - first) >> 3
            bits[first >> 3 : (first >> 3) + whole] = b"\xff" * whole
            first += whole << 3


def unpacked(text: str, start: int, end: int = 2**53) -> Iterator[tuple[int, int]]:
    """Yield the ranges of a text that `packed` returned, as `(start, length)`.

    :param end: no position may be at or above this one.
    :raises ValueError: if the text is not valid, or a position is too high.
    """
    if not text:
        return
    reader = zlib.decompressobj()
    try:
        bitmap = reader.decompress(base64.b85decode(text), max(0, end - start) // 8 + 2)
    except (ValueError, zlib.error):
        raise ValueError("packed positions can't be unpacked") from None
    bits = int.from_bytes(bitmap, "little")
    if not reader.eof or bits.bit_length() > max(0, end - start):
        raise ValueError("packed positions don't end, or lie beyond what was read")
    for ones in re.finditer("1+", f"{bits:b}"[::-1]):
        yield start + ones.start(), len(ones[0])
