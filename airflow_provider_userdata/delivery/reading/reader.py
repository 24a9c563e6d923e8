"""Reads a source one chunk ahead, in its own thread."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.reading.digest import Mark, SourceDigest
from airflow_provider_userdata.delivery.reading.originals import OriginalDigest, OriginalRow
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat, Source
from airflow_provider_userdata.errors import SourceBrokeError, UserdataError

CARRIED_IN = 1000
"""The most records of an earlier run in a chunk."""
LONGEST_CLOSE = 1.0
"""Seconds that a source gets to close its files and cursors if it was not read to its end."""


class Read(NamedTuple):
    """A chunk, marks of how far the source has been read, the last at its end, and about its bytes as JSON.

    :param before: the marks that the source had before some rows were corrected; the same ones if none were.
    """

    chunk: Chunk
    marks: list[Mark]
    size: int
    before: list[Mark]


class ChunkReader:
    """Returns the chunks of a source, after one with the records that an earlier run held. Used on the event loop.

    The digest is computed in the thread, too: most of that needs no interpreter lock, so the loop runs meanwhile.

    :param carried_in: the bodies of those records.
    :param halted: set when nothing more may be read; a read that hangs is not waited for.
    :param ends: numbers of rows, rising, after which a mark is wanted.
    :param originals: what rows were, by position, that may have been corrected since.
    """

    def __init__(
        self,
        source: Source,
        carried_in: Iterable[bytes],
        halted: asyncio.Event,
        ends: Sequence[int] = (),
        originals: Mapping[int, OriginalRow] | None = None,
    ) -> None:
        self._source = source
        self._carried_in = carried_in
        self._halted = halted
        self._halting: asyncio.Future[Any] = asyncio.ensure_future(halted.wait())
        self._ends = ends
        self._digest = SourceDigest()
        self._before = OriginalDigest(originals) if originals else None
        self._thread = BlockingThread("userdata-source")
        self._chunks = self._all_chunks()
        self._ahead: asyncio.Future[Read | None] | None = None

    async def has_next(self, seconds: float) -> bool:
        """Return whether another chunk is ready, or becomes ready within some seconds."""
        ahead = self._begin()
        await asyncio.wait([ahead], timeout=seconds)
        return ahead.done() and ahead.exception() is None and ahead.result() is not None

    async def next(self) -> Read | None:
        """Return the next chunk; None at the source's end, or if the delivery was halted."""
        ahead = self._begin()
        if ahead.done():
            await asyncio.sleep(0)  # let other tasks run
        else:
            await asyncio.wait([ahead, self._halting], return_when=asyncio.FIRST_COMPLETED)
        if self._halted.is_set():
            return None
        self._ahead = None
        read = ahead.result()
        if read is not None:
            self._begin()
        return read

    async def close(self) -> None:
        """Let the source close what it has open; doesn't wait for one that hangs."""
        self._halting.cancel()
        if self._ahead is not None:
            self._ahead.add_done_callback(_seen)
        closing = self._thread.call(self._close)
        self._thread.close()
        await asyncio.wait([closing], timeout=LONGEST_CLOSE)

    def _begin(self) -> asyncio.Future[Read | None]:
        """Start to read the next chunk, unless that has been done."""
        if self._ahead is None:
            self._ahead = self._thread.call(self._read)
        return self._ahead

    def _read(self) -> Read | None:
        try:
            chunk = next(self._chunks, None)
        except UserdataError:
            raise
        except BaseException as error:  # also `SystemExit`, which would end the process without a report
            place = f"at position {self._digest.mark.rows}"
            raise SourceBrokeError(f"source: reading raised {type(error).__name__} {place}") from error
        if chunk is None:
            return None
        before = self._digest.size
        marks = self._digest.take(chunk.rows, self._ends, chunk.text)
        then = self._before.take(chunk.rows, self._ends, chunk.text) if self._before is not None else marks
        return Read(replace(chunk, text=None), marks, self._digest.size - before, then)

    def _all_chunks(self) -> Generator[Chunk]:
        carried_in = iter(self._carried_in)
        while bodies := list(islice(carried_in, CARRIED_IN)):
            yield Chunk(RowFormat.JSON, bodies, carried_in=True)
        yield from self._source.chunks()

    def _close(self) -> None:
        with suppress(BaseException):  # how reading ended matters more
            self._chunks.close()


def _seen(future: asyncio.Future[Any]) -> None:
    """Retrieve an error that nothing awaits, so that asyncio doesn't log it as never retrieved."""
    with suppress(asyncio.CancelledError):
        future.exception()
