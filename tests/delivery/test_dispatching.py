"""Batches go in their order as places come free, and some wait ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.batching import Batch
from airflow_provider_userdata.delivery.dispatching import MOST_READY, Dispatcher
from airflow_provider_userdata.vendors.contract import Record

PLACES = 2


class Flights:
    """Takes batches, and lets each land when it is told to."""

    def __init__(self, *, user_once: bool = False) -> None:
        self.taken: list[str | None] = []
        self.failures: list[Exception] = []
        self.halted = asyncio.Event()
        self._landings: dict[str | None, asyncio.Future[None]] = {}
        self.dispatcher = Dispatcher(
            self._deliver, PLACES, user_once=user_once, halted=self.halted, failed=self.failures.append
        )

    async def _deliver(self, batch: Batch) -> None:
        (record,) = batch
        self.taken.append(record.user)
        self._landings[record.user] = asyncio.get_running_loop().create_future()
        await self._landings[record.user]

    async def land(self, user: str, error: BaseException | None = None) -> None:
        """End a batch, and let the others go on."""
        if error is None:
            self._landings[user].set_result(None)
        else:
            self._landings[user].set_exception(error)
        await moment()

    async def dispatch(self, *users: str) -> asyncio.Task[None]:
        """Dispatch batches of one record each, as far as that goes now."""

        async def all_of_them() -> None:
            for user in users:
                await self.dispatcher.dispatch([Record(b"{}", user=user)])

        task = asyncio.ensure_future(all_of_them())
        await moment()
        return task


async def moment() -> None:
    """Let all that can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


def scenario(check: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario on a loop of its own."""
    asyncio.run(asyncio.wait_for(check(), 10))


def test_some_wait_ready_and_no_more() -> None:
    """Who checks records goes on while the places are full, until as many wait as are allowed."""

    async def check() -> None:
        flights = Flights()
        begun = await flights.dispatch(*"abcdef")
        assert (flights.taken, begun.done()) == (["a", "b"], True)

        more = await flights.dispatch("g", "h")
        assert [record.user for record in flights.dispatcher.ready] == ["c", "d", "e", "f", "g"]
        assert len(flights.dispatcher.ready) == MOST_READY + 1
        assert not more.done()

        await flights.land("b")
        assert flights.taken == ["a", "b", "c"]
        await flights.land("c")
        assert (flights.taken, more.done()) == (["a", "b", "c", "d"], True)

    scenario(check)


def test_a_user_in_flight_holds_back_what_comes_after() -> None:
    """No user is in two batches in flight, and none overtakes (P8)."""

    async def check() -> None:
        flights = Flights(user_once=True)
        await flights.dispatch("a", "a", "b")
        assert flights.taken == ["a"]

        await flights.land("a")
        assert flights.taken == ["a", "a", "b"]

    scenario(check)


def test_a_halt_leaves_what_is_ready() -> None:
    """Nothing goes after it, nobody waits on, and what didn't go is there to be held."""

    async def check() -> None:
        flights = Flights()
        begun = await flights.dispatch(*"abcdefgh")
        assert not begun.done()

        flights.halted.set()
        flights.dispatcher.wake()
        await flights.land("a")
        await flights.dispatcher.none_ready()

        assert (flights.taken, begun.done()) == (["a", "b"], True)
        assert [record.user for record in flights.dispatcher.ready] == list("cdefgh")

    scenario(check)


def test_a_failure_is_told() -> None:
    """The delivery decides what becomes of it."""

    async def check() -> None:
        flights = Flights()
        await flights.dispatch("a")
        error = RuntimeError()
        await flights.land("a", error)
        assert flights.failures == [error]

    scenario(check)


def test_nothing_goes_when_the_process_ends() -> None:
    """Others may land while the loop is taken down: nothing takes their places."""
    taken: list[Any] = []

    async def check() -> None:
        flights = Flights()
        taken.append(flights.taken)
        await flights.dispatch(*"abcd")
        flights._landings["a"].set_result(None)
        flights._landings["b"].set_exception(SystemExit())
        await moment()

    with pytest.raises(SystemExit):
        asyncio.run(check())
    assert taken == [["a", "b"]]
