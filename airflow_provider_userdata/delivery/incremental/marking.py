"""Marks delivered records in the ledger while the delivery runs, and at its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.incremental.change_filter import ChangeFilter
from airflow_provider_userdata.errors import LedgerBusyError

MOST_UNMARKED = 1_000_000
"""How many records may be delivered while the ledger is locked: they are in memory."""
RETRY_SECONDS = 1.0
"""Seconds until the next try where the ledger is locked."""

_log = logging.getLogger(__name__)


class Marking:
    """Marks what was delivered. A ledger that is locked doesn't end the delivery: the next call tries again."""

    def __init__(self, change_filter: ChangeFilter) -> None:
        self._filter = change_filter

    async def mark_all(self) -> bool:
        """Mark all records that were delivered so far.

        :return: whether they are marked.
        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if the ledger is locked, and `MOST_UNMARKED` is exceeded.
        """
        if self._filter.closed:
            return not self._filter.unmarked
        try:
            await self._filter.mark_delivered()
        except LedgerBusyError as error:
            if self._filter.unmarked > MOST_UNMARKED:
                raise
            _log.warning("What was delivered can't be marked in the ledger for now: %s", error)
            return False
        return True

    async def mark_continuously(self) -> None:
        """Mark records whenever many have been delivered, without end; `mark_all` reports a ledger that is locked.

        :raises LedgerError: if something has to change first.
        """
        while True:
            with contextlib.suppress(LedgerBusyError):
                await self._filter.mark_continuously()
            await asyncio.sleep(RETRY_SECONDS)

    async def close(self, stopped: asyncio.Event, longest: float) -> None:
        """Mark what is left, and close the ledger.

        :param stopped: set when the process is about to be killed.
        :param longest: seconds that marking may take after that.
        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if the ledger is locked, or can't be reached.
        """
        ending = asyncio.ensure_future(self._filter.close())
        await unless_set(stopped, asyncio.shield(ending))
        if not (await asyncio.wait([ending], timeout=longest))[0]:
            raise LedgerBusyError("ledger: what was delivered last could not be marked in time; a retry marks it")
        ending.result()
