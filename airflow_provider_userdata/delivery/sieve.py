"""Sifts out what earlier runs have delivered, and remembers what this one has: look up, send, then mark."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Container, Iterable, Sequence
from typing import Protocol

import msgspec

from airflow_provider_userdata.delivery.recent import Recent
from airflow_provider_userdata.delivery.threads import BlockingThread
from airflow_provider_userdata.vendors.contract import Kept, Record, Vendor

SHELVES_REMEMBERED = 10_000
"""How many shelves' keys are kept at hand: samples come day by day."""


class Fingerprints(Protocol):
    """Makes keys and fingerprints of 16 bytes, which show nothing of what they are made of."""

    def each_of(self, records: Iterable[bytes], /) -> list[bytes]:
        """Give the fingerprints of some bytes, in their order."""

    def of_user(self, user: str, /) -> bytes:
        """Give a user's key."""


class Ledger(Protocol):
    """What earlier runs of one stream delivered. All methods block, and raise a `UserdataError` where they fail."""

    @property
    def fingerprints(self) -> Fingerprints:
        """Makes the keys and fingerprints of this ledger."""

    def open(self) -> None:
        """See that it can be read and written."""

    def sift(self, keys: bytes, fingerprints: bytes = b"", /) -> list[int]:
        """Give the indices of what is to be sent, and claim it where the stream is of states."""

    def mark(self, keys: bytes, fingerprints: bytes = b"", /) -> None:
        """Enter what was delivered, with proof."""

    def close(self) -> None:
        """End."""


class Entry(msgspec.Struct, eq=False, gc=False):
    """What the ledger knows a record by that is sent, from the look-up until it is marked or given up.

    :param fingerprint: of the user's state; empty where records are kept as a whole.
    :param followers: records that came later and say the same: they share this one's fate.
    :param delivered: whether there is proof.
    :param last: whether it is what the vendor has in the end, once it is delivered: no other state of the user may be
        on its way.
    """

    key: bytes
    fingerprint: bytes
    followers: list[Record] | None = None
    delivered: bool = False
    last: bool = True


