"""Writes what became of each record: receipts for what was accepted, rejects for what needs somebody's attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from airflow_provider_userdata.delivery.batching import ranges
from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.journal import Journal
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

    def __init__(self, receipts: Journal, rejects: Journal, tally: Tally, clock: Clock) -> None:
        self._receipts = receipts
        self._rejects = rejects
        self._tally = tally
        self._clock = clock
        self._held_over: list[Record] = []
        self.carried_in = 0
        """How many of the first positions an earlier run had held."""

    def delivered(self, records: Sequence[Record], status: int, receipt: Mapping[str, str]) -> None:
        """Write the receipt of an accepted request."""
        line = {
            "ranges": ranges([record.position for record in records]),
            "count": len(records),
            "status": status,
            "at": self._clock.now().isoformat(timespec="milliseconds"),
            **receipt,
        }
        self._receipts.append(_encode(line))
        self._tally.settle(Fate.DELIVERED, len(records))

    def not_delivered(self, position: int, row: object, why: Why) -> None:
        """Write the line of one record that was not delivered, with the record whole."""
        line = {
            "position": position,
            "fate": why.fate,
            "rule": why.rule,
            "path": _utf8(why.path),
            "reason": _utf8(why.reason),
            "status": why.status,
            "record": row_json(row),
        }
        self._rejects.append(_encode(line))
        self._tally.settle(why.fate, 1, why.rule)

    def none_delivered(self, records: Sequence[Record], why: Why) -> None:
        """Write the lines of records that share a fate."""
        for record in records:
            self.not_delivered(record.position, record.row, why)
            if why.fate is Fate.HELD and (why.rule == TOO_FEW or record.position < self.carried_in):
                self._held_over.append(record)

    def skipped(self, records: Sequence[Record]) -> None:
        """Count records that were only checked: they stand whole in their source."""
        self._tally.settle(Fate.HELD, len(records), VALIDATE_ONLY)

    def held_over(self, *, carried_in: bool) -> list[bytes]:
        """Give the bodies of held records that the task's next run carries in.

        :param carried_in: those that came from an earlier run, or those that this run's source gave.
        """
        return [record.body for record in self._held_over if (record.position < self.carried_in) is carried_in]

    def flush(self) -> None:
        """Write what waits. May block."""
        self._receipts.flush()
        self._rejects.flush()

    def close(self) -> None:
        """Write what waits, and end. May block."""
        self._receipts.close()
        self._rejects.close()

    def report(self) -> Report:
        """Give the counts so far, with the files' places."""
        return self._tally.report(self._rejects.path, self._receipts.path)


def _utf8(text: str | None) -> str | None:
    """Write what UTF-8 can't carry, such as a key's lone surrogates, with question marks."""
    return None if text is None else text.encode(errors="replace").decode()
