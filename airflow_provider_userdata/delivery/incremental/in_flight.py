"""Deduplicates against what is in flight, or delivered and not yet marked in the ledger.

A duplicate is not sent, and gets the outcome of the record that is.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any

import msgspec

from airflow_provider_userdata.records import Record, entries_of, where, with_entries

Sifted = tuple[Sequence[Record], Sequence[Record]]
"""The records to send, and those that are unchanged."""


class Proofs(msgspec.Struct, frozen=True):
    """Deliveries that are marked in one step.

    :param count: the number of deliveries.
    :param entries: what is written to the ledger, as it was noted; fewer where a delivery no longer counts.
    :param keys: the entries' keys, joined.
    :param fingerprints: the entries' fingerprints, joined, where the ledger keeps states.
    """

    count: int
    entries: Sequence[Any]
    keys: bytes
    fingerprints: bytes = b""


class RecordsInFlight:
    """Records that the ledger keeps as a whole. `Record.entry` is the key."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()  # in flight, or proven
        self._proven: list[bytes] = []  # in the order of the proofs
        self._duplicates: dict[bytes, list[Record]] = {}

    @property
    def unmarked(self) -> int:
        """How many delivered records the ledger doesn't have yet."""
        return len(self._proven)

    def divide(
        self,
        records: Sequence[Record],
        keys: Sequence[bytes],
        fingerprints: Sequence[bytes],  # noqa: ARG002  # for states
        chosen: Sequence[int],
    ) -> Sifted:
        """Return the records to send, and those that are unchanged. Duplicates are kept, and are in neither.

        :param chosen: the indices of what the ledger doesn't have.
        """
        unchanged = records[:0]
        if len(chosen) < len(records):
            is_new = bytearray(len(records))
            for index in chosen:
                is_new[index] = 1
            unchanged = where(records, bytearray(map(operator.not_, is_new)))
            records, keys = where(records, is_new), list(compress(keys, is_new))
        new = set(keys)
        if len(new) < len(keys) or not new.isdisjoint(self._known):
            return self._divide_one_by_one(records, keys, unchanged)
        self._known |= new
        return with_entries(records, keys), unchanged

    def _divide_one_by_one(
        self, records: Sequence[Record], keys: Sequence[bytes], unchanged: Sequence[Record]
    ) -> Sifted:
        """Divide records that the ledger doesn't have, where some are duplicates."""
        to_send: list[Record] = []
        unchanged = list(unchanged)
        proven = set(self._proven)
        for record, key in zip(records, keys, strict=True):
            if key not in self._known:
                record.entry = key
                self._known.add(key)
                to_send.append(record)
            elif key in proven:
                unchanged.append(record)
            else:
                self._duplicates.setdefault(key, []).append(record)
        return to_send, unchanged

    def record_delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:  # noqa: ARG002  # for states
        """Note the proof that records were delivered; return their duplicates."""
        keys = _noted(records)
        self._proven += keys
        return self._duplicates_of(keys)

    def record_undelivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:  # noqa: ARG002  # for states
        """Note that there is no proof that records were delivered; return their duplicates."""
        keys = _noted(records)
        self._known.difference_update(keys)
        return self._duplicates_of(keys)

    def record_proven(self, keys: Sequence[bytes]) -> None:
        """Note what an earlier attempt delivered, and may not have marked."""
        self._known.update(keys)
        self._proven += keys

    def to_mark(self, most: int) -> Proofs:
        """Return the oldest proofs, at most `most`."""
        keys = self._proven[:most]
        return Proofs(len(keys), keys, b"".join(keys))

    def marked(self, proofs: Proofs) -> None:
        """Forget what the ledger has now."""
        del self._proven[: proofs.count]
        self._known.difference_update(proofs.entries)

    def _duplicates_of(self, keys: Sequence[bytes]) -> list[Record]:
        if not self._duplicates:
            return []
        return [record for key in keys for record in self._duplicates.pop(key, ())]


