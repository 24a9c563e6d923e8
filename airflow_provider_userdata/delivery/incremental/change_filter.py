"""Sifts out what earlier runs have delivered, and remembers what this one has: look up, send, then mark."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.incremental.in_flight import InFlight, LookedUp, Sifted
from airflow_provider_userdata.delivery.incremental.latest_samples import LatestSamples
from airflow_provider_userdata.delivery.incremental.records_in_flight import RecordsInFlight
from airflow_provider_userdata.delivery.incremental.states_in_flight import StatesInFlight
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import LedgerMode, Vendor

KEY_SIZE = 16
"""Bytes of a key, and of a fingerprint."""
MARKED_AT_ONCE = 10_000
"""How many proven records are marked beside the delivery; of states, how many before a look-up gets its turn."""


class Fingerprints(Protocol):
    """Makes keys and fingerprints of 16 bytes, which show nothing of what they are made of."""

    def of_all(self, records: Iterable[bytes], /) -> bytes:
        """Give the fingerprints of some bytes, in their order, joined."""

    def of_all_users(self, users: Collection[str | bytes], /) -> bytes:
        """Give users' keys, in their order, joined."""

    def all_on_shelves(
        self, records: Iterable[bytes], shelves: Sequence[str | bytes], size: int, /
    ) -> tuple[bytes, list[bytes]]:
        """Give the keys of some bytes, in their order, joined, and what they begin with: `size` bytes, a shelf's."""


class Ledger(Protocol):
    """What earlier runs of one stream delivered. All methods block, and raise a `UserdataError` where they fail."""

    @property
    def fingerprints(self) -> Fingerprints:
        """Makes the keys and fingerprints of this ledger."""

    def open(self) -> None:
        """See that it can be read and written."""

    def sift(self, keys: bytes, fingerprints: bytes = b"", beginnings: Sequence[bytes] = (), /) -> list[int]:
        """Give the indices of what is to be sent, and claim it where the stream is of states."""

    def mark(self, keys: bytes, fingerprints: bytes = b"", /) -> None:
        """Enter what was delivered, with proof."""

    def close(self) -> None:
        """End."""


class _Identity(NamedTuple):
    """What a ledger knows records by.

    :param keys: of each, joined.
    :param fingerprints: of each, joined, where it keeps states.
    :param beginnings: what keys begin with, where it keeps records.
    """

    keys: bytes
    fingerprints: bytes = b""
    beginnings: Sequence[bytes] = ()


