"""JSON texts in a few pieces of bytes; a text alone becomes an object on access, which is rare."""

from __future__ import annotations

import io
import operator
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, overload

import msgspec

JOINED_AT_ONCE = 100
"""Lines in a piece. Where a batch ends within a piece, all of the piece is split."""

_encode_lines = msgspec.json.Encoder().encode_lines


class JsonLines(Sequence[bytes]):
    """JSON texts, each with a newline at its end and none within.

    :param pieces: pairs of some lines, joined, and their number.
    """

    __slots__ = ("_count", "_pieces")

    def __init__(self, pieces: Iterable[tuple[bytes, int]] = ()) -> None:
        self._pieces = [piece for piece in pieces if piece[1]]
        self._count = sum([count for _, count in self._pieces])

    @classmethod
    def of(cls, values: Sequence[Any], at_once: int) -> JsonLines:
        """Return values as JSON; each must be one that JSON can express.

        :param at_once: values in a piece; best as many as a batch has, since a piece is split where a batch ends.
        """
        parts = [values] if len(values) <= at_once else _parts(values, at_once)
        return cls([(_encode_lines(part), len(part)) for part in parts])

    @classmethod
    def joined(cls, lines: Sequence[bytes]) -> JsonLines:
        """Return lines in few pieces."""
        return cls([(b"".join(part), len(part)) for part in _parts(lines, JOINED_AT_ONCE)])

    def separated(self) -> list[memoryview]:
        """Return all texts in parts, with commas between them instead of newlines."""
        parts = [memoryview(text.replace(b"\n", b",")) for text, _ in self._pieces]
        if parts:
            parts[-1] = parts[-1][:-1]
        return parts

    def followed_by(self, others: JsonLines) -> JsonLines:
        """Return these and others."""
        return JsonLines([*self._pieces, *others._pieces])

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> JsonLines: ...
    def __getitem__(self, index: int | slice) -> bytes | JsonLines:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            assert step == 1  # noqa: S101  # no caller takes every other one
            return JsonLines(self._between(start, stop))
        place = range(self._count)[operator.index(index)]
        return b"".join([text for text, _ in self._between(place, place + 1)])

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable([_split(text) for text, _ in self._pieces])

    def _between(self, start: int, stop: int) -> Iterator[tuple[bytes, int]]:
        for text, count in self._pieces:
            if start <= 0 and stop >= count:
                yield text, count
            elif start < count and stop > 0:
                lines = _split(text)[max(0, start) : stop]
                yield b"".join(lines), len(lines)
            start, stop = start - count, stop - count


def _split(text: bytes) -> list[bytes]:
    return io.BytesIO(text).readlines()  # takes half the time of `split`


def _parts(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
