"""Records each request before it goes, so that a kill at any moment leaves no request uncounted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_userdata.delivery.reading import Mark
from airflow_provider_userdata.delivery.recording import Announcements, SentLine
from airflow_provider_userdata.delivery.report import Counters
from airflow_provider_userdata.delivery.resuming.doubt import Doubt
from airflow_provider_userdata.delivery.resuming.position_tracker import PositionTracker, Ranges
from airflow_provider_userdata.records import Record, ranges_of


@dataclass(eq=False, repr=False, slots=True)
class SentLog:
    """Counts the requests that go, and the records that are sent again while in doubt (A3).

    :param ahead: writes the attempt's file of what is about to be sent, and lets requests go once that is on record.
    :param doubt: what earlier attempts left in doubt.
    """

    ahead: Announcements
    tally: Counters
    progress: PositionTracker
    doubt: Doubt

    def read(self, mark: Mark) -> None:
        """Write how far the source was read."""
        self.ahead.append(SentLine(read=mark.rows, digest=mark.digest))

    def maybe_there(self, records: Sequence[Record], *, in_doubt: bool) -> int:
        """Return how many of the records the vendor may have already: sent now, they may arrive twice.

        :param in_doubt: whether this attempt has sent them, and doesn't know what became of them.
        """
        if in_doubt:
            return len(records)
        return self.doubt.count(ranges_of(records)) if self.doubt else 0

    async def announce(self, records: Sequence[Record], repeats: int) -> None:
        """Count the records that are sent again while in doubt (A3), and wait until the request may go.

        :param repeats: how many of the records may be there already.
        """
        if repeats:
            self._count_again(repeats)
            await self.ahead.on_record()
        if not self.ahead.at_once:  # elsewhere, only records that may arrive twice have to be announced
            await self.ahead.cover(max(sum(positions) for positions in ranges_of(records)))

    def take_back(self, repeats: int) -> None:
        """Take back the count of an announced request: it surely didn't arrive."""
        self._count_again(-repeats)

    def goes(self, records: Sequence[Record], size: int, *, retry: bool) -> None:
        """Record that a request goes now: its records are in doubt until an outcome is written.

        :param size: of the request's body, in bytes.
        :param retry: whether the same request went before.
        """
        self.tally.requests += 1
        self.tally.retries += retry
        self.tally.bytes += size
        positions: Ranges = [] if retry else ranges_of(records)
        self.ahead.append(SentLine(ranges=positions, bytes=size, retry=retry))  # type: ignore[arg-type]  # pairs, as lists
        self.progress.record_sent(positions)

    def answered(self, status: int | None) -> None:
        """Count how a request was answered.

        :param status: the HTTP status; None if there was no answer.
        """
        self.tally.record_answer(status)

    def returned(self, positions: Ranges) -> None:
        """Record that positions were not accepted, and wait for the next attempt."""
        self.ahead.append(SentLine(returned=positions))  # type: ignore[arg-type]  # pairs, as lists
        self.progress.record_returned(positions)

    def _count_again(self, count: int) -> None:
        if count:
            self.tally.resent += count
            self.ahead.append(SentLine(again=count))
