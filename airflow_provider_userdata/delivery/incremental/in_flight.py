"""What an incremental run has under way, or proven and not yet marked."""

from __future__ import annotations

import abc
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from airflow_provider_userdata.records import Keys, Record, where

Sifted = tuple[Sequence[Record], Sequence[Record]]
"""The records to be sent, and those that are unchanged."""


class LookedUp(msgspec.Struct, frozen=True):
    """What a ledger was asked about records, and what it said.

    :param keys: of each record.
    :param fingerprints: of each, where states are kept.
    :param chosen: the indices of what the ledger doesn't have.
    :param span: the least and the greatest of their contents, where those rise: no two are alike then.
    """

    keys: Keys
    fingerprints: Keys
    chosen: Sequence[int]
    span: tuple[bytes, bytes] | None = None


class Proofs(msgspec.Struct, frozen=True):
    """What is marked in one go.

    :param count: of how many deliveries.
    :param entries: what the ledger is told, as it was noted: fewer, where a delivery no longer counts.
    :param keys: theirs, joined.
    :param fingerprints: as many, of states.
    """

    count: int
    entries: Sequence[Any]
    keys: bytes
    fingerprints: bytes = b""


class InFlight(abc.ABC):
    """Finds what says the same as something that is under way: it isn't sent, but follows, and shares its fate."""

    @property
    @abc.abstractmethod
    def unmarked(self) -> int:
        """How many records were delivered that the ledger doesn't have yet."""

    @abc.abstractmethod
    def divide(self, records: Sequence[Record], looked_up: LookedUp, /) -> Sifted:
        """Give the records to be sent, and those that are unchanged; what follows another is in neither."""

    @abc.abstractmethod
    def delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note the proof that records were delivered; give those that followed them."""

    @abc.abstractmethod
    def given_up(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:
        """Note that records were not delivered, as far as is known; give those that followed them."""

    @abc.abstractmethod
    def proven_before(self, keys: Keys) -> None:
        """Note what an attempt before has delivered, and may not have marked."""

    @abc.abstractmethod
    def to_mark(self, most: int) -> Proofs:
        """Give what was proven first, of about so many records at most."""

    @abc.abstractmethod
    def marked(self, proofs: Proofs) -> None:
        """Forget what the ledger has now."""


def divided(records: Sequence[Record], wanted: Sequence[int]) -> Sifted:
    """Give the records that are wanted, and the others."""
    if all(wanted):
        return records, []
    return where(records, wanted), where(records, list(map(operator.not_, wanted)))


def mask(chosen: Iterable[int], count: int) -> bytearray:
    """Give a 1 for each index that was chosen, and a 0 for each other."""
    wanted = bytearray(count)
    for index in chosen:
        wanted[index] = 1
    return wanted