class Sieve:
    """Sifts the records of one delivery. Used on the loop, by one caller at a time.

    Of records that say the same, one is sent and the others follow it. Of a user's states the last one counts: an
    earlier one is never marked, though it was delivered, while a later one may be on its way.
    """

    def __init__(self, ledger: Ledger, vendor: Vendor) -> None:
        self._ledger = ledger
        self._vendor = vendor
        self._thread = BlockingThread("userdata-ledger")
        self._shelf = functools.lru_cache(maxsize=SHELVES_REMEMBERED)(ledger.fingerprints.of_user)
        self._known: dict[bytes, Entry] = {}
        self._proven: list[Entry] = []
        self._doubtful: set[bytes] = set()
        self._turn = asyncio.Lock()
        self._opened = False
        self.recent = Recent()
        """The most recent sample of each device that was delivered."""
        self.ended = False
        """Whether nothing is marked any more."""

    @property
    def unmarked(self) -> int:
        """How many records were delivered that the ledger doesn't have yet."""
        return len(self._proven)

    @property
    def keeps_states(self) -> bool:
        """Whether the ledger keeps each user's last state, not each record."""
        return self._vendor.kept is Kept.STATES

    async def open(self) -> None:
        """Open the ledger.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        self._opened = True
        await self._thread.call(self._ledger.open)

    async def sift(self, records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
        """Give the records to be sent, in their order, and those that earlier runs have delivered.

        What follows a record that is on its way is in neither: it comes with that one's fate. Where this is given up or
        fails, nothing has become of any record.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        keys, prints = self._identify(records)
        joined = b"".join(keys), b"".join(prints)
        async with self._turn:  # what is being marked would have to be claimed again
            # All are asked for, also what this run has on its way: it may be given up meanwhile.
            chosen = await self._thread.call(lambda: self._ledger.sift(*joined))
            return self._divide(records, keys, prints, chosen)

    def delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note the proof that records were delivered; give those that followed them, which are unchanged.

        :param in_doubt: whether they may arrive once more.
        """
        followers: list[Record] = []
        for record in records:
            entry: Entry = record.entry
            entry.delivered = True
            if entry.followers:
                followers += entry.followers
                entry.followers = None
            if in_doubt:
                self._doubt(entry)
            self._proven.append(entry)
        self.recent.note(self._vendor.moments(records))
        return followers

    def given_up(self, records: Iterable[Record], *, in_doubt: bool) -> list[Record]:
        """Note that records were not delivered, as far as is known; give those that followed them.

        :param in_doubt: whether they may arrive all the same.
        """
        followers: list[Record] = []
        for record in records:
            entry: Entry | None = record.entry
            if entry is None:
                continue  # never looked up
            if entry.followers:
                followers += entry.followers
                entry.followers = None
            if in_doubt:
                self._doubt(entry)
            if self._known.get(entry.key) is entry:
                del self._known[entry.key]
        return followers

    def proven_before(self, records: Sequence[Record]) -> None:
        """Note records that an attempt before has delivered, as its receipts prove, and may not have marked.

        Of states nothing is known so: a later one may be on its way.
        """
        if self.keeps_states:
            return
        keys, _ = self._identify(records)
        for record, key in zip(records, keys, strict=True):
            record.entry = self._known[key] = Entry(key, b"", delivered=True)
            self._proven.append(record.entry)
        self.recent.note(self._vendor.moments(records))

    async def mark(self) -> None:
        """Enter all that was proven so far into the ledger.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        async with self._turn:
            proven = list(self._proven)
            last = [entry for entry in proven if entry.last]
            keys, prints = b"".join([entry.key for entry in last]), b"".join([entry.fingerprint for entry in last])
            if last:
                await self._thread.call(lambda: self._ledger.mark(keys, prints))
            del self._proven[: len(proven)]
            for entry in last:
                if self._known.get(entry.key) is entry:
                    del self._known[entry.key]

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
                await closing

    def _identify(self, records: Sequence[Record]) -> tuple[list[bytes], list[bytes]]:
        """Give what the ledger knows records by: keys, and fingerprints where it keeps states."""
        fingerprints, kept = self._ledger.fingerprints, self._vendor.kept
        shelves, contents = self._vendor.compared(records)
        prints = fingerprints.each_of(contents)
        if kept is Kept.STATES:
            return [fingerprints.of_user(user) for user in shelves], prints
        shelf, size = self._shelf, kept.value
        return [shelf(name)[:size] + made[size:] for name, made in zip(shelves, prints, strict=True)], []

    def _divide(
        self, records: Sequence[Record], keys: list[bytes], prints: list[bytes], chosen: list[int]
    ) -> tuple[list[Record], list[Record]]:
        """Sort records into those to be sent, those that are unchanged, and those that follow others."""
        if not chosen and not self._known:
            return [], list(records)
        to_send: list[Record] = []
        unchanged: list[Record] = []
        wanted: Container[int] = range(len(records)) if len(chosen) == len(records) else set(chosen)
        for index, (record, key) in enumerate(zip(records, keys, strict=True)):
            made, known = prints[index] if prints else b"", self._known.get(key)
            if known is not None and known.fingerprint == made:
                if known.delivered:
                    unchanged.append(record)
                elif known.followers is None:
                    known.followers = [record]
                else:
                    known.followers.append(record)
            elif known is not None or index in wanted:
                if known is not None:
                    known.last = False
                record.entry = self._known[key] = Entry(key, made, last=key not in self._doubtful)
                to_send.append(record)
            else:
                unchanged.append(record)
        return to_send, unchanged

    def _doubt(self, entry: Entry) -> None:
        """Believe no other state of a user in this run: what is in doubt may still arrive after it."""
        if self.keeps_states:
            self._doubtful.add(entry.key)
            known = self._known.get(entry.key)
            if known is not None and known is not entry:
                known.last = False
