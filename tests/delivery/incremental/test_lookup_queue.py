"""Records are looked up many at a time, while those before them are sent; none is forgotten, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import pytest

from airflow_provider_userdata.delivery.incremental import lookup_queue as gathering
from airflow_provider_userdata.delivery.incremental.change_filter import ChangeFilter
from airflow_provider_userdata.delivery.incremental.in_flight import Sifted
from airflow_provider_userdata.delivery.incremental.lookup_queue import LookupQueue
from airflow_provider_userdata.errors import LedgerBusyError
from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.gerosense import GeroSense

Story = Callable[[LookupQueue, list[Record], asyncio.Event], Coroutine[Any, Any, None]]


class EveryOther:
    """A ledger that lacks every other record, and is locked from some look-up's number on."""

    fingerprints = Fingerprints(b"a secret of the tests' own")
    locked_from = 1000

    def __init__(self) -> None:
        self.lookups = 0

    def open(self) -> None:
        """Open."""

    def sift(self, keys: bytes, _: bytes = b"", __: Sequence[bytes] = (), /) -> list[int]:
        """Return the indices of what it lacks."""
        self.lookups += 1
        if self.lookups >= self.locked_from:
            raise LedgerBusyError("the ledger is locked")
        return list(range(0, len(keys) // 16, 2))

    def mark_delivered(self, keys: bytes, _: bytes = b"", /) -> None:
        """Mark."""

    def close(self) -> None:
        """Close."""


@pytest.fixture
def ledger() -> EveryOther:
    """Return a ledger."""
    return EveryOther()


@pytest.fixture
def tell(ledger: EveryOther, monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """Let a story happen: with look-ups of two records at least, ten records, and what halts them."""
    monkeypatch.setattr(gathering, "LOOKED_UP_AT_ONCE", 2)
    monkeypatch.setattr(gathering, "MOST_GATHERED", 3)
    monkeypatch.setattr(gathering, "MOST_WAITING", 1)

    async def telling(story: Story) -> None:
        halted = asyncio.Event()
        changes = ChangeFilter(ledger, GeroSense("steps"))
        await changes.open()
        text = b'{"device_name":"ring","start_date":"2024-05-01T08:00:0%dZ","unit":"count","value":1}'
        records = GeroSense("steps").prepare_texts([text % second for second in range(10)], range(10)).records
        await story(LookupQueue(changes, halted), list(records), halted)
        await changes.close(asyncio.Event(), 10)

    return lambda story: asyncio.run(telling(story))


def positions(records: Sequence[Record]) -> list[int]:
    """Name records."""
    return [record.position for record in records]


async def come(found: AsyncIterator[Sifted]) -> tuple[list[int], list[int]]:
    """Name what comes: the records to be sent, and the unchanged ones."""
    sifted = [one async for one in found]
    to_send, unchanged = ([number for one in sifted for number in positions(one[part])] for part in (0, 1))
    return to_send, unchanged


def test_what_comes_is_of_the_records_before(tell: Callable[[Story], None]) -> None:
    """Each call that begins to look up gives what the one before has begun; the last gives the rest."""

    async def story(lookups: LookupQueue, records: list[Record], _: asyncio.Event) -> None:
        assert await come(lookups.take(records[:4])) == ([], [])
        assert positions(lookups.waiting) == [0, 1, 2, 3]
        assert await come(lookups.take(records[4:])) == ([0, 2], [1, 3])
        assert positions(lookups.waiting) == [4, 5, 6, 7, 8, 9]
        assert await come(lookups.flush()) == ([4, 6, 8], [5, 7, 9])
        assert (lookups.waiting, await come(lookups.flush())) == ([], ([], []))

    tell(story)


def test_few_are_gathered_until_they_are_many(tell: Callable[[Story], None], ledger: EveryOther) -> None:
    """What is too little to be looked up waits for more, in its order; the end waits for none."""

    async def story(lookups: LookupQueue, records: list[Record], _: asyncio.Event) -> None:
        assert await come(lookups.take(records[:1])) == ([], [])
        assert (ledger.lookups, positions(lookups.waiting)) == (0, [0])
        await come(lookups.take(records[1:4]))
        assert await come(lookups.take(records[4:9])) == ([0, 2], [1, 3])
        await come(lookups.take(records[9:]))
        assert positions(lookups.waiting) == [4, 5, 6, 7, 8, 9]
        assert await come(lookups.flush()) == ([4, 6, 8, 9], [5, 7])
        assert ledger.lookups == 3

    tell(story)


def test_what_comes_in_small_parts_is_not_gathered_for_ever(
    tell: Callable[[Story], None], ledger: EveryOther, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records may be large: however few they are, they are looked up when they came in some parts."""

    async def story(lookups: LookupQueue, records: list[Record], _: asyncio.Event) -> None:
        monkeypatch.setattr(gathering, "LOOKED_UP_AT_ONCE", 1000)
        for start in range(0, 9, 3):
            await come(lookups.take(records[start : start + 3]))
        await come(lookups.take(records[9:]))
        await asyncio.sleep(0)
        assert await come(lookups.flush()) == ([0, 2, 4, 6, 8, 9], [1, 3, 5, 7])
        assert ledger.lookups == 2

    tell(story)


def test_a_halt_leaves_the_records_waiting(tell: Callable[[Story], None]) -> None:
    """Nothing has become of what was being looked up, nor of what comes after it."""

    async def story(lookups: LookupQueue, records: list[Record], halted: asyncio.Event) -> None:
        await come(lookups.take(records[:4]))
        halted.set()
        assert await come(lookups.take(records[4:7])) == ([], [])
        assert await come(lookups.take(records[7:])) == ([], [])
        assert await come(lookups.flush()) == ([], [])
        await lookups.cancel()
        assert positions(lookups.waiting) == list(range(10))

    tell(story)


def test_a_ledger_that_fails_leaves_the_records_waiting(tell: Callable[[Story], None], ledger: EveryOther) -> None:
    """What was found before comes first, then the error; its records wait, and all that come after them."""

    async def story(lookups: LookupQueue, records: list[Record], _: asyncio.Event) -> None:
        ledger.locked_from = 2
        await come(lookups.take(records[:2]))
        assert await come(lookups.take(records[2:5])) == ([0], [1])
        for more in (records[5:7], records[7:]):
            with pytest.raises(LedgerBusyError, match="locked"):
                await come(lookups.take(more))
        assert positions(lookups.waiting) == list(range(2, 10))
        await lookups.cancel()
        assert positions(lookups.waiting) == list(range(2, 10))

    tell(story)
