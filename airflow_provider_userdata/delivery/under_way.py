"""What an incremental run has under way, or proven and not yet marked: by record, or by user."""

from __future__ import annotations

import abc
import operator
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any, Generic, TypeVar

import msgspec

from airflow_provider_userdata.vendors.contract import Record
from airflow_provider_userdata.vendors.stretch import entries_of, where, with_entries

Sifted = tuple[Sequence[Record], Sequence[Record]]
"""The records to be sent, and those that are unchanged."""
Proof = TypeVar("Proof")


class Proofs(msgspec.Struct, frozen=True):
    """What is marked in one go.

    :param count: of how many deliveries.
    :param entries: what the ledger is told: fewer, where a delivery no longer counts.
    :param keys: theirs, joined.
    :param fingerprints: as many, of states.
    """

    count: int
    entries: Sequence[Any]
    keys: bytes
    fingerprints: bytes = b""


class UnderWay(abc.ABC, Generic[Proof]):
    """Finds what says the same as something that is under way: it isn't sent, but follows, and shares its fate."""

    def __init__(self) -> None:
        self._proven: list[Proof] = []  # by time, nearly the source's order: the ledger is faster for it

    @property
    def unmarked(self) -> int:
        """How many records were delivered that the ledger doesn't have yet."""
        return len(self._proven)

    @abc.abstractmethod
    def divide(
        self, records: Sequence[Record], keys: Sequence[bytes], fingerprints: Sequence[bytes], chosen: Sequence[int], /
    ) -> Sifted:
        """Give the records to be sent, and those that are unchanged; what follows another is in neither.

        :param chosen: the indices of what the ledger doesn't have.
        """

    @abc.abstractmethod
    def delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note the proof that records were delivered; give those that followed them."""

    @abc.abstractmethod
    def given_up(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note that records were not delivered, as far as is known; give those that followed them."""

    @abc.abstractmethod
    def proven_before(self, keys: Iterable[bytes]) -> None:
        """Note what an attempt before has delivered, and may not have marked."""

    @abc.abstractmethod
    def to_mark(self, most: int) -> Proofs:
        """Give what was proven first, of so many records at most."""

    @abc.abstractmethod
    def marked(self, proofs: Proofs) -> None:
        """Forget what the ledger has now."""


class RecordsUnderWay(UnderWay[bytes]):
    """Of records that are kept as a whole. `Record.entry` is the key.

    Keys come in no order, and each step in a large set of them waits for memory: so there is one set, and a batch is
    looked at as a whole. Which of its keys are proven is found out only where something says the same as one of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: set[bytes] = set()
        self._among_proven: set[bytes] = set()  # the first so many of the proven
        self._looked_through = 0
        self._followers: dict[bytes, list[Record]] = {}

    def divide(
        self, records: Sequence[Record], keys: Sequence[bytes], _: Sequence[bytes], chosen: Sequence[int], /
    ) -> Sifted:
        """Give the records to be sent, and those that are unchanged; what follows another is in neither."""
        if not chosen:
            return [], records
        unchanged: Sequence[Record] = []
        if len(chosen) < len(records):
            wanted = _mask(chosen, len(records))
            keys = list(compress(keys, wanted))
            records, unchanged = _divided(records, wanted)
        if self._known.isdisjoint(keys):
            before = len(self._known)
            self._known.update(keys)
            if len(self._known) == before + len(keys):
                return with_entries(records, keys), unchanged
            self._known.difference_update(keys)  # there are twins among them
        return self._first_of_each(records, keys, unchanged)

    def _first_of_each(self, records: Sequence[Record], keys: Sequence[bytes], unchanged: Sequence[Record]) -> Sifted:
        self._among_proven.update(self._proven[self._looked_through :])
        self._looked_through = len(self._proven)
        to_send: list[Record] = []
        unchanged = list(unchanged)
        for record, key in zip(records, keys, strict=True):
            if key not in self._known:
                record.entry = key
                self._known.add(key)
                to_send.append(record)
            elif key in self._among_proven:
                unchanged.append(record)
            else:
                self._followers.setdefault(key, []).append(record)
        return to_send, unchanged

    def delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:  # noqa: ARG002  # of states
        """Note the proof that records were delivered; give those that followed them."""
        keys = entries_of(records)
        self._proven += keys
        return self._followers_of(keys)

    def given_up(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:  # noqa: ARG002  # of states
        """Note that records were not delivered, as far as is known; give those that followed them."""
        keys = [entry for entry in entries_of(records) if entry is not None]  # others were never looked up
        self._known.difference_update(keys)
        return self._followers_of(keys)

    def _followers_of(self, keys: Iterable[bytes]) -> list[Record]:
        if not self._followers:
            return []
        return [record for key in keys for record in self._followers.pop(key, ())]

    def proven_before(self, keys: Iterable[bytes]) -> None:
        """Note what an attempt before has delivered, and may not have marked."""
        before = list(keys)
        self._known.update(before)
        self._proven += before

    def to_mark(self, most: int) -> Proofs:
        """Give what was proven first, of so many records at most."""
        keys = self._proven[:most]
        return Proofs(len(keys), keys, b"".join(keys))

    def marked(self, proofs: Proofs) -> None:
        """Forget what the ledger has now."""
        del self._proven[: proofs.count]
        self._looked_through = max(0, self._looked_through - proofs.count)
        self._known.difference_update(proofs.entries)
        if self._among_proven:
            self._among_proven.difference_update(proofs.entries)


class Entry(msgspec.Struct, eq=False, gc=False):
    """A user's state that is sent, from the look-up until it is marked or given up.

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


