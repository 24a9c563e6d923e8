"""Sources whose chunks have sizes that a test chooses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat


class Chunks:
    """Rows in chunks of given sizes.

    :param sizes: in rows; the last one is the size of all further chunks.
    """

    total = None

    def __init__(self, rows: list[Any], *sizes: int) -> None:
        self._rows, self._sizes = rows, sizes

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows."""
        rows, sizes = self._rows, list(self._sizes)
        while rows:
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            yield Chunk(RowFormat.OBJECTS, rows[:size])
            rows = rows[size:]