class Entry(msgspec.Struct, eq=False, gc=False):
    """A user's state that is sent, from the lookup until it is marked or given up.

    :param duplicates: records that came later with the same state: they get this one's outcome.
    :param delivered: whether there is proof.
    :param latest: whether the vendor has this state in the end, once it is delivered: no other state of the user can
        arrive after it.
    """

    key: bytes
    fingerprint: bytes
    duplicates: list[Record] | None = None
    delivered: bool = False
    latest: bool = True


class StatesInFlight:
    """Users' states. `Record.entry` is an `Entry`.

    Only a user's latest state is marked: while a later one may be in flight, an earlier one is not, even if it was
    delivered.
    """

    def __init__(self) -> None:
        self._latest: dict[bytes, Entry] = {}
        self._proven: list[Entry] = []  # in the order of the proofs
        self._in_doubt: set[bytes] = set()  # keys of users

    @property
    def unmarked(self) -> int:
        """How many delivered records the ledger doesn't have yet."""
        return len(self._proven)

    def divide(
        self, records: Sequence[Record], keys: Sequence[bytes], fingerprints: Sequence[bytes], chosen: Sequence[int]
    ) -> Sifted:
        """Return the records to send, and those that are unchanged. Duplicates are kept, and are in neither.

        :param chosen: the indices of what the ledger doesn't have.
        """
        new = set(chosen)
        to_send, unchanged = bytearray(len(keys)), bytearray(len(keys))
        entries: list[Entry] = []
        for index, (key, fingerprint) in enumerate(zip(keys, fingerprints, strict=True)):
            known = self._latest.get(key)
            if known is None and index not in new:
                unchanged[index] = 1
            elif known is None or known.fingerprint != fingerprint:
                if known is not None:
                    known.latest = False
                self._latest[key] = entry = Entry(key, fingerprint, latest=key not in self._in_doubt)
                entries.append(entry)
                to_send[index] = 1
            elif known.delivered:
                unchanged[index] = 1
            elif known.duplicates is None:
                known.duplicates = [records[index]]
            else:
                known.duplicates.append(records[index])
        return with_entries(where(records, to_send), entries), where(records, unchanged)

    def record_delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note the proof that records were delivered; return their duplicates."""
        entries = _noted(records)
        for entry in entries:
            entry.delivered = True
            if in_doubt:
                self._doubt(entry)
        self._proven += entries
        return _duplicates_of(entries)

    def record_undelivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note that there is no proof that records were delivered; return their duplicates."""
        entries = _noted(records)
        for entry in entries:
            if in_doubt:
                self._doubt(entry)
            self._forget(entry)
        return _duplicates_of(entries)

    def record_proven(self, keys: Sequence[bytes]) -> None:
        """Note nothing: a later state of the users may be in flight."""

    def to_mark(self, most: int) -> Proofs:
        """Return the oldest proofs, at most `most`; of them, only the latest states are entered."""
        proven = self._proven[:most]
        latest = [entry for entry in proven if entry.latest]
        keys, fingerprints = [entry.key for entry in latest], [entry.fingerprint for entry in latest]
        return Proofs(len(proven), latest, b"".join(keys), b"".join(fingerprints))

    def marked(self, proofs: Proofs) -> None:
        """Forget what the ledger has now."""
        del self._proven[: proofs.count]
        for entry in proofs.entries:
            self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        if self._latest.get(entry.key) is entry:
            del self._latest[entry.key]

    def _doubt(self, entry: Entry) -> None:
        """Mark no other state of the user in this run: the one in doubt may still arrive after it."""
        self._in_doubt.add(entry.key)
        known = self._latest.get(entry.key)
        if known is not None and known is not entry:
            known.latest = False


def _noted(records: Sequence[Record]) -> list[Any]:
    """Return the entries of records; those that were not looked up have none."""
    return [entry for entry in entries_of(records) if entry is not None]


def _duplicates_of(entries: Iterable[Entry]) -> list[Record]:
    """Take the entries' duplicates: their records are large, and an entry stays until it is marked."""
    found: list[Record] = []
    for entry in entries:
        found += entry.duplicates or ()
        entry.duplicates = None
    return found
