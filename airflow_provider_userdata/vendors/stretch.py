"""Valid records side by side: hardly ever is one of them looked at alone, so none is made an object before."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import compress, repeat
from typing import Any, overload

from airflow_provider_userdata.vendors.contract import Record


class Stretch(Sequence[Record]):
    """Records of one source and one group, in its order, as columns.

    :param rows: as the source gave them.
    :param positions: as many, rising.
    :param contents: as many; what `Record.content` is.
    :param again: makes contents of rows once more. Where there is none, contents are never let go.
    :param users: as many, where the vendor's records have users.
    :param group: of all of them.
    """

    __slots__ = ("_contents", "_ranges", "again", "group", "positions", "rows", "users")

    def __init__(
        self,
        rows: Sequence[Any],
        positions: Sequence[int],
        contents: list[Any] | None,
        again: Callable[[Sequence[Any]], list[Any]] | None = None,
        users: list[str] | None = None,
        group: tuple[str, ...] = (),
    ) -> None:
        self.rows = rows
        self.positions = positions
        self.users = users
        self.group = group
        self._contents = contents
        self._ranges: list[list[int]] | None = None
        self.again = again

    @property
    def contents(self) -> list[Any]:
        """What the records are sent as."""
        if self._contents is None:
            assert self.again is not None  # noqa: S101  # or they had not been let go
            self._contents = self.again(self.rows)
        return self._contents

    @property
    def ranges(self) -> list[list[int]]:
        """The positions as `[start, length]` ranges."""
        if self._ranges is None:
            self._ranges = ranges(self.positions)
        return self._ranges

    def let_go(self) -> None:
        """Let the contents go, where they can be had again: once they are encoded, nearly nobody asks for them."""
        if self.again is not None:
            self._contents = None

    def is_like(self, other: Stretch) -> bool:
        """Say whether the two can be one."""
        return (self.group, self.again, self.users is None) == (other.group, other.again, other.users is None)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Stretch: ...
    def __getitem__(self, index: int | slice) -> Record | Stretch:
        if isinstance(index, int):
            user = None if self.users is None else self.users[index]
            return Record(self.contents[index], self.group, user, self.positions[index], self.rows[index])
        contents = None if self._contents is None else self._contents[index]
        users = None if self.users is None else self.users[index]
        return Stretch(self.rows[index], self.positions[index], contents, self.again, users, self.group)

    def __iter__(self) -> Iterator[Record]:
        users = repeat(None) if self.users is None else self.users
        return map(Record, self.contents, repeat(self.group), users, self.positions, self.rows)


def joined(first: Sequence[Record], second: Sequence[Record]) -> Sequence[Record]:
    """Give records and those that follow them, as columns where both are."""
    if not first or not second:
        return first or second
    if not (isinstance(first, Stretch) and isinstance(second, Stretch) and first.is_like(second)):
        return [*first, *second]
    return Stretch(
        [*first.rows, *second.rows],
        _one_after_the_other(first.positions, second.positions),
        first.contents + second.contents,
        first.again,
        None if first.users is None or second.users is None else first.users + second.users,
        first.group,
    )


def contents_of(records: Sequence[Record]) -> list[Any]:
    """Give what records are sent as."""
    return records.contents if isinstance(records, Stretch) else [record.content for record in records]


def ranges_of(records: Sequence[Record]) -> list[list[int]]:
    """Give where records stand in their source, as `[start, length]` ranges."""
    return records.ranges if isinstance(records, Stretch) else ranges([record.position for record in records])


def ranges(positions: Sequence[int]) -> list[list[int]]:
    """Write rising positions as `[start, length]` ranges, as receipts keep them."""
    count = len(positions)
    if not count or positions[-1] - positions[0] == count - 1:
        return [[positions[0], count]] if count else []
    # Where none is missing, each is as far ahead of its place in the list as the one before.
    ahead = list(map(operator.sub, positions, range(count)))
    starts = [0, *compress(range(1, count), map(operator.ne, ahead, ahead[1:]))]
    return [[positions[start], end - start] for start, end in zip(starts, [*starts[1:], count], strict=True)]


def users_of(records: Sequence[Record]) -> Sequence[str | None]:
    """Give whom records are about."""
    if isinstance(records, Stretch):
        return [None] * len(records) if records.users is None else records.users
    return [record.user for record in records]


def _one_after_the_other(first: Sequence[int], second: Sequence[int]) -> Sequence[int]:
    """Join positions; those of which none is missing stay a range."""
    if isinstance(first, range) and isinstance(second, range) and first.stop == second.start:
        return range(first.start, second.stop)
    return [*first, *second]
