"""Starts batches while slots are free, in order, but no user's batch before that user's earlier one has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.records import Record, users_of

_Users = frozenset[str | None]

MOST_READY = 4
"""The most batches that wait for a slot, so that no slot stays empty while the next records are checked."""


@dataclass(eq=False, repr=False, slots=True)
class Dispatcher:
    """Keeps some batches in flight and a few ready. Used on the event loop.

    :param deliver: delivers a batch; returns when each of its records has its fate.
    :param most: the most batches in flight.
    :param user_once: whether a user may be in only one batch in flight (P8).
    :param halted: set when nothing more may be sent.
    :param failed: called with the exception that `deliver` raised.
    """

    deliver: Callable[[Batch], Coroutine[Any, Any, None]]
    most: int
    user_once: bool
    halted: asyncio.Event
    failed: Callable[[Exception], None]
    _ready: list[tuple[Batch, _Users]] = field(default_factory=list, init=False)
    _in_flight: dict[asyncio.Task[None], _Users] = field(default_factory=dict, init=False)
    _users_in_flight: set[str | None] = field(default_factory=set, init=False)
    _closed: bool = field(default=False, init=False)
    _one_started: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def ready(self) -> Sequence[Record]:
        """The records that wait for a slot."""
        return [record for batch, _ in self._ready for record in batch]

    async def dispatch(self, batch: Batch) -> None:
        """Start a batch or queue it; return when few are waiting, or the delivery was halted."""
        self._ready.append((batch, frozenset(users_of(batch) if self.user_once else ())))
        self._start()
        await self._until_at_most(MOST_READY)

    async def none_ready(self) -> None:
        """Wait until no batch is waiting for a slot, or the delivery was halted."""
        await self._until_at_most(0)

    async def none_left(self) -> None:
        """Wait until no batch is waiting or in flight, or the delivery was halted."""
        await self.none_ready()
        while await self.one_ended():
            pass

    async def one_ended(self) -> bool:
        """Wait until one more batch has ended; return False if none is in flight, or the delivery was halted."""
        if not self._in_flight or self.halted.is_set():
            return False
        await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
        return True

    async def close(self) -> None:
        """Start no more batches, and wait for those in flight."""
        self._closed = True
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    def wake(self) -> None:
        """Wake the callers that wait here: the delivery was halted."""
        self._one_started.set()

    def cancel(self) -> None:
        """Cancel the batches in flight."""
        for task in self._in_flight:
            task.cancel()

    async def _until_at_most(self, count: int) -> None:
        while len(self._ready) > count and not self.halted.is_set():
            self._one_started.clear()
            await self._one_started.wait()

    def _start(self) -> None:
        """Start batches while slots are free, skipping those with a user who is in flight or queued ahead."""
        while len(self._in_flight) < self.most and not (self._closed or self.halted.is_set()):
            place = self._next()
            if place is None:
                return
            batch, users = self._ready.pop(place)
            task = asyncio.create_task(self._run(batch))
            self._in_flight[task] = users
            self._users_in_flight |= users
            task.add_done_callback(self._ended)
            self._one_started.set()

    def _next(self) -> int | None:
        """Return the index of the batch that goes next; None if all have to wait."""
        before: set[str | None] = set()
        for place, (_, users) in enumerate(self._ready):
            if self._users_in_flight.isdisjoint(users) and before.isdisjoint(users):
                return place
            before |= users
        return None

    async def _run(self, batch: Batch) -> None:
        try:
            await self.deliver(batch)
        except Exception as error:  # noqa: BLE001  # any error halts the delivery
            self.failed(error)
        except BaseException:  # the process ends
            self._closed = True
            raise

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._users_in_flight -= self._in_flight.pop(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio doesn't log it as never retrieved
        self._start()
