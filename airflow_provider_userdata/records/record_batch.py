"""A batch of records stored as columns; `Record` objects are created on access, which is rare."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, pairwise, repeat
from typing import Any, overload

from airflow_provider_userdata.records.json_lines import JsonLines
from airflow_provider_userdata.records.record import Record

FEWEST_AS_COLUMNS = 16
"""Records that are worth columns of their own, where a batch is divided."""


@dataclass(eq=False, repr=False, slots=True)
class RecordBatch(Sequence[Record]):
    """Records of one source and one group, in the source's order, as columns of one length.

    :param rows: the rows as the source gave them.
    :param positions: their positions in the source, ascending.
    :param lines: the records as they are sent, encoded once.
    :param users: their users, where the vendor's records have users.
    :param group: the group of all of them.
    :param entries: what identifies them in the ledger of an incremental run, after the lookup.
    """

    rows: Sequence[Any]
    positions: Sequence[int]
    lines: JsonLines
    users: Sequence[str] | None = None
    group: tuple[str, ...] = ()
    entries: Sequence[Any] | None = None
    _ranges: list[list[int]] | None = field(default=None, init=False)

    @property
    def ranges(self) -> list[list[int]]:
        """The positions as `[start, length]` ranges, computed once."""
        if self._ranges is None:
            self._ranges = ranges(self.positions)
        return self._ranges

    def is_like(self, other: RecordBatch) -> bool:
        """Return whether the two batches can be joined."""
        forms = [(one.users is None, one.entries is None) for one in (self, other)]
        return self.group == other.group and forms[0] == forms[1]

    def of_each(self, part: Callable[[Sequence[Any]], Sequence[Any]]) -> RecordBatch:
        """Return the records that `part` selects from each column."""
        lines = part(self.lines)
        return RecordBatch(
            part(self.rows),
            part(self.positions),
            lines if isinstance(lines, JsonLines) else JsonLines.joined(lines),
            None if self.users is None else part(self.users),
            self.group,
            None if self.entries is None else part(self.entries),
        )

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> RecordBatch: ...
    def __getitem__(self, index: int | slice) -> Record | RecordBatch:
        if isinstance(index, slice):
            return self.of_each(operator.itemgetter(index))
        user = None if self.users is None else self.users[index]
        entry = None if self.entries is None else self.entries[index]
        return Record(self.lines[index][:-1], self.group, user, self.positions[index], self.rows[index], entry)

    def __iter__(self) -> Iterator[Record]:
        users, entries = self.users or repeat(None), self.entries or repeat(None)
        bodies = [line[:-1] for line in self.lines]
        return map(Record, bodies, repeat(self.group), users, self.positions, self.rows, entries)


def joined(first: Sequence[Record], second: Sequence[Record]) -> Sequence[Record]:
    """Return records and those that come after them: as columns, if both are such and alike."""
    if not first or not second:
        return first or second
    if not (isinstance(first, RecordBatch) and isinstance(second, RecordBatch) and first.is_like(second)):
        return [*first, *second]
    return RecordBatch(
        _one_after_another(first.rows, second.rows),
        _one_after_the_other(first.positions, second.positions),
        first.lines.followed_by(second.lines),
        _both(first.users, second.users),
        first.group,
        _both(first.entries, second.entries),
    )


def where(records: Sequence[Record], chosen: Sequence[object]) -> Sequence[Record]:
    """Return the records whose entry in `chosen` is true."""
    if all(chosen):
        return records
    if not any(chosen):
        return records[:0]
    if isinstance(records, RecordBatch):
        return records.of_each(lambda column: list(compress(column, chosen)))
    return list(compress(records, chosen))


def with_entries(records: Sequence[Record], entries: Sequence[Any]) -> Sequence[Record]:
    """Return records with what identifies them in a ledger."""
    if isinstance(records, RecordBatch):
        return RecordBatch(records.rows, records.positions, records.lines, records.users, records.group, entries)
    for record, entry in zip(records, entries, strict=True):
        record.entry = entry
    return records


def lines_of(records: Sequence[Record]) -> Sequence[bytes]:
    """Return records as they are sent, each with a newline."""
    return list(records.lines) if isinstance(records, RecordBatch) else [record.body + b"\n" for record in records]


def array_of(records: Sequence[Record]) -> Sequence[bytes | memoryview]:
    """Return records as they are sent in one JSON array, in parts."""
    if isinstance(records, RecordBatch):
        return [b"[", *records.lines.separated(), b"]"]
    return [b"[", b",".join([record.body for record in records]), b"]"]


def ranges_of(records: Sequence[Record]) -> list[list[int]]:
    """Return the positions of records in their source, as `[start, length]` ranges."""
    return records.ranges if isinstance(records, RecordBatch) else ranges([record.position for record in records])


def ranges(positions: Sequence[int]) -> list[list[int]]:
    """Return ascending positions as `[start, length]` ranges, as receipts keep them."""
    count = len(positions)
    if not count or positions[-1] - positions[0] == count - 1:
        return [[positions[0], count]] if count else []
    # Within a range, each position exceeds its index in the list by the same number.
    ahead = list(map(operator.sub, positions, range(count)))
    cuts = [0, *compress(range(1, count), map(operator.ne, ahead, ahead[1:])), count]
    return [[positions[start], end - start] for start, end in pairwise(cuts)]


def users_of(records: Sequence[Record]) -> Sequence[str | None]:
    """Return the users that records are about."""
    if isinstance(records, RecordBatch):
        return [None] * len(records) if records.users is None else records.users
    return [record.user for record in records]


def first_user(records: Sequence[Record]) -> str | None:
    """Return the user of the first of some records."""
    if isinstance(records, RecordBatch):
        return None if records.users is None else records.users[0]
    return records[0].user


def by_user(records: Sequence[Record]) -> list[tuple[str | None, Sequence[Record]]]:
    """Return each user's records, in their order."""
    places: dict[str | None, list[int]] = {}
    for place, user in enumerate(users_of(records)):
        places.setdefault(user, []).append(place)
    if len(places) < 2:
        return [(user, records) for user in places]
    if not isinstance(records, RecordBatch) or len(records) < FEWEST_AS_COLUMNS * len(places):
        single = list(records)
        return [(user, [single[place] for place in found]) for user, found in places.items()]
    lines = list(records.lines)  # once: a piece of lines is split for each cut in it

    def picked(found: list[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
        return lambda column: [column[place] for place in found]

    separate = replace(records, lines=lines)  # type: ignore[arg-type]  # only `of_each` sees them
    return [(user, separate.of_each(picked(found))) for user, found in places.items()]


def groups_of(records: Sequence[Record]) -> Sequence[tuple[str, ...]]:
    """Return the groups that records belong to."""
    return [records.group] * len(records) if isinstance(records, RecordBatch) else [record.group for record in records]


def entries_of(records: Sequence[Record]) -> Sequence[Any]:
    """Return what identifies records in a ledger; None for those that were not looked up."""
    if isinstance(records, RecordBatch):
        return [None] * len(records) if records.entries is None else records.entries
    return [record.entry for record in records]


def without(column: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    """Return a column without what stands at some indices, which ascend."""
    kept: list[Any] = []
    start = 0
    for place in places:
        kept += column[start:place]
        start = place + 1
    kept += column[start:]
    return kept


def _one_after_another(first: Any, second: Any) -> Sequence[Any]:
    """Join rows; those of a table stay columns."""
    joined_rows: Sequence[Any] = first + second if type(first) is type(second) else [*first, *second]
    return joined_rows


def _both(first: Sequence[Any] | None, second: Sequence[Any] | None) -> Sequence[Any] | None:
    return None if first is None or second is None else [*first, *second]


def _one_after_the_other(first: Sequence[int], second: Sequence[int]) -> Sequence[int]:
    """Join positions; consecutive ranges stay a range."""
    if isinstance(first, range) and isinstance(second, range) and first.stop == second.start:
        return range(first.start, second.stop)
    return [*first, *second]
