"""Rows as an earlier attempt read them, for a digest that takes them in place of rows that were corrected since."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.reading.digest import Cells, Mark, SourceDigest, cells_text, text_of
from airflow_provider_userdata.delivery.reading.source import Buffer, TextRow, ValueRow


class OriginalRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the digest reads of a row: a line, or a table's cells. Some tables are read as either.

    :param line: the row as JSON, with a line end.
    :param cells: the row in MessagePack.
    """

    line: bytes | None = None
    cells: bytes | None = None

    @property
    def is_kept(self) -> bool:
        """Whether it is still there: it may have been erased, on behalf of the user whom it was about."""
        return self.line is not None or self.cells is not None


def original_row(row: object) -> OriginalRow:
    """Return what the digest reads of a row."""
    if type(row) is TextRow:
        return OriginalRow(cells=cells_text([row.values]))
    if type(row) is ValueRow:
        return OriginalRow(text_of([row.as_dict()]), cells_text([row.values]))
    return OriginalRow(text_of([row]))


class OriginalDigest:
    """Computes the digest that a source had before some of its rows were corrected.

    :param originals: what these rows were, by position.
    """

    def __init__(self, originals: Mapping[int, OriginalRow]) -> None:
        self._originals = originals
        self._positions = sorted(originals)
        self._digest = SourceDigest()

    def take(self, rows: Sequence[Any], ends: Sequence[int], text: Sequence[Buffer] | None) -> list[Mark]:
        """Add the rows of a chunk, and return marks, as `SourceDigest.take` does."""
        first = self._digest.mark.rows
        begin, end = (bisect_left(self._positions, position) for position in (first, first + len(rows)))
        known = self._positions[begin:end]
        if not known:
            return self._digest.take(rows, ends, text)
        mixed = list(rows)
        if text is not None:  # as its text, also where that has to be made for each row
            mixed = [row.as_dict() if type(row) is ValueRow else row for row in rows]
        for position in known:
            mixed[position - first] = self._as_read(self._originals[position], rows[position - first], text)
        return self._digest.take(mixed, ends)

    def _as_read(self, original: OriginalRow, row: object, text: Sequence[Buffer] | None) -> bytes | Cells:
        """Return a row as it was, in the form that its source is read in.

        :param row: what stands in its place now.
        """
        if original.cells is None or (original.line is not None and text is not None):
            return original.line or b""
        return Cells(row.header if isinstance(row, TextRow | ValueRow) else None, original.cells)
