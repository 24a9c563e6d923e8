"""Announces what may be sent, for object stores, where a file can't be appended to.

A part is written once a second, so a kill loses the lines of the last second. Each part says up to which position
records may go until the next part, and no record beyond it goes. Records that a killed attempt had announced are in
doubt if nothing else is known of them.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.recording.append_log import AppendLog, LocalLog
from airflow_provider_userdata.delivery.recording.attempt_lines import SentLine

SECONDS_AHEAD = 2
"""How much is announced, as a multiple of what went since the last part: enough until the next one is there."""

_encode = msgspec.json.Encoder().encode


class Announcements:
    """Lets records go once a file says that they may. Used on the loop.

    The window doubles if it is nearly used up early; otherwise it follows the rate of sending.

    :param journal: the attempt's file of what was about to be sent.
    :param fewest: the least number of positions to announce.
    :param halted: set when nothing may be sent any more.
    """

    def __init__(self, journal: AppendLog, fewest: int, halted: asyncio.Event) -> None:
        self._journal = journal
        self._halted = halted
        self._fewest = fewest
        self._ahead = fewest
        self.at_once = isinstance(journal, LocalLog)
        """Whether a line shows as soon as it is written."""
        self._let_through = 0
        self._let_through_before = 0
        self._asked_for = 0
        self._covered = 0
        self._lines = 0
        self._lines_kept = 0
        self._on_their_way: deque[tuple[int, int]] = deque()
        self._news = asyncio.Event()
        self._wanted = asyncio.Event()
        self.closed = False
        """Whether nothing more goes."""
        self.until: int | None = None if self.at_once else 0
        """Positions below this one may go, as announced; None if each line shows at once."""

    def append(self, line: SentLine) -> None:
        """Write a line."""
        self._lines += 1
        self._journal.append(_encode(line))

    async def cover(self, end: int) -> None:
        """Wait until records below a position may go, or the delivery was halted."""
        self._asked_for = max(self._asked_for, end)
        if self._is_nearly_used_up():
            self._wanted.set()
        while end > self._covered and not self._halted.is_set():
            self._news.clear()
            await unless_set(self._halted, self._news.wait())
        self._let_through = max(self._let_through, end)

    async def on_record(self) -> None:
        """Wait until all lines so far are in the file, or the delivery was halted."""
        lines = self._lines
        while not self.at_once and lines > self._lines_kept and not self._halted.is_set():
            self._wanted.set()
            self._news.clear()
            await unless_set(self._halted, self._news.wait())

    async def write_as_wanted(self, file_thread: BlockingThread) -> None:
        """Write a part whenever a request can't wait for the next second, without end.

        :raises OutputError: if it can't be written.
        """
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self.renew(in_time=False)
            self._journal.seal()
            await file_thread.call(self._journal.flush)
            self.kept()

    def renew(self, *, in_time: bool) -> None:
        """Announce what may go until the next part. Afterwards, seal and flush the journal, and call `kept`.

        :param in_time: whether a second has passed since the last time; False if a request couldn't wait.
        """
        if self.at_once:
            return
        if self._is_nearly_used_up():
            self._ahead *= 2
        elif in_time:
            gone = self._let_through - self._let_through_before
            self._ahead = max(self._fewest, SECONDS_AHEAD * gone)
        if in_time:
            self._let_through_before = self._let_through
        until = 0 if self.closed else self._asked_for + self._ahead
        if until != self.until:
            self.append(SentLine(until=until))
            self.until = until
            self._covered = min(self._covered, until)
        self._on_their_way.append((until, self._lines))

    def _is_nearly_used_up(self) -> bool:
        return self._asked_for + self._ahead // 4 > self._covered

    def kept(self) -> None:
        """Note that the oldest announcement that was on its way is now in the file."""
        if self.at_once:
            return
        until, self._lines_kept = self._on_their_way.popleft()
        self._covered = min([until, *(later for later, _ in self._on_their_way)])
        self._news.set()

    def close(self) -> None:
        """Announce nothing more: nothing more goes."""
        self.closed = True
