"""What a request may carry, as a vendor's 413s teach it (A4): records, bytes, or both; nobody says which. No I/O."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.vendors import Vendor

SMALLER = 0.1
"""By such a share a request is smaller than what was refused, at least, unless as much was accepted."""


class _Size(NamedTuple):
    records: float
    bytes: float


_NONE, _ANY = _Size(0, 0), _Size(math.inf, math.inf)


class Sizes:
    """Cuts batches to what the vendor takes, once it has refused one for its size.

    A part that is refused is halved until one is accepted; batches after it are cut into as few even parts as fit well
    below the smallest that was refused. So each refusal brings the two nearer, until nothing lies between them.

    :param vendor: says what a batch is sent as, and how few records a request may have (G3).
    """

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._accepted = _NONE  # the most records, and the most bytes
        self._most = _ANY  # the fewest records, and the fewest bytes, that are too many whatever the other
        self._either = _ANY  # one of these two is too many, nobody knows which

    def accepted(self, records: int, size: int) -> None:
        """Note a request that was not too large.

        :param size: its bytes.
        """
        self._accepted = _Size(max(self._accepted.records, records), max(self._accepted.bytes, size))
        if records >= self._most.records or size >= self._most.bytes:
            self._most = _ANY  # more is taken than was before
        self._weigh()

    def refused(self, records: int, size: int) -> None:
        """Note a request that was too large."""
        if records <= self._accepted.records and size <= self._accepted.bytes:
            self._accepted = _NONE  # less is taken than was before
        self._either = _Size(min(self._either.records, records), min(self._either.bytes, size))
        self._weigh()

    def _weigh(self) -> None:
        """Tell which of the two it was, where the other was accepted as large."""
        if self._either == _ANY:
            return
        records, size = self._either
        many, long = records <= self._accepted.records, size <= self._accepted.bytes
        if many and not long:
            self._most = self._most._replace(bytes=min(self._most.bytes, size))
        elif long and not many:
            self._most = self._most._replace(records=min(self._most.records, records))
        if many or long:
            self._either = _ANY

    def parts(self, batch: Batch, fewest: int = 1) -> list[Batch]:
        """Cut a batch evenly into as few parts as may be sent, none below the vendor's minimum.

        :param fewest: so many, at least, where they can be made.
        """
        if fewest == 1 and self._most == self._either == _ANY:
            return [batch]
        most = max(1, len(batch) // self._vendor.limits.minimum)
        size, count = self._vendor.request(batch).size, min(fewest, most)
        while count < most and self._is_too_large(math.ceil(len(batch) / count), size / count):
            count += 1
        ends = [len(batch) * place // count for place in range(count + 1)]
        return [batch[start:end] for start, end in pairwise(ends)]

    def _is_too_large(self, records: float, size: float) -> bool:
        alone, both = _tried(self._accepted, self._most), _tried(self._accepted, self._either)
        return records > alone.records or size > alone.bytes or (records > both.records and size > both.bytes)


def _tried(accepted: _Size, refused: _Size) -> _Size:
    """Return the most that is sent."""
    return _Size(*(max(most, (1 - SMALLER) * too_much) for most, too_much in zip(accepted, refused, strict=True)))
