"""Tracks which positions of a source have their fate, in this attempt and in earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_userdata.delivery.reading import Mark, Marks, OriginalRow
from airflow_provider_userdata.delivery.resuming.checkpoint import Checkpoint
from airflow_provider_userdata.delivery.resuming.doubt import Doubt
from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet, packed
from airflow_provider_userdata.delivery.resuming.recovery import Recovery
from airflow_provider_userdata.errors import SourceChangedError

Ranges = Sequence[Sequence[int]]
"""Positions as `[start, length]`."""


class PositionTracker:
    """Keeps the positions that are settled, and those in flight.

    :param doubt: what earlier attempts left in doubt: the checkpoint hands it on.
    """

    def __init__(self, doubt: Doubt | None = None) -> None:
        self._marks = Marks()
        self._earlier: Checkpoint | None = None
        self._expected: list[Mark] = []
        self._settled = IntervalSet()
        self._doubt = Doubt() if doubt is None else doubt
        self._in_flight = IntervalSet()
        self._proven = IntervalSet()
        self.originals: Mapping[int, OriginalRow] | None = None
        """Of a completed run that goes on: what its rows were, by position, that may be corrected now."""
        self._erased = 0
        self.new_from = 0
        """All records from this position on are new."""

    def resume(self, recover: Recovery) -> None:
        """Go on where an earlier attempt ended."""
        self._earlier = earlier = recover.checkpoint
        marks = {earlier.below: earlier.digest, earlier.read: earlier.read_digest, **recover.read}
        self._expected = [Mark(rows, digest) for rows, digest in sorted(marks.items()) if rows]
        self._settled = recover.settled
        self._doubt.add(recover.in_doubt)
        self._proven = recover.proven
        self.originals = recover.originals
        self._erased = recover.erased
        self.new_from = recover.settled.end

    @property
    def to_be_compared(self) -> list[int]:
        """The row counts at which the source is compared with what earlier attempts read."""
        return [rows for rows, _ in self._expected]

    def record_read(self, marks: Iterable[Mark], before: Iterable[Mark]) -> None:
        """Record how far the source was read, and compare it with what earlier attempts read.

        :param before: the marks that it had before some rows were corrected; the same ones if none were.
        :raises SourceChangedError: if it differs.
        """
        for mark in before:
            if self._expected and mark.rows == self._expected[0].rows:
                if mark != self._expected[0]:
                    raise self._changed(mark.rows)
                self._expected.pop(0)
        for mark in marks:
            self._marks.add(mark)

    def record_end(self) -> None:
        """Record that the source was read to its end.

        :raises SourceChangedError: if it is shorter than it was.
        """
        if self._expected:
            raise self._changed(self._expected[0].rows)

    @property
    def is_compared(self) -> bool:
        """Whether everything that earlier attempts read was compared: what follows is new."""
        return not self._expected

    @property
    def is_correcting(self) -> bool:
        """Whether the marker of a completed run still says more than a checkpoint: its source isn't compared yet."""
        return self.originals is not None and not self.is_compared

    @property
    def read(self) -> Mark:
        """How many rows were read, and their digest."""
        return self._marks.last

    @property
    def settled_below(self) -> int:
        """All records below this position have their fate."""
        return self._settled.below

    def has_fate(self, position: int) -> bool:
        """Return whether a record has its fate, from this attempt or an earlier one."""
        return position in self._settled

    def without_fate(self, count: int) -> int:
        """Return how many of the first records have no fate yet."""
        return count - self._settled.count(0, count)

    def is_proven(self, position: int) -> bool:
        """Return whether receipts prove that an earlier attempt delivered a record after its last checkpoint."""
        return position in self._proven

    @property
    def awaits_proven(self) -> bool:
        """Whether records that an earlier attempt is proven to have delivered still have to be read or compared."""
        return self._proven.end > 0 and (bool(self._expected) or self.read.rows < self._proven.end)

    def record_sent(self, ranges: Ranges) -> None:
        """Record that a request with these positions is about to go."""
        self._in_flight.add_all(ranges)

    def record_returned(self, ranges: Ranges) -> None:
        """Record that positions were not accepted, and wait for the next attempt."""
        self._in_flight.discard_all(ranges)

    def record_outcome(self, ranges: Ranges) -> None:
        """Record that positions have their fate, and that it is in a file."""
        self._settled.add_all(ranges)
        self._in_flight.discard_all(ranges)

    def marks(self) -> dict[str, Any]:
        """Return the fields of a checkpoint that concern positions."""
        if self._earlier is not None and self._expected:
            # A source that may have changed mustn't replace the digests that will show it.
            below, digest = self._earlier.below, self._earlier.digest
            read, read_digest = self._expected[-1]
        else:
            below, digest = self._marks.last_below(self._settled.below)
            read, read_digest = self.read
        in_flight = IntervalSet([*self._in_flight.ranges(), *self._doubt.positions.without(self._settled).ranges()])
        return {
            "below": below,
            "digest": digest,
            "read": read,
            "read_digest": read_digest,
            "beyond": packed(self._settled, below),
            "in_flight": packed(in_flight, below),
            "doubt_below": self._doubt.below,
        }

    def _changed(self, end: int) -> SourceChangedError:
        if self.originals is not None:
            return SourceChangedError(
                f"source: its first {end:,} records, besides those that were rejected or held, are not those that the "
                "run read before it was cleared, so that nobody can tell which of them were delivered. Correct only "
                "what was rejected, each in its place, take no row out, and add new records at the end; or send all "
                f"again, with resume=False{self._also()}"
            )
        return SourceChangedError(
            f"source: its first {end:,} records are not those that the attempt before read, so that nobody can tell "
            "which of them were sent. Give it a fixed order (such as ORDER BY), or send all again, with resume=False"
        )

    def _also(self) -> str:
        if not self._erased:
            return ""
        return (
            f". {self._erased:,} rejected or held records were erased, and must be there as they were; if they aren't "
            "any more, `airflow userdata replay` sends the other rejects"
        )
