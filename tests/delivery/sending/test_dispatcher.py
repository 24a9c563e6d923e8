"""Batches go as places come free, in their order as far as their users allow, and some wait ready."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.delivery.sending.dispatcher import MOST_READY, Dispatcher
from airflow_provider_userdata.records.record import Record

PLACES = 2


class Flights:
    """Takes batches, and lets each land when it is told to."""

    def __init__(self, *, user_once: bool = False) -> None:
        self.taken: list[str] = []
        self.failures: list[Exception] = []
        self.halted = asyncio.Event()
        self._landings: dict[str, asyncio.Future[None]] = {}
        self.dispatcher = Dispatcher(
            self._deliver, PLACES, user_once=user_once, halted=self.halted, failed=self.failures.append
        )

    async def _deliver(self, batch: Batch) -> None:
        users = "".join([record.user or "" for record in batch])
        self.taken.append(users)
        self._landings[users] = asyncio.get_running_loop().create_future()
        await self._landings[users]

    @property
    def in_flight(self) -> list[str]:
        """What was taken and has not landed."""
        return [users for users, landing in self._landings.items() if not landing.done()]

    async def land(self, users: str, error: BaseException | None = None) -> None:
        """End a batch, and let the others go on."""
        if error is None:
            self._landings[users].set_result(None)
        else:
            self._landings[users].set_exception(error)
        await moment()

    async def dispatch(self, *batches: str) -> asyncio.Task[None]:
        """Dispatch batches, a record for each of their letters, as far as that goes now."""

        async def all_of_them() -> None:
            for users in batches:
                await self.dispatcher.dispatch([Record(b"{}", user=user) for user in users])

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


def test_a_user_in_flight_holds_back_only_what_is_about_that_user() -> None:
    """No user is in two batches in flight; what is about nobody who waits may go before (P8)."""

    async def check() -> None:
        flights = Flights(user_once=True)
        await flights.dispatch("a", "a", "b", "c")
        assert flights.taken == ["a", "b"]

        await flights.land("a")
        assert flights.taken == ["a", "b", "a"]
        await flights.land("b")
        assert flights.taken == ["a", "b", "a", "c"]

    scenario(check)


def test_a_batch_that_waits_is_not_overtaken_by_what_is_about_its_users() -> None:
    """Of three rows of a user, the second goes out before the third, whoever else they go out with (P8)."""

    async def check() -> None:
        flights = Flights(user_once=True)
        await flights.dispatch("a", "ab", "b", "c")
        assert flights.taken == ["a", "c"]

        await flights.land("a")
        assert flights.taken == ["a", "c", "ab"]
        await flights.land("c")
        assert flights.taken == ["a", "c", "ab"]
        await flights.land("ab")
        assert flights.taken == ["a", "c", "ab", "b"]

    scenario(check)


@given(
    batches=st.lists(st.sets(st.sampled_from("abcdef"), min_size=1).map(lambda users: "".join(sorted(users)))),
    chance=st.randoms(),
)
def test_each_users_batches_go_one_after_the_other(batches: list[str], chance: random.Random) -> None:
    """In whatever order they land: all go, each user's in their order, and none before the one before it has landed."""

    async def check() -> None:
        flights = Flights(user_once=True)
        await flights.dispatch(*batches)
        while flights.in_flight:
            assert max(Counter("".join(flights.in_flight)).values()) == 1
            await flights.land(chance.choice(flights.in_flight))
        for user in "abcdef":
            assert [taken for taken in flights.taken if user in taken] == [users for users in batches if user in users]

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
