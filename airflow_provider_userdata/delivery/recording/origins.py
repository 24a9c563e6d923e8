"""Where rows come from, for the lines of rejects: a file, or an earlier run that held them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


class Origins:
    """Keeps where rows come from that have no fate yet: a few numbers for a chunk whose lines follow."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lines: list[Sequence[int]] = []
        self._files: list[str] = []
        self._held: list[range] = []

    def add(self, first: int, file: str, lines: Sequence[int]) -> None:
        """Add the rows of a chunk.

        :param first: the position of its first row; higher than those before.
        :param lines: each row's line in the file.
        """
        if self._files and self._files[-1] == file and self._goes_on(first, lines):
            self._lines[-1] = range(self._lines[-1][0], lines[-1] + 1)
            return
        self._firsts.append(first)
        self._lines.append(lines)
        self._files.append(file)

    def add_held(self, first: int, count: int) -> None:
        """Add rows that an earlier run held.

        :param first: the position of the first of them; higher than those before.
        """
        start = self._held.pop().start if self._held and self._held[-1].stop == first else first
        self._held.append(range(start, first + count))

    def is_held(self, position: int) -> bool:
        """Return whether an earlier run held a row: it has the vendor's field names then, not its source's."""
        return any(position in rows for rows in self._held)

    def of(self, position: int) -> tuple[str | None, int | None]:
        """Return a row's file and line; None for both if they aren't known."""
        place = bisect_right(self._firsts, position) - 1
        if place < 0 or position - self._firsts[place] >= len(self._lines[place]):
            return None, None
        return self._files[place], self._lines[place][position - self._firsts[place]]

    def forget_below(self, position: int) -> None:
        """Forget chunks whose rows are all below a position."""
        self._held = [rows for rows in self._held if rows.stop > position]
        done = bisect_right(self._firsts, position) - 1
        if done > 0:
            del self._firsts[:done], self._lines[:done], self._files[:done]

    def _goes_on(self, first: int, lines: Sequence[int]) -> bool:
        """Return whether rows follow the last ones in their file and in the source, line by line."""
        last = self._lines[-1]
        if not isinstance(last, range) or not isinstance(lines, range):
            return False
        return first == self._firsts[-1] + len(last) and lines[0] == last[-1] + 1
