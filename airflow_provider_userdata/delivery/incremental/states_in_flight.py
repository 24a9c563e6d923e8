"""Of users' states: what an incremental run has under way, or proven and not yet marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress

import msgspec

from airflow_provider_userdata.delivery.incremental.in_flight import InFlight, LookedUp, Proofs, Sifted, divided, mask
from airflow_provider_userdata.records import Keys, Record, entries_of, with_entries


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


class StatesInFlight(InFlight):
    """Of users' states. `Record.entry` is an `Entry`.

    Of a user's states the last one counts: an earlier one is never marked, though it was delivered, while a later one
    may be on its way.
    """

    def __init__(self) -> None:
        self._proven: list[Entry] = []  # by time, nearly the source's order: the ledger is faster for it
        self._known: dict[bytes, Entry] = {}
        self._doubtful: set[bytes] = set()

    @property
    def unmarked(self) -> int:
        """How many records were delivered that the ledger doesn't have yet."""
        return len(self._proven)

    def divide(self, records: Sequence[Record], looked_up: LookedUp, /) -> Sifted:
        """Give the records to be sent, and those that are unchanged; what follows another is in neither."""
        keys, fingerprints = list(looked_up.keys), list(looked_up.fingerprints)
        wanted = mask(looked_up.chosen, len(records))
        if not self._known.keys().isdisjoint(keys) or len(set(keys)) < len(keys):
            return self._last_of_each(records, keys, fingerprints, wanted)
        new = compress(zip(keys, fingerprints, strict=True), wanted)
        entries = [Entry(key, fingerprint, last=key not in self._doubtful) for key, fingerprint in new]
        self._known.update((entry.key, entry) for entry in entries)
        to_send, unchanged = divided(records, wanted)
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

    def proven_before(self, keys: Keys) -> None:
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
