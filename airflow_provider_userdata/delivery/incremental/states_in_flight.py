"""Users' states: those in flight, and those delivered and not yet marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_userdata.delivery.incremental.in_flight import LookedUp, Proofs, Sifted
from airflow_provider_userdata.records import Record, entries_of, where, with_entries


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
    """Deduplicates against states in flight: a duplicate is not sent, and gets that state's outcome.

    `Record.entry` is an `Entry`. Only a user's latest state is marked: while a later one may be in flight, an earlier
    one is not, even if it was delivered.
    """

    def __init__(self) -> None:
        self._latest: dict[bytes, Entry] = {}
        self._proven: list[Entry] = []  # in the order of the proofs
        self._in_doubt: set[bytes] = set()  # keys of users

    @property
    def unmarked(self) -> int:
        """How many delivered records the ledger doesn't have yet."""
        return len(self._proven)

    def divide(self, records: Sequence[Record], looked_up: LookedUp, /) -> Sifted:
        """Return the records to send, and those that are unchanged. Duplicates are kept, and are in neither."""
        keys, chosen = looked_up.keys, set(looked_up.chosen)
        to_send, unchanged = bytearray(len(keys)), bytearray(len(keys))
        entries: list[Entry] = []
        for index, (key, fingerprint) in enumerate(zip(keys, looked_up.fingerprints, strict=True)):
            known = self._latest.get(key)
            if known is None and index not in chosen:
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
        """Note the proof that records were delivered; return their duplicates.

        :param in_doubt: whether they may arrive once more.
        """
        entries = _entries(records)
        for entry in entries:
            entry.delivered = True
            if in_doubt:
                self._doubt(entry)
        self._proven += entries
        return _take_duplicates(entries)

    def record_undelivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note that there is no proof that records were delivered; return their duplicates.

        :param in_doubt: whether they may arrive all the same.
        """
        entries = _entries(records)
        for entry in entries:
            if in_doubt:
                self._doubt(entry)
            self._forget(entry)
        return _take_duplicates(entries)

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


def _entries(records: Sequence[Record]) -> list[Entry]:
    """Return the entries of records; those that were not looked up have none."""
    return [entry for entry in entries_of(records) if entry is not None]


def _take_duplicates(entries: Iterable[Entry]) -> list[Record]:
    duplicates: list[Record] = []
    for entry in entries:
        if entry.duplicates is not None:
            duplicates += entry.duplicates
            entry.duplicates = None
    return duplicates
