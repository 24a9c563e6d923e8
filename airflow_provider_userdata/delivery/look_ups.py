"""Looks records up in the ledger while those before them are sent, and those after them are read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.sieve import Sieve
from airflow_provider_userdata.delivery.under_way import Sifted
from airflow_provider_userdata.vendors.contract import Record
from airflow_provider_userdata.vendors.stretch import joined


class LookUps:
    """Runs one look-up at a time. Used inside the loop, by one caller.

    :param halted: set when nothing is to be sent any more: what was looked up till then is as if it never was.
    """

    def __init__(self, sieve: Sieve, halted: asyncio.Event) -> None:
        self._sieve = sieve
        self._halted = halted
        self._running: asyncio.Task[Sifted | None] | None = None
        self.waiting: Sequence[Record] = []
        """The records of which it isn't known yet what becomes of them."""

    async def begin(self, records: Sequence[Record]) -> Sifted:
        """Begin to look records up, and give what came of those before.

        :raises LedgerError: if something has to change first; also of those before.
        :raises LedgerBusyError: if the ledger is locked, or can't be reached.
        """
        sifted = await self.end()
        if self.waiting:  # halted
            self.waiting = joined(self.waiting, records)
        else:
            self.waiting = records
            self._running = asyncio.ensure_future(unless_set(self._halted, self._sieve.sift(records)))
        return sifted

    async def end(self) -> Sifted:
        """Give what came of the last look-up.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if the ledger is locked, or can't be reached.
        """
        running, self._running = self._running, None
        sifted = None if running is None else await running
        if sifted is None:
            return [], []
        self.waiting = []
        return sifted

    async def give_up(self) -> None:
        """Wait for nothing more."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
