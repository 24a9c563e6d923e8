"""What an incremental run has in flight, or delivered and not yet marked in the ledger."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_userdata.records import Record

Sifted = tuple[Sequence[Record], Sequence[Record]]
"""The records to send, and those that are unchanged."""


class LookedUp(msgspec.Struct, frozen=True):
    """A question to a ledger about records, and its answer.

    :param keys: one for each record.
    :param fingerprints: one for each record where the ledger keeps states, else none.
    :param chosen: the indices of what the ledger doesn't have.
    """

    keys: Sequence[bytes]
    fingerprints: Sequence[bytes]
    chosen: Sequence[int]


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


class InFlight(abc.ABC):
    """Deduplicates against records in flight: a duplicate is not sent, and gets that record's outcome."""

    @property
    @abc.abstractmethod
    def unmarked(self) -> int:
        """How many delivered records the ledger doesn't have yet."""

    @abc.abstractmethod
    def divide(self, records: Sequence[Record], looked_up: LookedUp, /) -> Sifted:
        """Return the records to send, and those that are unchanged. Duplicates are kept, and are in neither."""

    @abc.abstractmethod
    def record_delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note the proof that records were delivered; return their duplicates.

        :param in_doubt: whether they may arrive once more.
        """

    @abc.abstractmethod
    def record_undelivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note that there is no proof that records were delivered; return their duplicates.

        :param in_doubt: whether they may arrive all the same.
        """

    @abc.abstractmethod
    def record_proven(self, keys: Sequence[bytes]) -> None:
        """Note what an earlier attempt delivered, and may not have marked."""

    @abc.abstractmethod
    def to_mark(self, most: int) -> Proofs:
        """Return the oldest proofs, at most `most`."""

    @abc.abstractmethod
    def marked(self, proofs: Proofs) -> None:
        """Forget what the ledger has now."""
