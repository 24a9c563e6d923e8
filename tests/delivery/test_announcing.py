"""Nothing goes that isn't announced in a file yet, whatever asks for it and whenever the file is written."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from airflow_provider_userdata.delivery.announcing import Announcements
from airflow_provider_userdata.delivery.attempt_lines import SentLine
from airflow_provider_userdata.delivery.journal import Journal

FEWEST = 4


class Lines:
    """A file's lines, that can't be appended to."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def append(self, line: bytes) -> None:
        """Keep a line."""
        self.lines.append(json.loads(line))


async def ends(waiting: asyncio.Future[None]) -> bool:
    """Let everybody go on for as long as they can, and say whether one has ended."""
    for _ in range(20):
        await asyncio.sleep(0)
    return waiting.done()


async def waits(ahead: Announcements, end: int) -> asyncio.Future[None]:
    """Ask for records to go that mustn't yet."""
    asking = asyncio.ensure_future(ahead.cover(end))
    assert not await ends(asking)
    return asking


@pytest.fixture
def lines() -> Lines:
    """Give the file."""
    return Lines()


def announcements(lines: Lines, halted: asyncio.Event | None = None) -> Announcements:
    """Announce at least four positions."""
    return Announcements(cast("Journal", lines), FEWEST, halted or asyncio.Event())


def test_what_is_written_counts_once_it_is_in_the_file(lines: Lines) -> None:
    """A line that is on its way may be lost with the process."""

    async def scenario() -> None:
        ahead = announcements(lines)
        asking = await waits(ahead, 3)
        ahead.renew(in_time=False)
        assert not await ends(asking)
        other = await waits(ahead, 2)
        ahead.kept()
        assert await ends(asking)
        assert await ends(other)

        until = lines.lines[-1]["until"]
        assert until == (ahead.until or 0) >= 3 + FEWEST
        await ahead.cover(until)
        await waits(ahead, until + 1)

    asyncio.run(scenario())


def test_of_two_parts_on_their_way_the_first_counts_first(lines: Lines) -> None:
    """A later one, that says more, may still be lost."""

    async def scenario() -> None:
        ahead = announcements(lines)
        ahead.renew(in_time=True)
        first = ahead.until or 0
        asking = await waits(ahead, first + 1)
        ahead.renew(in_time=False)
        ahead.kept()
        assert not await ends(asking)
        ahead.kept()
        assert await ends(asking)

    asyncio.run(scenario())


def test_a_part_is_wanted_where_little_is_left(lines: Lines) -> None:
    """Before the next second: or all would wait for it."""

    async def scenario() -> None:
        ahead = announcements(lines)
        wanted = asyncio.ensure_future(ahead.wanted())
        ahead.renew(in_time=True)
        ahead.kept()
        assert not await ends(wanted)
        await ahead.cover(ahead.until or 0)
        assert await ends(wanted)

    asyncio.run(scenario())


def test_a_count_is_on_record_once_it_is_in_the_file(lines: Lines) -> None:
    """A part that was written before it, and comes in after it, says nothing of it."""

    async def scenario() -> None:
        ahead = announcements(lines)
        ahead.renew(in_time=True)
        ahead.append(SentLine(again=1))
        counted = asyncio.ensure_future(ahead.on_record())
        ahead.kept()
        assert not await ends(counted)
        ahead.renew(in_time=False)
        assert not await ends(counted)
        assert not await ends(asyncio.ensure_future(ahead.on_record()))
        ahead.kept()
        assert await ends(counted)

    asyncio.run(scenario())


def test_what_is_announced_follows_what_goes(lines: Lines) -> None:
    """It covers what is asked for, doubles where it is used up before its time, and shrinks where little goes."""

    async def scenario() -> None:
        ahead = announcements(lines)
        asking = await waits(ahead, 100)
        ahead.renew(in_time=False)
        ahead.kept()
        assert await ends(asking)
        for _ in range(2):
            ahead.renew(in_time=False)
            ahead.kept()
            await ahead.cover(ahead.until or 0)
        wide = ahead.until or 0
        ahead.renew(in_time=True)
        ahead.kept()
        wider = (ahead.until or 0) - wide
        ahead.renew(in_time=True)

        assert wider > 2 * FEWEST
        assert ahead.until == wide + FEWEST

    asyncio.run(scenario())


def test_a_halt_lets_nobody_wait(lines: Lines) -> None:
    """What is halted sends nothing more: nothing has to be announced."""

    async def scenario() -> None:
        halted = asyncio.Event()
        ahead = announcements(lines, halted)
        asking = [asyncio.ensure_future(ahead.cover(3)), asyncio.ensure_future(ahead.cover(5))]
        ahead.append(SentLine(again=1))
        asking.append(asyncio.ensure_future(ahead.on_record()))
        await asyncio.sleep(0)
        halted.set()
        assert [await ends(one) for one in asking] == [True] * 3

    asyncio.run(scenario())


def test_the_end_takes_back_what_was_announced(lines: Lines) -> None:
    """Nothing goes any more, so that nothing that didn't is in doubt."""

    async def scenario() -> None:
        ahead = announcements(lines)
        ahead.renew(in_time=True)
        ahead.close()
        ahead.renew(in_time=True)
        ahead.kept()
        await waits(ahead, 1)

    asyncio.run(scenario())
    first, last = (line["until"] for line in lines.lines)
    assert first >= FEWEST > last == 0
