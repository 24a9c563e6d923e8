"""Leaves out what earlier runs delivered, and marks what this run delivers: look up, send, then mark."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Protocol

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.incremental.in_flight import RecordsInFlight, Sifted, StatesInFlight
from airflow_provider_userdata.delivery.incremental.latest_samples import LatestSamples
from airflow_provider_userdata.errors import LedgerBusyError
from airflow_provider_userdata.fingerprints import Fingerprints, split
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import LedgerMode, Vendor

MARKED_AT_ONCE = 10_000
"""Delivered records that start a mark while others are sent. Of states, the most in one step: lookups wait for it."""
MOST_UNMARKED = 1_000_000
"""How many records may be delivered while the ledger is locked: they are in memory."""
RETRY_SECONDS = 1.0
"""Seconds until the next try where the ledger is locked."""

_log = logging.getLogger(__name__)


class Ledger(Protocol):
    """What earlier runs of one stream delivered. All methods block, and raise a `UserdataError` if they fail."""

    @property
    def fingerprints(self) -> Fingerprints:
        """Makes the ledger's keys and fingerprints."""

    def open(self) -> None:
        """Check that it can be read and written."""

    def sift(self, keys: bytes, fingerprints: bytes = b"", beginnings: Sequence[bytes] = (), /) -> list[int]:
        """Return the indices of what to send, and claim it if the stream holds states."""

    def mark_delivered(self, keys: bytes, fingerprints: bytes = b"", /) -> None:
        """Enter what was delivered, as an answer proves."""

    def close(self) -> None:
        """Disconnect."""


