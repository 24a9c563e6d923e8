"""What the files of a run say became of its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec

from airflow_provider_userdata.cli.run_folders import RunFolder
from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.recording import MARKS, Marks, Range, RejectLine, marks_of, positions_of
from airflow_provider_userdata.delivery.resuming import IntervalSet


class _Receipt(msgspec.Struct):
    ranges: list[Range]
    at: str = ""


@dataclass
class Counts:
    """What a run's files say became of its records: their last fates.

    :param last: the fate and the rule of each position in the rejects.
    :param places: the number of that line among all lines of the rejects, from 0.
    :param erased: the positions whose records are gone, on behalf of the users whom they were about.
    :param requests: how many requests were accepted.
    """

    delivered: IntervalSet = field(default_factory=IntervalSet)
    last: dict[int, tuple[Fate, str]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)
    requests: int = 0
    first_at: str = ""
    last_at: str = ""

    def is_open(self, position: int) -> bool:
        """Return whether a record is not delivered, after all attempts and replays."""
        fate, _ = self.last.get(position, (None, ""))
        return position not in self.delivered and fate is not Fate.UNCHANGED

    def fates(self) -> Counter[str]:
        """Return how many records have each fate. What a later attempt or a replay delivered counts as delivered."""
        found = Counter([fate.value for position, (fate, _) in self.last.items() if position not in self.delivered])
        found[Fate.DELIVERED] = len(self.delivered)
        return found

    def reasons(self) -> Counter[str]:
        """Return how many records each rule kept from being delivered."""
        return Counter([rule for position, (_, rule) in self.last.items() if rule and position not in self.delivered])


def counts_of(folder: RunFolder, *, places: bool = False) -> Counts:
    """Return what a run's files say. A damaged or torn line is passed over.

    :param places: whether to note where the lines are, too.
    """
    counts, marks = _received(folder), _marks(folder)
    decoder = msgspec.json.Decoder(RejectLine)
    known: dict[tuple[Fate, str], tuple[Fate, str]] = {}
    place = -1
    for _, file in folder.of_kind("rejects"):
        replayed = marks.get(file.name, {})
        for number, text in enumerate(folder.whole_lines(file), start=1):
            place += 1
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                reject = decoder.decode(text)
                fate = (reject.fate, reject.rule)
                counts.last[reject.position] = known.setdefault(fate, fate)  # once, not for each record
                (counts.erased.add if reject.erased else counts.erased.discard)(reject.position)
                if places:
                    counts.places[reject.position] = place
                if replayed and replayed.get(number) is Fate.DELIVERED:
                    counts.delivered.add(reject.position, 1)
    for moved, positions in positions_of(_mark_lines(folder)):
        if moved is Fate.DELIVERED:
            counts.delivered.add_all(positions)
    return counts


def openness(folder: RunFolder) -> Callable[[int], bool]:
    """Return what says of a record in the rejects, by its position, whether it is not delivered.

    The rejects themselves are read only where a later attempt or a replay may have changed that.
    """
    if len(folder.attempts) > 1 or _marks(folder):
        return counts_of(folder).is_open
    delivered = _received(folder).delivered
    return lambda position: position not in delivered


def _received(folder: RunFolder) -> Counts:
    """Return what a run's receipts say."""
    counts = Counts()
    for line in _decoded(msgspec.json.Decoder(_Receipt), folder, "receipts"):
        for start, length in line.ranges:
            counts.delivered.add(start, length)
        counts.requests += 1
        if line.at:
            counts.first_at = min(counts.first_at or line.at, line.at)
            counts.last_at = max(counts.last_at, line.at)
    return counts


def _marks(folder: RunFolder) -> Marks:
    return marks_of(_mark_lines(folder))


def _mark_lines(folder: RunFolder) -> Iterator[bytes]:
    files = sorted((file for file in folder.files if file.name.startswith(MARKS)), key=lambda file: file.name)
    return chain.from_iterable(map(folder.whole_lines, files))


def _decoded(decoder: msgspec.json.Decoder[Any], folder: RunFolder, kind: str) -> Iterator[Any]:
    for text in folder.lines(kind):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield decoder.decode(text)
