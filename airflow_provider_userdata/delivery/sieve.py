"""Sifts out what earlier runs have delivered, and remembers what this one has: look up, send, then mark."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from airflow_provider_userdata.delivery.threads import BlockingThread
from airflow_provider_userdata.vendors.contract import Kept, Record, Vendor

DAYS_REMEMBERED = 10_000
"""How many shelves' keys are kept at hand: samples come day by day."""


class Fingerprints(Protocol):
    """Makes keys and fingerprints of 16 bytes, which show nothing of what they are made of."""

    def of(self, data: bytes, /) -> bytes:
        """Give the fingerprint of some bytes."""

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
    """What the ledger knows a record by, from the look-up until it is marked or given up.

    :param fingerprint: of the user's state; empty where records are kept as a whole.
    :param followers: records that came later and say the same: they share this one's fate.
    :param delivered: whether there is proof.
    :param superseded: whether a later state of the user was sent, so that this one mustn't be marked.
    """

    key: bytes
    fingerprint: bytes
    followers: tuple[Record, ...] = ()
    delivered: bool = False
    superseded: bool = False


class Sieve:
    """Sifts the records of one delivery. Used on the loop, by one caller at a time.

    Of records that say the same, one is sent and the others follow it. Of a user's states the last one counts: an
    earlier one is never marked, though it was delivered, while a later one may be on its way.
    """

    def __init__(self, ledger: Ledger, vendor: Vendor) -> None:
        self._ledger = ledger
        self._vendor = vendor
        self._thread = BlockingThread("userdata-ledger")
        self._shelf = functools.lru_cache(maxsize=DAYS_REMEMBERED)(ledger.fingerprints.of_user)
        self._known: dict[bytes, Entry] = {}
        self._proven: list[Entry] = []
        self._marking = asyncio.Lock()
        self._opened = False
        self.ended = False
        """Whether nothing is marked any more."""

    @property
    def all_marked(self) -> bool:
        """Whether the ledger has all that was proven."""
        return not self._proven and not self._marking.locked()

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

        What follows a record that is on its way is in neither: it comes with that one's fate.
        """
        to_send: list[Record] = []
        unchanged: list[Record] = []
        self._enter(records)
        while records:
            asked, records = await self._apart(records, to_send, unchanged)
            if asked:
                keys = b"".join([record.entry.key for record in asked])
                prints = b"".join([record.entry.fingerprint for record in asked])
                chosen = await self._thread.call(lambda: self._ledger.sift(keys, prints))  # noqa: B023  # awaited here
                self._divide(asked, chosen, to_send, unchanged)
        to_send.sort(key=_position)
        return to_send, unchanged

    def delivered(self, records: Sequence[Record]) -> list[Record]:
        """Note the proof that records were delivered; give those that followed them, which are unchanged."""
        followers: list[Record] = []
        for record in records:
            entry: Entry = record.entry
            entry.delivered = True
            if entry.followers:
                followers += entry.followers
            self._proven.append(entry)
        return followers

    def given_up(self, records: Iterable[Record]) -> list[Record]:
        """Note that records were not delivered, as far as is known; give those that followed them."""
        followers: list[Record] = []
        for record in records:
            entry: Entry | None = record.entry
            if entry is not None:
                followers += entry.followers
                if self._known.get(entry.key) is entry:
                    del self._known[entry.key]
        return followers

    def proven_before(self, records: Sequence[Record]) -> None:
        """Note records that an attempt before has delivered, as its receipts prove, and may not have marked."""
        if not self.keeps_states:  # an old state mustn't be marked: a later one may be on its way
            self._enter(records)
            self._proven += [record.entry for record in records]

    async def mark(self) -> None:
        """Enter all that was proven so far into the ledger.

        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        async with self._marking:
            proven, self._proven = self._proven, []
            last = [entry for entry in proven if not entry.superseded]
            keys, prints = b"".join([e.key for e in last]), b"".join([e.fingerprint for e in last])
            try:
                if last:
                    await self._thread.call(lambda: self._ledger.mark(keys, prints))
            except BaseException:
                self._proven = [*proven, *self._proven]
                raise
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
                await self._thread.call(self._ledger.close)
                self._thread.close()

    def _enter(self, records: Sequence[Record]) -> None:
        """Give each record what the ledger knows it by."""
        of, shelf, size = self._ledger.fingerprints.of, self._shelf, self._vendor.kept.value
        states = self.keeps_states
        for record, (shelved, compared) in zip(records, self._vendor.compared(records), strict=True):
            key, fingerprint = shelf(shelved), of(compared)
            record.entry = Entry(key, fingerprint) if states else Entry(key[:size] + fingerprint[size:], b"")

    async def _apart(
        self, records: Sequence[Record], to_send: list[Record], unchanged: list[Record]
    ) -> tuple[list[Record], list[Record]]:
        """Set aside the records that this run knows already; give those to ask for, and those to look at again then."""
        asked: list[Record] = []
        again: list[Record] = []
        asking: set[bytes] = set()
        for record in records:
            entry: Entry = record.entry
            known = self._known.get(entry.key)
            if entry.key in asking:
                again.append(record)
            elif known is None:
                asking.add(entry.key)
                asked.append(record)
            elif known.fingerprint != entry.fingerprint:
                if self._marking.locked() and known.delivered:
                    async with self._marking:  # what is being marked has to be claimed anew
                        again.append(record)
                        asking.add(entry.key)
                else:
                    known.superseded = True
                    self._known[entry.key] = entry
                    to_send.append(record)
            elif known.delivered:
                unchanged.append(record)
            else:
                known.followers = (*known.followers, record)
        return asked, again

    def _divide(self, asked: list[Record], chosen: list[int], to_send: list[Record], unchanged: list[Record]) -> None:
        if len(chosen) == len(asked):
            sent = asked
        else:
            sent = [asked[index] for index in chosen]
            others = set(chosen)
            unchanged += [record for index, record in enumerate(asked) if index not in others]
        to_send += sent
        self._known.update([(record.entry.key, record.entry) for record in sent])


def _position(record: Record) -> int:
    return record.position
