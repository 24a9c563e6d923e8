"""Sources whose chunks have sizes that a test chooses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk, RowFormat, table_text


class Chunks:
    """Rows in chunks of given sizes.

    :param sizes: in rows; the last one is the size of all further chunks.
    :param form: how the rows are written.
    :param as_text: whether a table's chunks come with their text.
    """

    total = None

    def __init__(
        self, rows: list[Any], *sizes: int, form: RowFormat = RowFormat.OBJECTS, as_text: bool = False
    ) -> None:
        self._rows, self._sizes, self._form, self._as_text = rows, sizes, form, as_text

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows."""
        rows, sizes = self._rows, list(self._sizes)
        while rows:
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            text = [table_text(rows[0].header, [row.values for row in rows[:size]])] if self._as_text else None
            yield Chunk(self._form, rows[:size], text=text)
            rows = rows[size:]