class StatesUnderWay(UnderWay[Entry]):
    """Of users' states. `Record.entry` is an `Entry`.

    Of a user's states the last one counts: an earlier one is never marked, though it was delivered, while a later one
    may be on its way.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[bytes, Entry] = {}
        self._doubtful: set[bytes] = set()

    def divide(
        self, records: Sequence[Record], keys: Sequence[bytes], fingerprints: Sequence[bytes], chosen: Sequence[int], /
    ) -> Sifted:
        """Give the records to be sent, and those that are unchanged; what follows another is in neither."""
        wanted = _mask(chosen, len(records))
        if not self._known.keys().isdisjoint(keys) or len(set(keys)) < len(keys):
            return self._last_of_each(records, keys, fingerprints, wanted)
        new = compress(zip(keys, fingerprints, strict=True), wanted)
        entries = [Entry(key, fingerprint, last=key not in self._doubtful) for key, fingerprint in new]
        self._known.update((entry.key, entry) for entry in entries)
        to_send, unchanged = _divided(records, wanted)
        return with_entries(to_send, entries), unchanged

    def _last_of_each(
        self, records: Sequence[Record], keys: Sequence[bytes], fingerprints: Sequence[bytes], wanted: Sequence[int]
    ) -> Sifted:
        to_send: list[Record] = []
        unchanged: list[Record] = []
        for record, key, fingerprint, is_wanted in zip(records, keys, fingerprints, wanted, strict=True):
            known = self._known.get(key)
            if known is not None and known.fingerprint == fingerprint:
                if known.delivered:
                    unchanged.append(record)
                elif known.followers is None:
                    known.followers = [record]
                else:
                    known.followers.append(record)
            elif known is not None or is_wanted:
                if known is not None:
                    known.last = False
                record.entry = self._known[key] = Entry(key, fingerprint, last=key not in self._doubtful)
                to_send.append(record)
            else:
                unchanged.append(record)
        return to_send, unchanged

    def delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note the proof that records were delivered; give those that followed them."""
        entries: Sequence[Entry] = entries_of(records)
        for entry in entries:
            entry.delivered = True
            if in_doubt:
                self._doubt(entry)
        self._proven += entries
        return _taken_followers(entries)

    def given_up(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note that records were not delivered, as far as is known; give those that followed them."""
        entries: list[Entry] = [entry for entry in entries_of(records) if entry is not None]  # others: never looked up
        for entry in entries:
            if in_doubt:
                self._doubt(entry)
            self._forget(entry)
        return _taken_followers(entries)

    def proven_before(self, keys: Iterable[bytes]) -> None:
        """Note nothing: a later state may be on its way."""

    def to_mark(self, most: int) -> Proofs:
        """Give what was proven first, of so many records at most."""
        proven = self._proven[:most]
        last = [entry for entry in proven if entry.last]
        keys, fingerprints = [entry.key for entry in last], [entry.fingerprint for entry in last]
        return Proofs(len(proven), last, b"".join(keys), b"".join(fingerprints))

    def marked(self, proofs: Proofs) -> None:
        """Forget what the ledger has now."""
        del self._proven[: proofs.count]
        for entry in proofs.entries:
            self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        if self._known.get(entry.key) is entry:
            del self._known[entry.key]

    def _doubt(self, entry: Entry) -> None:
        """Believe no other state of a user in this run: what is in doubt may still arrive after it."""
        self._doubtful.add(entry.key)
        known = self._known.get(entry.key)
        if known is not None and known is not entry:
            known.last = False


def _taken_followers(entries: Iterable[Entry]) -> list[Record]:
    followers: list[Record] = []
    for entry in entries:
        if entry.followers is not None:
            followers += entry.followers
            entry.followers = None
    return followers


def _divided(records: Sequence[Record], wanted: Sequence[int]) -> tuple[Sequence[Record], Sequence[Record]]:
    """Give the records that are wanted, and the others."""
    if all(wanted):
        return records, []
    return where(records, wanted), where(records, list(map(operator.not_, wanted)))


def _mask(chosen: Iterable[int], count: int) -> bytearray:
    """Give a 1 for each index that was chosen, and a 0 for each other."""
    mask = bytearray(count)
    for index in chosen:
        mask[index] = 1
    return mask
