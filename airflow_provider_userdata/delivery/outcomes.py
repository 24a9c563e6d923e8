"""Writes what became of each record: receipts for what was accepted, rejects for what needs somebody's attention."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.reading import Mark
from airflow_provider_userdata.delivery.recording import (
    AttemptFiles,
    Origins,
    Rejection,
    SpooledLines,
    write_originals,
    write_rejects,
)
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.report import Counters, Fate, Report
from airflow_provider_userdata.delivery.resuming import Doubt, PositionTracker, SentLog
from airflow_provider_userdata.records import Record, RecordBatch, ranges, ranges_of
from airflow_provider_userdata.vendors import UNANSWERED

_LINES = 1000
"""How many lines are written at once at most."""
_encode = msgspec.json.Encoder(decimal_format="number").encode

EARLIER_DOUBT = Rejection(
    Fate.UNKNOWN, UNANSWERED, "was in flight when an earlier attempt ended: it may have been accepted"
)

_UNCHANGED = Rejection(Fate.UNCHANGED, "", "was corrected, and is the same as a record that an earlier run delivered")


@dataclass(eq=False, repr=False)
class OutcomeLog:
    """Writes what became of each record, and counts it once it is written. It decides nothing.

    :param held_texts: returns records in the form in which later runs find them.
    :param replay: marks what became of rejects that are sent again; None if none are.
    """

    files: AttemptFiles
    sent: SentLog
    tally: Counters
    progress: PositionTracker
    doubt: Doubt
    clock: Clock
    held_texts: Callable[[Sequence[Record]], Sequence[bytes]]
    replay: Replay | None = None
    carried_in: Collection[bytes] = field(default=(), init=False)
    """The first records, which an earlier run had held, as it wrote them."""
    not_delivered: dict[str, Any] = field(default_factory=dict, init=False)
    """The counts of what may be corrected in a completed run, as they were."""
    held_over: SpooledLines = field(init=False)
    """The held records from this run's source that the task's next run carries in, as it will read them."""
    origins: Origins = field(default_factory=Origins, init=False)
    """Where rows without a fate stand in their files."""

    def __post_init__(self) -> None:
        self.held_over = SpooledLines(self.files.local_folder)
        self._left: list[tuple[Record, Rejection]] = []
        self._last: Iterable[tuple[Sequence[Record], Rejection]] = ()
        self._invalid: list[tuple[int, object, Rejection]] = []

    def record_read(self, marks: Iterable[Mark], before: Iterable[Mark]) -> None:
        """Write the invalid rows so far, record how far the source was read, and compare it with an earlier attempt.

        :param before: the marks that it had before some rows were corrected.
        :raises SourceChangedError: if it differs.
        """
        self.write_invalid()
        self.progress.record_read(marks, before)
        self.origins.forget_below(self.progress.settled_below)
        if self.progress.is_compared:
            self.sent.read(self.progress.read)

    def record_delivered(
        self, records: Sequence[Record], status: int, receipt: Mapping[str, str], *, in_doubt: bool = False
    ) -> None:
        """Write the receipt of an accepted request; where it is in doubt, it may have been accepted before, too."""
        positions = ranges_of(records)
        line = {
            "ranges": positions,
            "count": len(records),
            "status": status,
            "at": self.clock.now().isoformat(timespec="milliseconds"),
            **receipt,
        }
        if resent := self.sent.maybe_there(records, in_doubt=in_doubt):
            line["resent"] = resent
        self._mark(positions, Fate.DELIVERED)  # first: without the receipt it is in doubt, and without the mark, lost
        self.files.receipts.append(_encode(line))
        self.tally.record_outcome(Fate.DELIVERED, len(records))
        self.progress.record_outcome(positions)

    def record_unchanged(self, records: Sequence[Record]) -> None:
        """Count records that were delivered before: the ledger proves it."""
        if records:
            if self.progress.originals is not None:  # their earlier lines say that they were rejected
                write_rejects(
                    self.files.rejects, [(record.position, record.row, _UNCHANGED) for record in records], self.origins
                )
            self._mark(ranges_of(_in_order(records)), Fate.DELIVERED)
            self.tally.record_outcome(Fate.UNCHANGED, len(records))
            self.progress.record_outcome(ranges_of(_in_order(records)))

    def _record_rows(self, rows: Sequence[tuple[int, object, Rejection]]) -> None:
        if rows:
            self._write(rows)
            self.progress.record_outcome(ranges(sorted([position for position, _, _ in rows])))

    def record_invalid(self, rows: Sequence[tuple[int, object, Rejection]]) -> None:
        """Note invalid rows, written once a chunk: after a crash, the next attempt finds them again."""
        self._invalid += rows
        if len(self._invalid) >= _LINES:
            self.write_invalid()

    def keep_originals(self, rows: Sequence[tuple[int, object]]) -> None:
        """Write what was read of rows that may be corrected before the task is cleared again."""
        write_originals(self.files.originals, rows)

    def write_invalid(self) -> None:
        """Write the lines of the rows that were found invalid.

        Not while a completed run's source isn't compared: other rows may stand in the place of its rejects now.
        """
        if self.progress.is_correcting:
            return
        rows, self._invalid = self._invalid, []
        self._record_rows(rows)

    def keep_as_it_was(self) -> None:
        """Let a completed run's rejects keep their lines and their counts: its source was not compared to its end."""
        self._invalid = []
        self.tally.restore(self.not_delivered)

    def leave(self, records: Sequence[Record], why: Rejection) -> None:
        """Leave records to the next attempt; the outcome written here counts only if there is none."""
        left = self._left_with(_in_order(records), why)
        if why.fate is Fate.HELD:
            self.sent.returned(ranges_of([record for record, of_one in left if of_one is not EARLIER_DOUBT]))
        self._left += left

    def leave_last(self, groups: Iterable[tuple[Sequence[Record], Rejection]]) -> None:
        """Leave records that were not sent, each group with the reason; taken when their lines are written."""
        self._last = groups

    def _left_with(self, records: Sequence[Record], why: Rejection) -> list[tuple[Record, Rejection]]:
        """Return records with why they were left: those in doubt are unknown, and those carried in go back."""
        if why.fate is not Fate.HELD:
            return [(record, why) for record in records]
        doubtful, others = self.doubt.split(records)
        again, own = msgspec.structs.replace(why, carried_over=True), len(self.carried_in)
        held = [(record, why if record.position >= own else again) for record in others]
        return [*((record, EARLIER_DOUBT) for record in doubtful), *held]

    def write_left(self) -> None:
        """Write the lines of the records that were left. Called after the last checkpoint, which doesn't cover them."""
        self.write_invalid()
        own = len(self.carried_in)
        last = (left for records, why in self._last for left in self._left_with(_in_order(records), why))
        everything = chain(self._left, last)
        if left := list(islice(everything, _LINES)):
            self.files.mark_left()
        while left:
            self._write([(record.position, record.row, why) for record, why in left])
            held_over = [record for record, why in left if why.carried_over and record.position >= own]
            self.held_over.extend(self.held_texts(held_over))
            left = list(islice(everything, _LINES))
        self._left, self._last = [], ()

    def _write(self, rows: Sequence[tuple[int, object, Rejection]]) -> None:
        lost = [(position, row) for position, row, why in rows if why.fate is Fate.REJECTED or why.carried_over]
        write_originals(self.files.originals, lost)
        for position, _, why in rows if self.replay is not None else ():
            if why.fate is Fate.UNKNOWN or why.carried_over:  # it may be there, or goes out with the task's next run
                self._mark([(position, 1)], why.fate)
        write_rejects(self.files.rejects, rows, self.origins)
        outcomes = Counter([(why.fate, why.rule, why.status is not None) for _, _, why in rows])
        for (fate, rule, answered), count in outcomes.items():
            self.tally.record_outcome(fate, count, rule, answered=answered)

    def _mark(self, positions: Iterable[Sequence[int]], fate: Fate) -> None:
        """Mark what became of rejects that are sent again, given as `[start, length]`."""
        if self.replay is not None:
            places = [place for start, length in positions for place in range(start, start + length)]
            self.replay.record(map(self.origins.of, places), fate)

    def record_not_delivered(self, records: Sequence[Record], why: Rejection) -> None:
        """Write the lines of records that share a fate."""
        self._record_rows([(record.position, record.row, why) for record in records])

    def record_valid(self, records: Sequence[Record]) -> None:
        """Count records that are only checked; no lines are written, as the source has them."""
        self.tally.record_outcome(Fate.VALID, len(records))
        if records:
            self.write_invalid()
            self.origins.forget_below(records[0].position)

    def count_carried_on(self) -> int:
        """Count the records from an earlier run that the task's next run carries in again."""
        return self.progress.without_fate(len(self.carried_in))

    def carried_on(self) -> Iterator[tuple[int, bytes]]:
        """Yield these records, each with its position."""
        return ((place, body) for place, body in enumerate(self.carried_in) if not self.progress.has_fate(place))

    def report(self) -> Report:
        """Return the counts so far, with the paths of the files."""
        rejects = self.files.rejects_path if self.tally.any_to_look_at else None
        return self.tally.report(rejects, self.files.receipts_path)


def _in_order(records: Sequence[Record]) -> Sequence[Record]:
    return records if isinstance(records, RecordBatch) else sorted(records, key=operator.attrgetter("position"))
