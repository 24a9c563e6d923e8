"""Reads a source one chunk ahead, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from airflow_provider_userdata.delivery.chunks import Chunk, Form, Source
from airflow_provider_userdata.delivery.threads import BlockingThread

LONGEST_CLOSE = 1.0
"""Seconds that a source gets to close its files and cursors, when it is not read to its end."""


class ChunkReader:
    """Gives the chunks of a source, what an earlier run held first. Used inside the loop.

    :param carried_in: bodies of records that an earlier run held.
    :param halted: set when nothing is to be read any more, also in the middle of a read that hangs.
    """

    def __init__(self, source: Source, carried_in: Sequence[bytes], halted: asyncio.Event) -> None:
        self._source = source
        self._carried_in = list(carried_in)
        self._halted = halted
        self._thread = BlockingThread("userdata-source")
        self._chunks: Iterator[Chunk] | None = None
        self._ahead: asyncio.Future[Chunk | None] | None = None

    @property
    def has_next(self) -> bool:
        """Whether another chunk is there already."""
        ahead = self._ahead
        return ahead is not None and ahead.done() and ahead.exception() is None and ahead.result() is not None

    async def next(self) -> Chunk | None:
        """Give the next chunk; None at the source's end, or where the delivery was halted."""
        if self._carried_in:
            rows, self._carried_in = self._carried_in, []
            self._ahead = self._thread.call(self._read)
            return Chunk(Form.JSON, rows, carried_in=True)
        ahead = self._ahead or self._thread.call(self._read)
        await self._unless_halted(ahead)
        if self._halted.is_set():
            return None
        self._ahead = None
        chunk = ahead.result()
        if chunk is not None:
            self._ahead = self._thread.call(self._read)
        return chunk

    async def close(self) -> None:
        """Let the source close what it has open; doesn't wait for one that hangs."""
        if self._ahead is not None:
            self._ahead.add_done_callback(_seen)
        closing = self._thread.call(self._close)
        closing.add_done_callback(_seen)
        self._thread.close()
        await asyncio.wait([closing], timeout=LONGEST_CLOSE)

    def _read(self) -> Chunk | None:
        if self._chunks is None:
            self._chunks = self._source.chunks()
        return next(self._chunks, None)

    def _close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()

    async def _unless_halted(self, ahead: asyncio.Future[Chunk | None]) -> None:
        halted = asyncio.ensure_future(self._halted.wait())
        either: list[asyncio.Future[Any]] = [ahead, halted]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            halted.cancel()


def _seen(future: asyncio.Future[Any]) -> None:
    """Look at an error that nobody waits for, so that it isn't reported as forgotten."""
    with suppress(asyncio.CancelledError):
        future.exception()
