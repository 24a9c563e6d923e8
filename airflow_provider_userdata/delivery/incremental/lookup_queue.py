"""Gathers records, and looks them up in the ledger while those before are sent, and those after them are read."""

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
"""How many records are gathered for a look-up: keys lie anywhere, so that few change nearly as many pages as many."""
MOST_GATHERED = 10
"""How many times records are gathered for a look-up at most: they may be large."""
MOST_WAITING = 2
"""How many look-ups wait for their results while the next records are checked."""


class LookupQueue:
    """Looks up in turn, in the records' order, many at a time. Used inside the loop, by one caller.

    :param halted: set when nothing is to be sent any more: what was looked up till then is as if it never was.
    """

    def __init__(self, sieve: ChangeFilter, halted: asyncio.Event) -> None:
        self._sieve = sieve
        self._halted = halted
        self._gathered: list[Sequence[Record]] = []
        self._begun: deque[tuple[Sequence[Record], asyncio.Task[Sifted | None]]] = deque()

    @property
    def waiting(self) -> Sequence[Record]:
        """The records of which it isn't known yet what becomes of them."""
        return _all_of([*[records for records, _ in self._begun], *self._gathered])

    def take(self, records: Sequence[Record]) -> AsyncIterator[Sifted]:
        """Take records in, to be looked up when they are many, and give what came of those before, in their order.

        :raises LedgerError: if something has to change first; also of those before.
        :raises LedgerBusyError: if the ledger is locked, or can't be reached.
        """
        self._gathered.append(records)
        if len(self._gathered) == MOST_GATHERED or sum(map(len, self._gathered)) >= LOOKED_UP_AT_ONCE:
            self._begin()
        return self._ended(MOST_WAITING)

    def end(self) -> AsyncIterator[Sifted]:
        """Look up the records taken in, however few, and give what came of all.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if the ledger is locked, or can't be reached.
        """
        self._begin()
        return self._ended(0)

    async def give_up(self) -> None:
        """Wait for nothing more."""
        for _, running in self._begun:
            running.cancel()
        await asyncio.gather(*[running for _, running in self._begun], return_exceptions=True)

    def _begin(self) -> None:
        if records := _all_of(self._gathered):
            self._begun.append((records, asyncio.ensure_future(self._sifted(records))))
        self._gathered = []

    async def _sifted(self, records: Sequence[Record]) -> Sifted | None:
        return None if self._halted.is_set() else await unless_set(self._halted, self._sieve.sift(records))

    async def _ended(self, most: int) -> AsyncIterator[Sifted]:
        """Give what came of the first ones, so that so many are left at most."""
        while len(self._begun) > most:
            sifted = await self._begun[0][1]
            if sifted is None:  # halted: its records stay, and so do those that come after them
                return
            self._begun.popleft()
            yield sifted


def _all_of(parts: Sequence[Sequence[Record]]) -> Sequence[Record]:
    return functools.reduce(joined, parts, [])
