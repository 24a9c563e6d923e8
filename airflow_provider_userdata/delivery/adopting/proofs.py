"""What a finished run's files prove of its records, by their positions in its source."""

from __future__ import annotations

import contextlib
import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import msgspec

from airflow_provider_userdata.delivery.reading import OriginalRow
from airflow_provider_userdata.delivery.recording import (
    Folder,
    Range,
    is_local,
    reached,
    read_log,
    read_marks,
    read_originals,
    read_positions,
    receipts_name,
)
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.delivery.resuming import Completed, IntervalSet, attempts_of_completed, last_fates
from airflow_provider_userdata.errors import ResumeError

_WAY_OUT = "What it delivered can't be entered: the first run with incremental=True sends its records again"


class Standing(enum.Enum):
    """What is known of some records that the vendor may have."""

    DELIVERED = "delivered"
    """A receipt proves it."""
    TWICE = "twice"
    """A receipt proves it, and the request may arrive once more: it was sent again while nobody had answered."""
    REPLAYED = "replayed"
    """A replay delivered it, maybe corrected."""
    UNKNOWN = "unknown"
    """It was sent, and nothing proves that it arrived."""


class _Receipt(msgspec.Struct):
    ranges: list[Range]
    at: str = ""
    resent: int = 0


@dataclass(frozen=True)
class Proofs:
    """What is proven, by position.

    :param days: how the positions of a day's receipts stand, by the day.
    :param replayed: what replays delivered.
    :param unknown: what was sent, by the run or by a replay, without proof.
    :param originals: what rows were that somebody may have corrected since, and those that an earlier run had held.
    """

    days: Mapping[date, Mapping[Standing, IntervalSet]]
    replayed: IntervalSet = field(default_factory=IntervalSet)
    unknown: IntervalSet = field(default_factory=IntervalSet)
    originals: Mapping[int, OriginalRow] = field(default_factory=dict)

    @property
    def delivered(self) -> int:
        """How many records the receipts prove as delivered."""
        return sum(len(positions) for of_day in self.days.values() for positions in of_day.values())

    def standings(self) -> Iterator[tuple[Standing, date | None, IntervalSet]]:
        """Yield positions with how they stand, and the day of their receipts."""
        for day, of_day in self.days.items():
            for standing, positions in of_day.items():
                yield standing, day, positions
        yield Standing.REPLAYED, None, self.replayed
        yield Standing.UNKNOWN, None, self.unknown


def proofs_of(completed: Completed, folder: Folder) -> Proofs:
    """Return what a finished run's files prove. Blocks.

    :param folder: of the run's files.
    :raises ResumeError: if some are missing, or don't say what the run's marker does.
    """
    if is_local(folder) and any(reached(folder, name) < until for name, until in completed.journals.items()):
        raise ResumeError(f"the run's receipts in {folder} were removed, or are on another worker's disk. {_WAY_OUT}")
    attempts = attempts_of_completed(completed)
    days: dict[date, dict[Standing, IntervalSet]] = {}
    for attempt in attempts:
        for receipt in _receipts(folder, attempt):
            standing = Standing.TWICE if receipt.resent else Standing.DELIVERED
            of_day = days.setdefault(_day(receipt.at), {})
            of_day.setdefault(standing, IntervalSet()).add_all(receipt.ranges)
    last = last_fates(folder, attempts)
    marks = read_marks(folder)
    fates = {place: marks.get(line.file, {}).get(line.line, line.fate) for place, line in last.items()}
    originals = read_originals(folder, attempts)
    carried_in = range(completed.carried_in)
    if not all(position in originals and originals[position].is_kept for position in carried_in):
        raise ResumeError(
            f"the run's first {completed.carried_in} records are from an earlier run, which had held them, and they "
            f"aren't in {folder} any more. {_WAY_OUT}"
        )
    replayed, unknown = _with(fates, Fate.DELIVERED), _with(fates, Fate.UNKNOWN)
    for fate, positions in read_positions(folder):  # sent by a replay before the run came to its end
        if fate in (Fate.DELIVERED, Fate.UNKNOWN):
            (replayed if fate is Fate.DELIVERED else unknown).add_all(positions)
    found = Proofs(
        days,
        replayed=replayed,
        unknown=unknown,
        originals={
            place: row for place, row in originals.items() if row.is_kept and (place in fates or place in carried_in)
        },
    )
    counted = completed.done[Fate.DELIVERED]
    if not found.delivered <= counted <= found.delivered + len(found.replayed):
        raise ResumeError(
            f"the receipts in {folder} prove {found.delivered:,} deliveries, and the run counted {counted:,}. "
            f"{_WAY_OUT}"
        )
    return found


def _with(fates: Mapping[int, Fate], wanted: Fate) -> IntervalSet:
    return IntervalSet([(position, 1) for position, fate in sorted(fates.items()) if fate is wanted])


def _receipts(folder: Folder, attempt: str) -> Iterator[_Receipt]:
    with contextlib.suppress(FileNotFoundError):  # the counts show what is missing
        for line in read_log(folder, receipts_name(attempt), 0):
            with contextlib.suppress(msgspec.DecodeError):  # torn by a crash: it proves nothing
                yield msgspec.json.decode(line, type=_Receipt)


def _day(at: str) -> date:
    """Return the day of a receipt, in UTC."""
    found = re.match(r"\d{4}-\d\d-\d\d", at)
    if found is None:
        raise ResumeError(f"a receipt doesn't say when it was written. {_WAY_OUT}")
    return date.fromisoformat(found[0])
