"""Records are looked up while those before them are sent; none is forgotten, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from airflow_provider_userdata.delivery.look_ups import LookUps
from airflow_provider_userdata.delivery.sieve import Sieve
from airflow_provider_userdata.errors import LedgerBusyError
from airflow_provider_userdata.ledger import Fingerprints
from airflow_provider_userdata.vendors.contract import Record
from airflow_provider_userdata.vendors.gerosense import GeroSense

Story = Callable[[LookUps, list[Record], asyncio.Event], Coroutine[Any, Any, None]]


class EveryOther:
    """A ledger that lacks every other record, or is locked."""

    fingerprints = Fingerprints(b"a secret of the tests' own")
    locked = False

    def open(self) -> None:
        """Open."""

    def sift(self, keys: bytes, _: bytes = b"", /) -> list[int]:
        """Give the indices of what it lacks."""
        if self.locked:
            raise LedgerBusyError("the ledger is locked")
        return list(range(0, len(keys) // 16, 2))

    def mark(self, keys: bytes, _: bytes = b"", /) -> None:
        """Mark."""

    def close(self) -> None:
        """Close."""


@pytest.fixture
def ledger() -> EveryOther:
    """Give a ledger."""
    return EveryOther()


@pytest.fixture
def tell(ledger: EveryOther) -> Callable[[Story], None]:
    """Let a story happen: with look-ups, ten records, and what halts them."""

    async def telling(story: Story) -> None:
        halted = asyncio.Event()
        sieve = Sieve(ledger, GeroSense("steps"))
        await sieve.open()
        text = b'{"device_name":"ring","start_date":"2024-05-01T08:00:0%dZ","unit":"count","value":1}'
        records = GeroSense("steps").prepare_texts([text % second for second in range(10)], range(10)).records
        await story(LookUps(sieve, halted), list(records), halted)
        await sieve.end()

    return lambda story: asyncio.run(telling(story))


def positions(records: Sequence[Record]) -> list[int]:
    """Name records."""
    return [record.position for record in records]


def test_what_comes_is_of_the_records_before(tell: Callable[[Story], None]) -> None:
    """Each call gives what the one before has begun to look up; the last gives the rest."""

    async def story(look_ups: LookUps, records: list[Record], _: asyncio.Event) -> None:
        assert await look_ups.begin(records[:4]) == ([], [])
        to_send, unchanged = await look_ups.begin(records[4:])
        assert (positions(to_send), positions(unchanged)) == ([0, 2], [1, 3])
        assert positions(look_ups.waiting) == [4, 5, 6, 7, 8, 9]
        to_send, unchanged = await look_ups.end()
        assert (positions(to_send), positions(unchanged)) == ([4, 6, 8], [5, 7, 9])
        assert (look_ups.waiting, await look_ups.end()) == ([], ([], []))

    tell(story)


def test_a_halt_leaves_the_records_waiting(tell: Callable[[Story], None]) -> None:
    """Nothing has become of what was looked up, nor of what comes after it."""

    async def story(look_ups: LookUps, records: list[Record], halted: asyncio.Event) -> None:
        await look_ups.begin(records[:4])
        halted.set()
        assert await look_ups.begin(records[4:7]) == ([], [])
        assert await look_ups.begin(records[7:]) == ([], [])
        await look_ups.give_up()
        assert positions(look_ups.waiting) == list(range(10))

    tell(story)


def test_a_ledger_that_fails_leaves_the_records_waiting(tell: Callable[[Story], None], ledger: EveryOther) -> None:
    """The error comes with the next call, and what that one brought is still the caller's."""

    async def story(look_ups: LookUps, records: list[Record], _: asyncio.Event) -> None:
        ledger.locked = True
        await look_ups.begin(records[:4])
        with pytest.raises(LedgerBusyError, match="locked"):
            await look_ups.begin(records[4:])
        assert positions(look_ups.waiting) == [0, 1, 2, 3]
        await look_ups.give_up()

    tell(story)
