"""A valid record that is to be sent."""

from __future__ import annotations

from typing import Any

import msgspec


class Record(msgspec.Struct, gc=False):
    """A valid record that is to be sent.

    :param body: the record as it is sent, encoded once.
    :param group: only records of one group share a request (Ptengine: the set of keys).
    :param user: the user that the record is about, where the vendor's rules or receipts need it.
    :param position: its number in the source, from 0; set by the delivery.
    :param row: the row as the source gave it, for the rejects file; set by the delivery.
    :param entry: what identifies it in the ledger of an incremental run; set by the delivery.
    """

    body: bytes
    group: tuple[str, ...] = ()
    user: str | None = None
    position: int = -1
    row: Any = None
    entry: Any = None
