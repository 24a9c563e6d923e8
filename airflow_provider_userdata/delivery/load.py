"""How much of large records is in memory: read, and without a fate. Small ones are bounded by their number."""

from __future__ import annotations

from collections.abc import Callable

MOST_BYTES = 32 * 2**20
"""Bytes of large records that are under way at once, as they were read: each is in memory several times. One record
alone may be larger."""
LARGE = 2**14
"""Bytes of a record from which on it is large: a hundred times the usual."""


class Load:
    """Knows the large records under way.

    :param has_fate: says whether the record at a position has its fate.
    """

    def __init__(self, has_fate: Callable[[int], bool]) -> None:
        self._has_fate = has_fate
        self._chunks: list[tuple[range, int]] = []

    def add(self, first: int, count: int, size: int) -> None:
        """Note that records were read.

        :param first: the position of the first.
        :param size: bytes of all of them.
        """
        if size > count * LARGE:
            self._chunks.append((range(first, first + count), size))

    def has_room(self, size: int) -> bool:
        """Say whether records of so many bytes may be taken in: always, where no other large ones are under way."""
        self._chunks = [chunk for chunk in self._chunks if not all(map(self._has_fate, chunk[0]))]
        load = sum([each for _, each in self._chunks])
        return not load or load + size <= MOST_BYTES
