"""Finds out what became of records whose claim is taken over from another run."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from airflow_provider_userdata.delivery.carry_over.claims import Claimant
from airflow_provider_userdata.delivery.recording import (
    Line,
    ReceiptLine,
    RejectLine,
    SentLine,
    read_log,
    receipts_name,
    rejects_name,
    sent_name,
)
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.delivery.resuming import Doubt, IntervalSet

Held = TypeVar("Held")
_KINDS = ("receipts-", "rejects-", "sent-")


class TakenOver:
    """Looks up what earlier runs did with a file that they had claimed.

    :param run_folder: the folder of a run's fates, by its name and index; None knows no run.
    """

    def __init__(self, run_folder: Callable[[str, str], Any] | None) -> None:
        self._fates = functools.cache(
            lambda run, index: fates_of(run_folder(run, index)) if run_folder else (IntervalSet(), Doubt())
        )

    def left_of(self, records: list[Held], before: Sequence[Claimant | None]) -> tuple[list[Held], list[int]]:
        """Return the records of a file without a fate from any run, and the indices of those that may have been sent.

        :param before: the runs that had claimed the file, in their order.
        """
        doubtful: set[int] = set()
        left = list(range(len(records)))
        for by in before:
            if by is None:
                continue
            settled, doubt = self._fates(by.run, by.index)
            at = {place: by.first + number for number, place in enumerate(left)}
            left = [place for place in left if at[place] not in settled]
            doubtful |= {place for place in left if at[place] in doubt}
        return [records[place] for place in left], [number for number, place in enumerate(left) if place in doubtful]


def fates_of(folder: Any) -> tuple[IntervalSet, Doubt]:
    """Return which positions have their fate, by a run's folder, and which others may have been sent. Blocks."""
    settled, sent, below = IntervalSet(), IntervalSet(), 0
    for attempt in _attempts(folder):
        for receipt in _lines(folder, receipts_name(attempt), ReceiptLine):
            settled.add_all(receipt.ranges)
        for reject in _lines(folder, rejects_name(attempt), RejectLine):
            if reject.fate is not Fate.HELD:  # it was left to a next attempt, which never came
                settled.add_all([(reject.position, 1)])
        until = 0
        for line in _lines(folder, sent_name(attempt), SentLine):
            sent.add_all(line.ranges)
            sent.discard_all(line.returned)
            until = until if line.until is None else line.until
            if line.closed:
                until = 0
        below = max(below, until)
    return settled, Doubt(sent.without(settled), below)


def _attempts(folder: Any) -> list[str]:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    found = {
        name.removeprefix(kind).removesuffix(".jsonl") for kind in _KINDS for name in names if name.startswith(kind)
    }
    parts = {name.rpartition("-")[0] for name in found}
    return sorted(found | parts)


def _lines(folder: Any, name: str, kind: type[Line]) -> Iterator[Line]:
    with contextlib.suppress(OSError):
        for line in read_log(folder, name, 0):
            with contextlib.suppress(msgspec.MsgspecError):
                yield msgspec.json.decode(line, type=kind)
