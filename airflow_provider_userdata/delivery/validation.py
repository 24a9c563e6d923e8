"""Turns rows into valid records, and sets aside those that the vendor would refuse."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.preparing import FieldMap, Preparer
from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.delivery.recording import Rejection
from airflow_provider_userdata.delivery.report import Counters, Fate
from airflow_provider_userdata.delivery.resuming import PositionTracker
from airflow_provider_userdata.records import Record, without
from airflow_provider_userdata.vendors import HELD_TOO_LONG, Vendor
from airflow_provider_userdata.vendors.validation import Fault, Invalid

MOST_REASONS = 1000
"""Different reasons that are counted."""

_log = logging.getLogger(__name__)


@dataclass(eq=False, repr=False)
class Validator:
    """Checks rows in the source's order, and numbers them.

    :param fields: the fields that are taken. None takes all columns.
    :param public_names: the field names that may stand in a log; other keys show as `*` (A6).
    :param keep_proven: whether to keep, for `take_proven`, records that an earlier attempt delivered after its last
        checkpoint.
    :param held: knows which records from an earlier run have waited for too long.
    """

    vendor: Vendor
    fields: FieldMap | None
    public_names: frozenset[str]
    fates: OutcomeLog
    tally: Counters
    progress: PositionTracker
    keep_proven: bool
    held: CarryOverFolder | None = None

    def __post_init__(self) -> None:
        self._preparer = Preparer(self.vendor, self.fields)
        self._held_preparer = Preparer(self.vendor.of_held(), None)
        self._proven: list[Record] = []
        self._usual = self.vendor.usual_user_characters
        self._first: tuple[int, Fault] | None = None
        self._faults: Counter[str] = Counter()

    def first_fault(self) -> str | None:
        """Return where the first invalid record is and which rule it breaks, in words that may be logged (A6)."""
        if self._first is None:
            return None
        position, fault = self._first
        return f"position {position}, {fault.public_path(self.public_names)}, rule {fault.rule}"

    def check(self, chunk: Chunk) -> Sequence[Record]:
        """Return the valid records of a chunk that have no fate yet, and reject the invalid ones."""
        if chunk.file is not None and chunk.lines:
            self.fates.origins.add(self.tally.read, chunk.file, chunk.lines)
        preparer = self._preparer_of(chunk)
        positions, rows = self._without_fate(chunk, preparer)
        if chunk.carried_in and (late := self._late(positions)):
            self._reject(positions, rows, late)
            places = [place for place, _ in late]
            positions, rows = without(positions, places), without(rows, places)
        records, invalid = preparer.prepare(chunk, rows, positions)
        self._reject(positions, rows, invalid)
        if self._usual is not None:
            self._warn_of_length(records, self._usual)
        return records

    def most_frequent(self, most: int) -> dict[str, int]:
        """Return what is wrong with most invalid records, each with its number, in words that may be logged (A6)."""
        return dict(self._faults.most_common(most))

    @property
    def different_faults(self) -> int:
        """How many different things are wrong with invalid records, as far as they are counted."""
        return len(self._faults)

    def _late(self, positions: Sequence[int]) -> list[tuple[int, Invalid]]:
        """Return which records from an earlier run have waited for too long, by their place among these positions.

        One that an earlier attempt may have sent isn't: whether it arrived is found out in the usual way.
        """
        held = self.held
        if held is None:
            return []
        late = [(place, position) for place, position in enumerate(positions) if held.is_too_old(position)]
        return [(place, _held_too_long(held, position)) for place, position in late if position not in self.fates.doubt]

    def _reject(self, positions: Sequence[int], rows: Sequence[Any], invalid: Sequence[tuple[int, Invalid]]) -> None:
        if not invalid:
            return
        if self._first is None:
            place, first = invalid[0]
            self._first = positions[place], first.faults[0]
        self._count(invalid)
        self.fates.record_invalid([(positions[place], rows[place], _rejected(one.faults)) for place, one in invalid])

    def _count(self, invalid: Sequence[tuple[int, Invalid]]) -> None:
        for _, one in invalid:
            fault = one.faults[0]
            text = f"{fault.rule} {fault.public_path(self.public_names)} {fault.reason}"
            if text in self._faults or len(self._faults) < MOST_REASONS:
                self._faults[text] += 1

    def take_proven(self) -> list[Record]:
        """Return the records, since the last call, that an earlier attempt delivered after its last checkpoint."""
        proven, self._proven = self._proven, []
        return proven

    def _preparer_of(self, chunk: Chunk) -> Preparer:
        """Return what checks a chunk's rows. Those that an earlier run held are written as this package writes them."""
        if not chunk.carried_in:
            return self._preparer
        self.fates.origins.add_held(self.tally.read, len(chunk.rows))
        return self._held_preparer

    def _without_fate(self, chunk: Chunk, preparer: Preparer) -> tuple[Sequence[int], Sequence[Any]]:
        """Return the positions and rows of a chunk, without those that have their fate from an earlier attempt."""
        first, rows = self.tally.read, chunk.rows
        self.tally.read += len(rows)
        positions = range(first, first + len(rows))
        if first >= self.progress.new_from:
            return positions, rows
        if self.keep_proven:
            known = [position for position in positions if self.progress.is_proven(position)]
            self._proven += preparer.prepare(chunk, [rows[position - first] for position in known], known).records
        if originals := self.progress.originals:  # of rejects that a replay sent: they may be corrected here, too
            known = [position for position in positions if position in originals and self.progress.has_fate(position)]
            self.fates.keep_originals([(position, rows[position - first]) for position in known])
        new = [position for position in positions if not self.progress.has_fate(position)]
        return new, [rows[position - first] for position in new]

    def _warn_of_length(self, records: Sequence[Record], usual: int) -> None:
        """Warn once when a user's label is longer than the vendor usually accepts (T6)."""
        for record in records:
            if len(record.user or "") > usual:
                _log.warning(
                    "Position %d: the user's label has more than %d characters, which %s may not accept; it is sent "
                    "unchanged",
                    record.position,
                    usual,
                    self.vendor.name,
                )
                self._usual = None
                return


def _held_too_long(held: CarryOverFolder, position: int) -> Invalid:
    """Return why a record from an earlier run isn't sent any more."""
    days, most = held.days(position), held.max_age
    return Invalid((Fault(HELD_TOO_LONG, (), f"was held for {days:.0f} days; held_max_age allows {most:g}"),))


@functools.lru_cache(maxsize=32)
def _rejected(faults: tuple[Fault, ...]) -> Rejection:
    """Return the rejection for some faults. Cached: the records of one source tend to have the same faults."""
    fault, *others = faults
    also = "".join([f"; also {other.path} ({other.rule}): {other.reason}" for other in others])
    return Rejection(Fate.REJECTED, fault.rule, fault.reason + also, fault.path)
