"""What a ledger knows records by, side by side: none is made an object before it is looked at alone."""

from __future__ import annotations

import operator
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress
from typing import NamedTuple, overload


class Part(NamedTuple):
    """Some keys of those that were made together.

    :param origin: all that were made together, joined.
    :param start: from which byte on.
    :param stop: to which.
    """

    origin: bytes
    start: int
    stop: int


class Keys(Sequence[bytes]):
    """Keys of one size. What is cut out of them or joined to others still tells where it came from.

    :param size: bytes of each.
    """

    __slots__ = ("_count", "_size", "parts")

    def __init__(self, parts: Iterable[Part], size: int) -> None:
        self.parts = list(parts)
        self._size = size
        self._count = sum([part.stop - part.start for part in self.parts]) // size

    @classmethod
    def of(cls, joined: bytes, size: int) -> Keys:
        """Take keys that were made together."""
        return cls([Part(joined, 0, len(joined))] if joined else [], size)

    @property
    def joined(self) -> bytes:
        """All of them, one after the other."""
        return b"".join([origin[start:stop] for origin, start, stop in self.parts])

    def of_part(self, part: Part) -> Keys:
        """Give those of a part."""
        return Keys([part], self._size)

    def where(self, chosen: Iterable[object]) -> Keys:
        """Give those for which something true is given, as if they were made together."""
        return Keys.of(b"".join(compress(self, chosen)), self._size)

    def followed_by(self, others: Keys) -> Keys:
        """Give these and others."""
        return Keys([*self.parts, *others.parts], self._size)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Keys: ...
    def __getitem__(self, index: int | slice) -> bytes | Keys:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            assert step == 1  # noqa: S101  # nobody takes every other one
            return Keys(self._between(start * self._size, stop * self._size), self._size)
        place = range(self._count)[operator.index(index)]
        return self[place : place + 1].joined

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable([split(origin[start:stop], self._size) for origin, start, stop in self.parts])

    def _between(self, first: int, last: int) -> Iterator[Part]:
        for origin, start, stop in self.parts:
            begin, end = max(start, start + first), min(stop, start + last)
            if begin < end:
                yield Part(origin, begin, end)
            first, last = first - (stop - start), last - (stop - start)


def split(joined: bytes, size: int) -> Iterator[bytes]:
    """Give keys that were joined one by one."""
    return chain.from_iterable(struct.iter_unpack(f"{size}s", joined))
