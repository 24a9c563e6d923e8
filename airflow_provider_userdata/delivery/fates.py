"""Writes what became of each record: receipts for what was accepted, rejects for what needs somebody's attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from airflow_provider_userdata.delivery.attempt_files import AttemptFiles
from airflow_provider_userdata.delivery.batching import ranges
from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.progress import Progress
from airflow_provider_userdata.delivery.raw_form import row_json
from airflow_provider_userdata.delivery.report import Fate, Report, Tally
from airflow_provider_userdata.vendors.contract import Record

TOO_FEW = "G4"
"""The rule that records are held under when they are too few for a request."""
VALIDATE_ONLY = "validate_only"
"""What stands for a rule where records were only checked."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Why:
    """Why a record was not delivered, as its line in the rejects file says it.

    :param path: where in the record the fault is.
    :param status: of the vendor's answer, where there was one.
    """

    fate: Fate
    rule: str
    reason: str
    path: str | None = None
    status: int | None = None


class Fates:
    """Decides nothing: writes fates, and counts them once they are written."""

    def __init__(self, files: AttemptFiles, tally: Tally, progress: Progress, clock: Clock) -> None:
        self._files = files
        self._tally = tally
        self._progress = progress
        self._clock = clock
        self._held_over: list[Record] = []
        self._left: list[tuple[Record, Why]] = []
        self.carried_in: list[bytes] = []
        """The bodies of the first records, which an earlier run had held."""

    def carry_in(self, bodies: list[bytes]) -> None:
        """Note the records that an earlier run had held: they come first."""
        self.carried_in = bodies

    def delivered(self, records: Sequence[Record], status: int, receipt: Mapping[str, str]) -> None:
        """Write the receipt of an accepted request."""
        positions = ranges([record.position for record in records])
        line = {
            "ranges": positions,
            "count": len(records),
            "status": status,
            "at": self._clock.now().isoformat(timespec="milliseconds"),
            **receipt,
        }
        self._files.receipts.append(_encode(line))
        self._tally.settle(Fate.DELIVERED, len(records))
        self._progress.settle(positions)

    def sending(self, records: Sequence[Record]) -> int:
        """Write that records are about to be sent: should nothing more be written of them, they are in doubt.

        :return: how many of them an earlier attempt left in doubt.
        """
        positions = ranges([record.position for record in records])
        self._progress.sent(positions)
        self._files.sent.append(_encode({"ranges": positions}))
        if not self._progress.any_in_doubt:
            return 0
        return sum(self._progress.is_in_doubt(record.position) for record in records)

    def not_delivered(self, position: int, row: object, why: Why) -> None:
        """Write the line of one record that was not delivered, with the record whole."""
        self._write(position, row, why)
        self._progress.settle([(position, 1)])

    def leave(self, records: Sequence[Record], why: Why) -> None:
        """Leave records to the next attempt, since this one has to end: they have a fate only if there is none."""
        if why.fate is Fate.HELD:
            positions = ranges([record.position for record in records])
            self._progress.returned(positions)
            self._files.sent.append(_encode({"returned": positions}))
        self._left.extend((record, why) for record in records)

    def write_left(self) -> None:
        """Write the lines of the records that were left, after the last checkpoint: it doesn't cover them."""
        if self._left:
            self._files.mark_left()
        for record, why in self._left:
            self._write(record.position, record.row, why)
            if record.position < len(self.carried_in):
                self._held_over.append(record)
        self._left = []

    def _write(self, position: int, row: object, why: Why) -> None:
        line = {
            "position": position,
            "fate": why.fate,
            "rule": why.rule,
            "path": _utf8(why.path),
            "reason": _utf8(why.reason),
            "status": why.status,
            "record": row_json(row),
        }
        self._files.rejects.append(_encode(line))
        self._tally.settle(why.fate, 1, why.rule)

    def none_delivered(self, records: Sequence[Record], why: Why) -> None:
        """Write the lines of records that share a fate."""
        for record in records:
            self.not_delivered(record.position, record.row, why)
            if why.rule == TOO_FEW:
                self._held_over.append(record)

    def skipped(self, records: Sequence[Record]) -> None:
        """Count records that were only checked: they stand whole in their source."""
        self._tally.settle(Fate.HELD, len(records), VALIDATE_ONLY)

    def held_over(self, *, carried_in: bool) -> list[bytes]:
        """Give the bodies of held records that the task's next run carries in.

        :param carried_in: those that came from an earlier run, or those that this run's source gave.
        """
        return [record.body for record in self._held_over if (record.position < len(self.carried_in)) is carried_in]

    def report(self) -> Report:
        """Give the counts so far, with the files' places."""
        files = self._files
        return self._tally.report(files.rejects.path, files.receipts.path)


def _utf8(text: str | None) -> str | None:
    """Write what UTF-8 can't carry, such as a key's lone surrogates, with question marks."""
    return None if text is None else text.encode(errors="replace").decode()
