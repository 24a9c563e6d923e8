"""Bounds the bytes of large records in memory: read, and without a fate. Small records are bounded by their number."""

from __future__ import annotations

from collections.abc import Callable

MOST_BYTES = 32 * 2**20
"""Bytes of large records in memory at once, as they were read; each has several copies. A single record may be
larger."""
LARGE = 2**14
"""Bytes of a record above which it is large: a hundred times the usual."""


class Load:
    """Knows the large records in memory.

    :param has_fate: returns whether the record at a position has its fate.
    """

    def __init__(self, has_fate: Callable[[int], bool]) -> None:
        self._has_fate = has_fate
        self._chunks: list[tuple[range, int]] = []

    def add(self, first: int, count: int, size: int) -> None:
        """Record that a chunk was read.

        :param first: the position of its first record.
        :param count: its records.
        :param size: its bytes.
        """
        if size > count * LARGE:
            self._chunks.append((range(first, first + count), size))

    def has_room(self, size: int) -> bool:
        """Return whether another chunk fits; it always does if no other large records are in memory.

        :param size: its bytes.
        """
        self._chunks = [chunk for chunk in self._chunks if not all(map(self._has_fate, chunk[0]))]
        load = sum([each for _, each in self._chunks])
        return not load or load + size <= MOST_BYTES
