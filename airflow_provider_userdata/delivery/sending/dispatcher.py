"""Lets batches go as places in flight come free: in their order, but for those that wait for a user's earlier one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.records import Record, users_of

_Users = frozenset[str | None]

MOST_READY = 4
"""How many batches wait for a place at most: so that none stays empty while the next records are checked."""


class Dispatcher:
    """Keeps batches in flight, and some ready. Used inside the loop.

    :param deliver: takes a batch to its end.
    :param most: how many may be in flight.
    :param user_once: whether no user may be in two of them (P8).
    :param halted: set when nothing more may go.
    :param failed: called with what `deliver` raised.
    """

    def __init__(
        self,
        deliver: Callable[[Batch], Coroutine[Any, Any, None]],
        most: int,
        *,
        user_once: bool,
        halted: asyncio.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        self._deliver = deliver
        self._most = most
        self._user_once = user_once
        self._halted = halted
        self._failed = failed
        self._ready: list[tuple[Batch, _Users]] = []
        self._in_flight: dict[asyncio.Task[None], _Users] = {}
        self._users_in_flight: set[str | None] = set()
        self._ends = False
        self._one_went = asyncio.Event()

    @property
    def ready(self) -> Sequence[Record]:
        """The records that wait for a place."""
        return [record for batch, _ in self._ready for record in batch]

    async def dispatch(self, batch: Batch) -> None:
        """Let a batch go, or have it wait; returns when few are waiting, or the delivery was halted."""
        self._ready.append((batch, frozenset(users_of(batch) if self._user_once else ())))
        self._let_go()
        await self._until_at_most(MOST_READY)

    async def none_ready(self) -> None:
        """Wait until none is waiting for a place, or the delivery was halted."""
        await self._until_at_most(0)

    async def none_left(self) -> None:
        """Wait until none is waiting for a place, or in flight, or the delivery was halted."""
        await self.none_ready()
        while self._in_flight and not self._halted.is_set():
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    async def one_landed(self) -> bool:
        """Wait until one more has landed; return False where none is in flight, or the delivery was halted."""
        if not self._in_flight or self._halted.is_set():
            return False
        await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
        return True

    async def end(self) -> None:
        """Let no more go, and wait for those in flight."""
        self._ends = True
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    def wake(self) -> None:
        """Let those go on who wait here: the delivery was halted."""
        self._one_went.set()

    def give_up(self) -> None:
        """Cancel what is in flight."""
        for task in self._in_flight:
            task.cancel()

    async def _until_at_most(self, count: int) -> None:
        while len(self._ready) > count and not self._halted.is_set():
            self._one_went.clear()
            await self._one_went.wait()

    def _let_go(self) -> None:
        """Start batches while there are places: the first of those about nobody who is in flight, or waits before."""
        while len(self._in_flight) < self._most and not (self._ends or self._halted.is_set()):
            place = self._next()
            if place is None:
                return
            batch, users = self._ready.pop(place)
            task = asyncio.create_task(self._delivered(batch))
            self._in_flight[task] = users
            self._users_in_flight |= users
            task.add_done_callback(self._landed)
            self._one_went.set()

    def _next(self) -> int | None:
        """Give the place of the batch that goes next."""
        before: set[str | None] = set()
        for place, (_, users) in enumerate(self._ready):
            if self._users_in_flight.isdisjoint(users) and before.isdisjoint(users):
                return place
            before |= users
        return None

    async def _delivered(self, batch: Batch) -> None:
        try:
            await self._deliver(batch)
        except Exception as error:  # noqa: BLE001  # whatever it is, the delivery ends
            self._failed(error)
        except BaseException:  # the process ends
            self._ends = True
            raise

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._users_in_flight -= self._in_flight.pop(task)
        if not task.cancelled():
            task.exception()  # looked at, so that it isn't reported as forgotten
        self._let_go()
