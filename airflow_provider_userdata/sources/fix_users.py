"""Whose records an edited table makes of them: what is worth a warning before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_userdata.sources.fix_changes import Change


class UserCells:
    """Compares the cells that name users, before and after somebody edited them.

    :param column: the source's column that names the user.
    :param path: where rejects say that a user's name is invalid, such as `$.user_id`; None if they don't.
    """

    def __init__(self, column: str, path: str | None = None) -> None:
        self.column = column
        self._path = path
        self.others = Change(column, form=None, filled=False)
        """Rows that name another user, although the earlier one was valid."""
        self._widths = set[int | None]()
        self._any_zeros = False
        self._new: dict[int, Change] = {}

    def anew(self) -> UserCells:
        """Return one that has compared no rows."""
        return UserCells(self.column, self._path)

    def add(self, row: int, before: str, after: str, fault: str | None) -> None:
        """Add a row.

        :param before: its cell as the rejects have it.
        :param after: the cell that is sent.
        :param fault: the path at which the record is invalid.
        """
        if not after.strip():
            return
        if before != after and before.strip() and not self._is_invalid(fault):
            self.others.add(row)
        width = len(after) if after.isascii() and after.isdecimal() else None
        if width is None or before == after or after.startswith("0"):
            self._widths.add(width)
            self._any_zeros |= after.startswith("0")
        else:
            self._new.setdefault(width, Change(self.column, form=None, filled=False)).add(row)

    def shorter(self) -> Iterator[tuple[int, int, Change]]:
        """Yield the digits of corrected numbers that have fewer than all others, those of the others, and the rows.

        That is so where the others have one length and some begin with a zero: a spreadsheet may have removed it here.
        """
        if len(self._widths) != 1 or not self._any_zeros:
            return
        common = next(iter(self._widths))
        if common is not None:
            yield from ((width, common, rows) for width, rows in sorted(self._new.items()) if width < common)

    def _is_invalid(self, fault: str | None) -> bool:
        return self._path is not None and fault is not None and f"{fault}.".startswith(f"{self._path}.")