class ChangeFilter:
    """Sifts the records of one delivery. Used on the loop, by one caller at a time.

    Of records that say the same, one is sent and the others follow it.

    :param shows_recent: whether the most recent sample of each device is wanted.
    """

    def __init__(self, ledger: Ledger, vendor: Vendor, *, shows_recent: bool = True) -> None:
        self._ledger = ledger
        self._vendor = vendor
        self._thread = BlockingThread("userdata-ledger")
        # What is being marked would have to be claimed again, so states are looked up by the thread that marks them.
        self._look_ups = self._thread if self.keeps_states else BlockingThread("userdata-look-ups")
        self._shows_recent = shows_recent
        self._in_flight: InFlight = StatesInFlight() if self.keeps_states else RecordsInFlight()
        self._looking_up = asyncio.Lock()
        self._marking = self._looking_up if self.keeps_states else asyncio.Lock()
        self._much_is_proven = asyncio.Event()
        self._opened = False
        self.recent = LatestSamples()
        """The most recent sample of each device that was delivered."""
        self.ended = False
        """Whether nothing is marked any more."""

    @property
    def unmarked(self) -> int:
        """How many records were delivered that the ledger doesn't have yet."""
        return self._in_flight.unmarked

    @property
    def keeps_states(self) -> bool:
        """Whether the ledger keeps each user's last state, not each record."""
        return self._vendor.kept is LedgerMode.STATES

    async def open(self) -> None:
        """Open the ledger.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        self._opened = True
        await self._thread.call(self._ledger.open)

    async def sift(self, records: Sequence[Record]) -> Sifted:
        """Give the records to be sent, in their order, and those that earlier runs have delivered.

        What follows a record that is on its way is in neither: it comes with that one's fate. Where this is given up or
        fails, nothing has become of any record.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        asked = self._identify(records)
        async with self._looking_up:
            # All are asked for, also what this run has on its way: it may be given up meanwhile.
            chosen = await self._look_ups.call(
                lambda: self._ledger.sift(asked.keys, asked.fingerprints, asked.beginnings)
            )
            looked_up = LookedUp(_split(asked.keys), _split(asked.fingerprints), chosen)
            return self._in_flight.divide(records, looked_up)

    def delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note the proof that records were delivered; give those that followed them, which are unchanged.

        :param in_doubt: whether they may arrive once more.
        """
        self._note_recent(records)
        followers = self._in_flight.delivered(records, in_doubt=in_doubt)
        if self.unmarked >= MARKED_AT_ONCE:
            self._much_is_proven.set()
        return followers

    def given_up(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note that records were not delivered, as far as is known; give those that followed them.

        :param in_doubt: whether they may arrive all the same.
        """
        return self._in_flight.given_up(records, in_doubt=in_doubt)

    def proven_before(self, records: Sequence[Record]) -> None:
        """Note records that an attempt before has delivered, as its receipts prove, and may not have marked."""
        self._in_flight.proven_before(_split(self._identify(records).keys))
        self._note_recent(records)

    async def mark(self) -> None:
        """Enter all that was proven so far into the ledger, in steps that don't keep the look-ups waiting.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        left = self.unmarked
        while left > 0 and self.unmarked:
            left -= await self._mark_some(left)

    async def mark_as_proofs_come(self) -> None:
        """Enter what is proven whenever it is much, without end, so that little is left for `mark`.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        while await self._much_is_proven.wait():
            await self._mark_some(self.unmarked)
            if self.unmarked < MARKED_AT_ONCE:
                self._much_is_proven.clear()

    async def _mark_some(self, most: int) -> int:
        """Enter what was proven first, and say how much it was."""
        async with self._marking:
            proofs = self._in_flight.to_mark(min(most, MARKED_AT_ONCE) if self.keeps_states else most)
            if proofs.entries:
                await self._thread.call(lambda: self._ledger.mark(proofs.keys, proofs.fingerprints))
            # A look-up that began before may not have found them: it has to find them here.
            async with contextlib.nullcontext() if self.keeps_states else self._looking_up:
                self._in_flight.marked(proofs)
        return proofs.count

    async def end(self) -> None:
        """Mark what is left, and close the ledger.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        self.ended = True
        if self._opened:
            try:
                await self.mark()
            finally:
                closing = self._thread.call(self._ledger.close)
                self._thread.close()
                self._look_ups.close()
                await closing

    def _identify(self, records: Sequence[Record]) -> _Identity:
        fingerprints, kept = self._ledger.fingerprints, self._vendor.kept
        shelves, contents = self._vendor.compared(records)
        if kept is LedgerMode.STATES:
            return _Identity(fingerprints.of_all_users(shelves), fingerprints.of_all(contents))
        keys, beginnings = fingerprints.all_on_shelves(contents, shelves, kept.value)
        return _Identity(keys, beginnings=beginnings)

    def _note_recent(self, records: Sequence[Record]) -> None:
        if self._shows_recent:
            self.recent.note(self._vendor.moments(records))


def with_duplicates(
    change_filter: ChangeFilter | None, records: Sequence[Record], *, in_doubt: bool
) -> Sequence[Record]:
    """Give up records that were not delivered, and return them with their duplicates, which get the same outcome.

    :param change_filter: None where the run is not incremental.
    :param in_doubt: whether the records may arrive all the same.
    """
    return records if change_filter is None else [*records, *change_filter.given_up(records, in_doubt=in_doubt)]


def _split(joined: bytes) -> list[bytes]:
    return list(chain.from_iterable(struct.iter_unpack(f"{KEY_SIZE}s", joined)))
