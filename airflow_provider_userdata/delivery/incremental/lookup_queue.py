"""Looks records up in the ledger in large groups, while earlier ones are sent and later ones are read."""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import AsyncIterator, Sequence

from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.incremental.change_filter import ChangeFilter
from airflow_provider_userdata.delivery.incremental.in_flight import Sifted
from airflow_provider_userdata.records import Record, joined

LOOKED_UP_AT_ONCE = 5_000
"""Records in one lookup. Keys are random: a small lookup touches almost as many pages as a large one."""
MOST_GATHERED = 10
"""Most calls of `take` for one lookup: their records may be large."""
MOST_WAITING = 2
"""Most lookups that run while the next records are validated."""


class LookupQueue:
    """Looks records up in their order. Used on the event loop, by one caller. A later call raises what a lookup raised.

    :param halted: set when nothing more is sent: lookups that are not finished are then discarded.
    """

    def __init__(self, change_filter: ChangeFilter, halted: asyncio.Event) -> None:
        self._filter = change_filter
        self._halted = halted
        self._gathered: list[Sequence[Record]] = []
        self._begun: deque[tuple[Sequence[Record], asyncio.Task[Sifted | None]]] = deque()

    @property
    def waiting(self) -> Sequence[Record]:
        """The records that were taken and not returned yet."""
        return _all_of([*[records for records, _ in self._begun], *self._gathered])

    def take(self, records: Sequence[Record]) -> AsyncIterator[Sifted]:
        """Take records, to look them up when there are enough; return the results of earlier ones, in their order."""
        self._gathered.append(records)
        if len(self._gathered) == MOST_GATHERED or sum(map(len, self._gathered)) >= LOOKED_UP_AT_ONCE:
            self._begin()
        return self._ended(MOST_WAITING)

    def flush(self) -> AsyncIterator[Sifted]:
        """Look up all records that were taken, however few, and return the results."""
        self._begin()
        return self._ended(0)

    async def cancel(self) -> None:
        """Cancel the lookups that are not finished."""
        for _, running in self._begun:
            running.cancel()
        await asyncio.gather(*[running for _, running in self._begun], return_exceptions=True)

    def _begin(self) -> None:
        if records := _all_of(self._gathered):
            self._begun.append((records, asyncio.ensure_future(self._sifted(records))))
        self._gathered = []

    async def _sifted(self, records: Sequence[Record]) -> Sifted | None:
        return None if self._halted.is_set() else await unless_set(self._halted, self._filter.sift(records))

    async def _ended(self, most: int) -> AsyncIterator[Sifted]:
        """Yield the results of the oldest lookups, until at most `most` are left."""
        while len(self._begun) > most:
            sifted = await self._begun[0][1]
            if sifted is None:  # halted: these records and all later ones stay in `waiting`
                return
            self._begun.popleft()
            yield sifted


def _all_of(parts: Sequence[Sequence[Record]]) -> Sequence[Record]:
    return functools.reduce(joined, parts, [])