class ChangeFilter:
    """Filters the records of one delivery. Used on the event loop, by one caller at a time.

    Of equal records, one is sent; the others are its duplicates, and get its outcome. Its coroutines raise a
    `LedgerError` if something has to change first, and a `LedgerBusyError` if the ledger is locked or can't be reached.

    :param shows_recent: whether to collect the latest sample of each device. Default: yes.
    """

    def __init__(self, ledger: Ledger, vendor: Vendor, *, shows_recent: bool = True) -> None:
        self._ledger = ledger
        self._vendor = vendor
        self._thread = BlockingThread("userdata-ledger")
        # States are looked up by the thread that marks them: one that is being marked would be claimed once more.
        self._look_ups = self._thread if self.keeps_states else BlockingThread("userdata-lookups")
        self._shows_recent = shows_recent
        self._in_flight: StatesInFlight | RecordsInFlight = StatesInFlight() if self.keeps_states else RecordsInFlight()
        self._looking_up = asyncio.Lock()
        self._marking = self._looking_up if self.keeps_states else asyncio.Lock()
        self._much_is_proven = asyncio.Event()
        self._opened = self._closed = False
        self.latest = LatestSamples()
        """The latest delivered sample of each device."""

    @property
    def unmarked(self) -> int:
        """How many delivered records the ledger doesn't have yet."""
        return self._in_flight.unmarked

    @property
    def keeps_states(self) -> bool:
        """Whether the ledger keeps the latest state of each user, not each record."""
        return self._vendor.kept is LedgerMode.STATES

    async def open(self) -> None:
        """Open the ledger."""
        self._opened = True
        await self._thread.call(self._ledger.open)

    async def sift(self, records: Sequence[Record]) -> Sifted:
        """Return the records to send, in their order, and those that earlier runs delivered.

        A duplicate of a record in flight is in neither: it is returned when that record has its outcome. If the call is
        cancelled or fails, it has changed nothing.
        """
        keys, fingerprints, beginnings = self._identify(records)
        async with self._looking_up:
            # Records in flight are looked up, too: they may be given up before the answer comes.
            chosen = await self._look_ups.call(lambda: self._ledger.sift(keys, fingerprints, beginnings))
            return self._in_flight.divide(records, split(keys), split(fingerprints), chosen)

    def record_delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note the proof that records were delivered; return their duplicates, which are unchanged.

        :param in_doubt: whether they may arrive once more.
        """
        self._note_latest(records)
        duplicates = self._in_flight.record_delivered(records, in_doubt=in_doubt)
        if self.unmarked >= MARKED_AT_ONCE:
            self._much_is_proven.set()
        return duplicates

    def record_undelivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note that there is no proof that records were delivered; return their duplicates.

        :param in_doubt: whether they may arrive all the same.
        """
        return self._in_flight.record_undelivered(records, in_doubt=in_doubt)

    def record_proven(self, records: Sequence[Record]) -> None:
        """Note records that an earlier attempt delivered, as its receipts prove, and may not have marked."""
        self._in_flight.record_proven(split(self._identify(records)[0]))
        self._note_latest(records)

    async def mark_all(self) -> bool:
        """Mark all records that were delivered so far. A ledger that is locked doesn't end the delivery.

        :return: whether they are marked; if not, the next call tries again.
        :raises LedgerBusyError: only if `MOST_UNMARKED` is exceeded.
        """
        if self._closed:  # `close` marks what is left, and nobody else does
            return not self.unmarked
        try:
            await self.mark_delivered()
        except LedgerBusyError as error:
            if self.unmarked > MOST_UNMARKED:
                raise
            _log.warning("What was delivered can't be marked in the ledger for now: %s", error)
            return False
        return True

    async def mark_delivered(self) -> None:
        """Enter all deliveries proven so far into the ledger. Of states in steps, so that lookups get their turn."""
        left = self.unmarked
        while left > 0 and self.unmarked:
            left -= await self._mark_some(left)

    async def mark_continuously(self) -> None:
        """Mark whenever `MARKED_AT_ONCE` records are proven, without end; `mark_all` reports a locked ledger."""
        while await self._much_is_proven.wait():
            try:
                await self._mark_some(self.unmarked)
            except LedgerBusyError:
                await asyncio.sleep(RETRY_SECONDS)
            if self.unmarked < MARKED_AT_ONCE:
                self._much_is_proven.clear()

    async def _mark_some(self, most: int) -> int:
        """Enter the oldest proofs, and return how many they were."""
        async with self._marking:
            proofs = self._in_flight.to_mark(min(most, MARKED_AT_ONCE) if self.keeps_states else most)
            if proofs.entries:
                await self._thread.call(lambda: self._ledger.mark_delivered(proofs.keys, proofs.fingerprints))
            # A lookup that is running may have missed them in the ledger: until it ends, it has to find them here.
            async with contextlib.nullcontext() if self.keeps_states else self._looking_up:
                self._in_flight.marked(proofs)
        return proofs.count

    async def close(self, stopped: asyncio.Event, longest: float) -> None:
        """Mark the rest, and close the ledger.

        :param stopped: set when the process is about to be killed.
        :param longest: seconds that marking may take after that.
        """
        self._closed = True
        closing = asyncio.ensure_future(self._mark_and_close())
        await unless_set(stopped, asyncio.shield(closing))
        if not (await asyncio.wait([closing], timeout=longest))[0]:
            raise LedgerBusyError("ledger: what was delivered last could not be marked in time; a retry marks it")
        closing.result()

    async def _mark_and_close(self) -> None:
        if self._opened:
            try:
                await self.mark_delivered()
            finally:
                closing = self._thread.call(self._ledger.close)
                self._thread.close()
                self._look_ups.close()
                await closing

    def _identify(self, records: Sequence[Record]) -> tuple[bytes, bytes, Sequence[bytes]]:
        """Return what a ledger asks of records: their keys, their fingerprints, and the beginnings of their keys."""
        return identify(self._ledger.fingerprints, self._vendor, records)

    def _note_latest(self, records: Sequence[Record]) -> None:
        if self._shows_recent:
            self.latest.note(self._vendor.moments(records))


def identify(
    fingerprints: Fingerprints, vendor: Vendor, records: Sequence[Record]
) -> tuple[bytes, bytes, Sequence[bytes]]:
    """Return what a ledger keeps of records: their keys, their fingerprints, and the beginnings of their keys.

    :param fingerprints: makes them.
    """
    partitions, contents = vendor.compared(records)
    if vendor.kept is LedgerMode.STATES:
        return fingerprints.of_all_users(partitions), fingerprints.of_all(contents), ()
    keys, beginnings = fingerprints.keys_by_partition(contents, partitions, vendor.kept.value)
    return keys, b"", beginnings


def with_duplicates(
    change_filter: ChangeFilter | None, records: Sequence[Record], *, in_doubt: bool
) -> Sequence[Record]:
    """Give up records that were not delivered, and return them with their duplicates, which get the same outcome.

    :param change_filter: None where the run is not incremental.
    :param in_doubt: whether the records may arrive all the same.
    """
    if change_filter is None:
        return records
    return [*records, *change_filter.record_undelivered(records, in_doubt=in_doubt)]
