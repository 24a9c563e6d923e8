"""Records that the ledger keeps as a whole: those in flight, and those delivered and not yet marked."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import compress

from airflow_provider_userdata.delivery.incremental.in_flight import LookedUp, Proofs, Sifted
from airflow_provider_userdata.records import Record, entries_of, where, with_entries


class RecordsInFlight:
    """Deduplicates against records in flight: a duplicate is not sent, and gets that record's outcome.

    `Record.entry` is the key.
    """

    def __init__(self) -> None:
        self._known: set[bytes] = set()  # in flight, or proven
        self._proven: list[bytes] = []  # in the order of the proofs
        self._duplicates: dict[bytes, list[Record]] = {}

    @property
    def unmarked(self) -> int:
        """How many delivered records the ledger doesn't have yet."""
        return len(self._proven)

    def divide(self, records: Sequence[Record], looked_up: LookedUp, /) -> Sifted:
        """Return the records to send, and those that are unchanged. Duplicates are kept, and are in neither."""
        keys, unchanged = looked_up.keys, records[:0]
        if len(looked_up.chosen) < len(records):
            is_new = bytearray(len(records))
            for index in looked_up.chosen:
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
        keys = _keys(records)
        self._proven += keys
        return self._duplicates_of(keys)

    def record_undelivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:  # noqa: ARG002  # for states
        """Note that there is no proof that records were delivered; return their duplicates."""
        keys = _keys(records)
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


def _keys(records: Sequence[Record]) -> list[bytes]:
    """Return the keys of records; those that were not looked up have none."""
    return [key for key in entries_of(records) if key is not None]
