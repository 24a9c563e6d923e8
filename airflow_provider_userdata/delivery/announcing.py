"""Says ahead what may be sent, where what is written shows only later: an object store can't be appended to.

A part is written once a second, so that a kill loses the lines of the second before. Each part says up to which
position records may go until the next one, and none goes that isn't covered. What a killed attempt had announced is in
doubt, if nothing else is known of it.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from airflow_provider_userdata.delivery.attempt_lines import SentLine
from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.journal import Journal, LocalJournal

SECONDS_AHEAD = 2
"""So many times what went since the last part is announced: what goes until the next one is there, and some more."""

_encode = msgspec.json.Encoder().encode


class Announcements:
    """Lets records go once it stands in a file that they may. Used inside the loop.

    The window doubles where it is nearly used up before its time, and follows what goes otherwise.

    :param journal: the attempt's file of what was about to be sent.
    :param fewest: how many positions are announced at least.
    :param halted: set when nothing may be sent any more.
    """

    def __init__(self, journal: Journal, fewest: int, halted: asyncio.Event) -> None:
        self._journal = journal
        self._halted = halted
        self._fewest = fewest
        self._ahead = fewest
        self.at_once = isinstance(journal, LocalJournal)
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
        """Whether nothing goes any more."""
        self.until: int | None = None if self.at_once else 0
        """Positions below this one may go, as far as it was said; None where each line shows at once."""

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

    async def wanted(self) -> None:
        """Wait until a part is wanted before its time."""
        await self._wanted.wait()
        self._wanted.clear()

    def renew(self, *, in_time: bool) -> None:
        """Write what may go until the next part: the journal is to be sealed, flushed, and `kept` called.

        :param in_time: whether a second has passed since the last time, or somebody couldn't wait.
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
        """Note that what was first announced, and not kept yet, is in the file now."""
        if self.at_once:
            return
        until, self._lines_kept = self._on_their_way.popleft()
        self._covered = min([until, *(later for later, _ in self._on_their_way)])
        self._news.set()

    def close(self) -> None:
        """Announce nothing more: nothing goes any more."""
        self.closed = True
