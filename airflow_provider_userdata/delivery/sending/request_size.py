"""The largest request that a vendor accepts, in records or bytes, learned from its 413s (A4). No I/O."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.vendors import Vendor

SMALLER = 0.1
"""The share by which a request is smaller than a refused one, at least, unless one of its size was accepted."""


class _Size(NamedTuple):
    records: float
    bytes: float


_NONE, _ANY = _Size(0, 0), _Size(math.inf, math.inf)


class Sizes:
    """Splits batches into requests that the vendor accepts, once it has refused one for its size.

    A refused part is halved until one is accepted. Later batches are split evenly into the fewest parts that are well
    below the smallest refused request. So each refusal narrows the range between what is accepted and refused.

    :param vendor: builds the request of a batch, and knows the fewest records of a request (G3).
    """

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._accepted = _NONE  # the most records, and the most bytes, that were accepted
        self._most = _ANY  # the fewest records, and the fewest bytes, known to be too many
        self._either = _ANY  # one of these two is too many; a 413 doesn't say which

    def accepted(self, records: int, size: int) -> None:
        """Learn how many records, and how many bytes, a request had that was accepted."""
        self._accepted = _Size(max(self._accepted.records, records), max(self._accepted.bytes, size))
        if records >= self._most.records or size >= self._most.bytes:
            self._most = _ANY  # the limit has risen
        self._weigh()

    def refused(self, records: int, size: int) -> None:
        """Learn how many records, and how many bytes, a request had that was too large."""
        if records <= self._accepted.records and size <= self._accepted.bytes:
            self._accepted = _NONE  # the limit has fallen
        self._either = _Size(min(self._either.records, records), min(self._either.bytes, size))
        self._weigh()

    def _weigh(self) -> None:
        """Find out which of the two was too many: not the one of which as many were accepted."""
        records, size = self._either
        many, long = records <= self._accepted.records, size <= self._accepted.bytes
        if many and not long:
            self._most = self._most._replace(bytes=min(self._most.bytes, size))
        elif long and not many:
            self._most = self._most._replace(records=min(self._most.records, records))
        if many or long:
            self._either = _ANY

    def parts(self, batch: Batch, fewest: int = 1) -> list[Batch]:
        """Split a batch evenly into the fewest parts that may be sent, none below the vendor's minimum.

        :param fewest: the fewest parts, if the minimum allows as many.
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
    """Return the largest size to try: what was accepted, or somewhat less than what was refused."""
    return _Size(*(max(most, (1 - SMALLER) * too_much) for most, too_much in zip(accepted, refused, strict=True)))
