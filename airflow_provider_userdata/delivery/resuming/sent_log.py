"""What is about to be sent, on record before it goes: a kill at any instant leaves no request uncounted."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_userdata.delivery.reading import Mark
from airflow_provider_userdata.delivery.recording import Announcements, SentLine
from airflow_provider_userdata.delivery.report import Counters
from airflow_provider_userdata.delivery.resuming.position_tracker import PositionTracker, Ranges
from airflow_provider_userdata.records import Record, ranges_of


class SentLog:
    """Counts requests, and what may arrive twice, as they go.

    :param ahead: writes the attempt's file of what was about to be sent, and lets go what it has said.
    """

    def __init__(self, ahead: Announcements, tally: Counters, progress: PositionTracker) -> None:
        self._ahead = ahead
        self._tally = tally
        self._progress = progress
        self.shows_at_once = ahead.at_once
        """Whether nothing has to be announced but what may arrive twice."""

    def read(self, mark: Mark) -> None:
        """Write how far the source was read."""
        self._ahead.append(SentLine(read=mark.rows, digest=mark.digest))

    def doubtful(self, records: Sequence[Record]) -> int:
        """Return how many of the records an earlier attempt may have delivered."""
        return self._progress.count_in_doubt(ranges_of(records)) if self._progress.any_in_doubt else 0

    async def announce(self, records: Sequence[Record], repeats: int) -> None:
        """Count records that are about to be sent once more while in doubt (A3), and wait until all may go.

        :param repeats: how many of the records may be there already.
        """
        if repeats:
            self._count_again(repeats)
            await self._ahead.on_record()
        if not self.shows_at_once:
            await self._ahead.cover(max(sum(positions) for positions in ranges_of(records)))

    def take_back(self, repeats: int) -> None:
        """Count no longer what was announced, for it surely didn't arrive."""
        self._count_again(-repeats)

    def goes(self, records: Sequence[Record], size: int, *, retry: bool) -> None:
        """Write that a request goes now: should nothing more be written of its records, they are in doubt.

        :param size: of the request's body, in bytes.
        :param retry: whether the same request went before.
        """
        self._tally.requests += 1
        self._tally.retries += retry
        self._tally.bytes += size
        positions: Ranges = [] if retry else ranges_of(records)
        self._ahead.append(SentLine(ranges=positions, bytes=size, retry=retry))  # type: ignore[arg-type]  # pairs, as lists
        self._progress.sent(positions)

    def returned(self, positions: Ranges) -> None:
        """Write that records were not accepted, and wait for the next attempt."""
        self._ahead.append(SentLine(returned=positions))  # type: ignore[arg-type]  # pairs, as lists
        self._progress.returned(positions)

    def _count_again(self, count: int) -> None:
        if count:
            self._tally.resent += count
            self._ahead.append(SentLine(again=count))
