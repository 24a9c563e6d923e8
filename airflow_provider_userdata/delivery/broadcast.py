"""Tells a delivery's observers how far it is. Whatever they do, the delivery goes on."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Sequence

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.status import Observer, Status

LONGEST_TELLING = 10.0
"""Seconds that a delivery waits for its observers at its start, and at its end."""
LONGEST_LAST_WORDS = 1.0
"""The same if the process is about to be killed, when all else is written."""

_log = logging.getLogger(__name__)


class Broadcast:
    """Calls the observers of a delivery, one after the other in one thread. Used on the loop."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers
        self._has_started = False
        self._failed: set[str] = set()

    async def started(self, thread: BlockingThread, status: Status, halted: asyncio.Event) -> None:
        """Tell that the delivery starts, unless they know: a delivery that starts over has started before.

        :param halted: set when nobody is to wait for them any more.
        """
        if not self._has_started:
            self._has_started = True
            with contextlib.suppress(TimeoutError):
                telling = self._tell(thread, lambda one: one.started(status))
                await asyncio.wait_for(unless_set(halted, telling), LONGEST_TELLING)

    async def progressed(self, thread: BlockingThread, status: Status) -> None:
        """Tell how far the delivery is."""
        await self._tell(thread, lambda one: one.progressed(status))

    async def ended(
        self, thread: BlockingThread, status: Status, error: BaseException | None, *, in_a_hurry: bool
    ) -> None:
        """Tell how the delivery ended.

        :param in_a_hurry: whether the process is about to be killed.
        """
        with contextlib.suppress(TimeoutError):
            telling = self._tell(thread, lambda one: one.ended(status, error))
            await asyncio.wait_for(telling, LONGEST_LAST_WORDS if in_a_hurry else LONGEST_TELLING)

    async def _tell(self, thread: BlockingThread, what: Callable[[Observer], None]) -> None:
        if self._observers:
            await thread.call(functools.partial(self._call_each, what))

    def _call_each(self, what: Callable[[Observer], None]) -> None:
        for one in self._observers:
            try:
                what(one)
            except BaseException as error:  # noqa: BLE001  # it is only shown: also `SystemExit` ends nothing
                if (name := type(one).__name__) not in self._failed:
                    self._failed.add(name)
                    _log.warning("%s can't show the upload for now: %s", name, type(error).__name__)
