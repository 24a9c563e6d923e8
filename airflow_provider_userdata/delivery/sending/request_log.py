"""What is noted of a request on its way: of one with records, all of it; of any other, nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from airflow_provider_userdata.delivery.resuming import SentLog
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import Meaning, took_nothing


class RequestLog(Protocol):
    """Notes what happens to one request.

    :param has_records: whether the request carries records, which may not be sent twice everywhere.
    """

    has_records: bool

    async def announce(self) -> None:
        """Wait until the request may go."""

    def take_back(self) -> None:
        """Note that it doesn't go."""

    def goes(self, size: int, *, retry: bool) -> None:
        """Note that it goes."""

    def answered(self, status: int | None) -> None:
        """Note its answer's status; None if there was no answer."""

    def means(self, meaning: Meaning) -> None:
        """Note what its answer means."""

    def is_in_doubt(self) -> None:
        """Note that it may have been accepted."""


class RecordsLog:
    """Counts records that may arrive twice, and marks them as in flight.

    :param in_doubt: whether this attempt sent the records before, and doesn't know what became of them.
    """

    has_records = True

    def __init__(self, sent: SentLog, records: Sequence[Record], *, in_doubt: bool) -> None:
        self._sent = sent
        self._records = records
        self._maybe_there = sent.maybe_there(records, in_doubt=in_doubt)

    async def announce(self) -> None:
        """Count the records that may be there already, and wait until the request may go."""
        await self._sent.announce(self._records, self._maybe_there)

    def take_back(self) -> None:
        """Take back that count."""
        self._sent.take_back(self._maybe_there)

    def goes(self, size: int, *, retry: bool) -> None:
        """Mark the records as in flight."""
        self._sent.goes(self._records, size, retry=retry)

    def answered(self, status: int | None) -> None:
        """Count how the request was answered."""
        self._sent.answered(status)

    def means(self, meaning: Meaning) -> None:
        """Take back the count of records that surely didn't arrive."""
        if self._maybe_there and took_nothing(meaning):
            self._sent.take_back(self._maybe_there)

    def is_in_doubt(self) -> None:
        """Count all records with the next announcement: any of them may be there."""
        self._maybe_there = self._sent.maybe_there(self._records, in_doubt=True)


class NoLog:
    """Notes nothing: the request has no records."""

    has_records = False

    async def announce(self) -> None:
        """Let it go."""

    def take_back(self) -> None:
        """Note nothing."""

    def goes(self, size: int, *, retry: bool) -> None:
        """Note nothing."""

    def answered(self, status: int | None) -> None:
        """Note nothing."""

    def means(self, meaning: Meaning) -> None:
        """Note nothing."""

    def is_in_doubt(self) -> None:
        """Note nothing."""
