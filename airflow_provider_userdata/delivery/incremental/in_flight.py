"""What passes between the ledger and the records in flight: answers to lookups, and deliveries to be marked."""

from __future__ import annotations

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
