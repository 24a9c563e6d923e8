"""The lines of a file of held records: each record, and since when it waits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

DAY = 86_400.0
_LINES = 1000
"""How many lines are encoded at once."""


class HeldRecord(NamedTuple):
    """A record that waits for the task's next run.

    :param body: the record, as `Vendor.held_texts` writes it.
    :param since: when a run first held it, in seconds since 1970.
    """

    body: bytes
    since: float

    def days(self, now: float) -> float:
        """Return for how many days it has waited."""
        return max(0.0, now - self.since) / DAY


class _Line(msgspec.Struct, gc=False):
    since: float
    record: msgspec.Raw


_encode_lines = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.Decoder(_Line).decode


def written(records: Iterable[HeldRecord]) -> Iterator[bytes]:
    """Yield the text of a file of held records, in pieces."""
    lines = (_Line(round(one.since), msgspec.Raw(one.body)) for one in records)
    while piece := list(islice(lines, _LINES)):
        yield _encode_lines(piece)


def records_of(text: bytes, changed: float) -> list[HeldRecord]:
    """Return the records of a file.

    :param changed: when the file was last written: a line of an earlier version is a record without a time.
    """
    return list(records_in(text.splitlines(), changed))


def records_in(lines: Iterable[bytes], changed: float) -> Iterator[HeldRecord]:
    """Yield the same, one after the other."""
    return (_of_line(line, changed) for line in lines)


def _of_line(line: bytes, changed: float) -> HeldRecord:
    with contextlib.suppress(msgspec.MsgspecError):
        found = _decode(line)
        return HeldRecord(bytes(found.record), found.since)
    return HeldRecord(line, changed)
