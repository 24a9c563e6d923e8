"""Turns rows into valid records, and sets those aside that the vendor would refuse."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_userdata.delivery.outcomes import OutcomeLog, Rejection
from airflow_provider_userdata.delivery.preparer import Preparer
from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.delivery.report import Counters, Fate
from airflow_provider_userdata.delivery.resuming import PositionTracker
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import Vendor
from airflow_provider_userdata.vendors.validation import Fault, Invalid

_log = logging.getLogger(__name__)


class Validator:
    """Checks rows in the source's order, and numbers them.

    :param fields: vendor's field to source's column; only these are taken. None takes a row as it is.
    :param keep_proven: whether the records are kept that an attempt before has delivered after its last checkpoint.
    """

    def __init__(
        self,
        vendor: Vendor,
        fields: Mapping[str, str] | None,
        fates: OutcomeLog,
        tally: Counters,
        progress: PositionTracker,
        *,
        keep_proven: bool = False,
    ) -> None:
        self._vendor = vendor
        self._preparer = Preparer(vendor, fields)
        self._fates = fates
        self._tally = tally
        self._progress = progress
        self._keep_proven = keep_proven
        self._proven: list[Record] = []
        self._usual = vendor.usual_user_characters
        self._first: tuple[int, Fault] | None = None

    def first_fault(self) -> str | None:
        """Say where the first invalid record is and which rule it breaks, in words that may be logged (A6)."""
        if self._first is None:
            return None
        position, fault = self._first
        return f"position {position}, {fault.public_path(self._vendor.known_fields)}, rule {fault.rule}"

    def check(self, chunk: Chunk) -> Sequence[Record]:
        """Give the valid records of a chunk that have no fate yet; why the others are refused is noted."""
        positions, rows = self._without_fate(chunk)
        records, invalid = self._preparer.prepare(chunk, rows, positions)
        if invalid:
            self._fates.invalid(
                [(positions[place], rows[place], self._why(positions[place], one)) for place, one in invalid]
            )
        if self._usual is not None:
            self._warn_of_length(records, self._usual)
        return records

    def take_proven(self) -> list[Record]:
        """Give the records since the last call that an attempt before has delivered after its last checkpoint."""
        proven, self._proven = self._proven, []
        return proven

    def _without_fate(self, chunk: Chunk) -> tuple[Sequence[int], Sequence[Any]]:
        """Give a chunk's rows with their numbers, and leave out those that an attempt before has settled."""
        first, rows = self._tally.read, chunk.rows
        self._tally.read += len(rows)
        if first >= self._progress.new_from:
            return range(first, first + len(rows)), rows
        positions = range(first, first + len(rows))
        if self._keep_proven:
            known = [position for position in positions if self._progress.is_proven(position)]
            self._proven += self._preparer.prepare(chunk, [rows[position - first] for position in known], known).records
        new = [position for position in positions if self._progress.is_new(position)]
        return new, [rows[position - first] for position in new]

    def _warn_of_length(self, records: Sequence[Record], usual: int) -> None:
        """Say once that a user's name is longer than the vendor usually takes (T6)."""
        for record in records:
            if len(record.user or "") > usual:
                _log.warning(
                    "Position %d: the user's label has more than %d characters, which %s may not take; it is sent as "
                    "it is",
                    record.position,
                    usual,
                    self._vendor.name,
                )
                self._usual = None
                return

    def _why(self, position: int, invalid: Invalid) -> Rejection:
        if self._first is None:
            self._first = (position, invalid.faults[0])
        return _rejected(invalid.faults)


@functools.lru_cache(maxsize=32)
def _rejected(faults: tuple[Fault, ...]) -> Rejection:
    """Say why a record is rejected. The records of one source tend to have the same faults."""
    fault, *others = faults
    also = "".join([f"; also {other.path} ({other.rule}): {other.reason}" for other in others])
    return Rejection(Fate.REJECTED, fault.rule, fault.reason + also, fault.path)
