"""What an edited table changes, in columns and counts: no values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MOST_FIRST = 3
"""Rows that are named of each change."""


@dataclass
class Change:
    """What became of the cells of a column.

    :param form: in words, if only the form of the value is another.
    :param filled: whether these cells were blank before.
    :param first: the first rows.
    """

    column: str
    form: str | None
    filled: bool
    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        """Add a row."""
        self.count += 1
        if len(self.first) < MOST_FIRST:
            self.first.append(row)

    @property
    def rows(self) -> str:
        """The first rows, in words."""
        more = ", …" if self.count > len(self.first) else ""
        return f"row{'s' * (self.count > 1)} {', '.join(map(str, self.first))}{more}"


class Changes:
    """Gathers what an edited table changes."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str | None, bool], Change] = {}
        self.compared = 0
        """Records that have a row."""
        self.removed = 0
        """Records whose rows were removed."""

    def add(self, column: str, row: int, *, form: str | None, filled: bool) -> None:
        """Add a cell that was changed."""
        self._found.setdefault((column, form, filled), Change(column, form, filled)).add(row)

    def __iter__(self) -> Iterator[Change]:
        return iter(self._found.values())

    def summary(self) -> str:
        """Return in how many rows which columns are changed."""
        rows = Counter[str]()
        for change in self:
            rows[change.column] += change.count
        return ", ".join(f"{column} in {count:,} row{'s' * (count > 1)}" for column, count in rows.items()) or "nothing"

    @property
    def reformatted(self) -> Sequence[Change]:
        """What lost its form alone."""
        return [change for change in self if change.form is not None]
