"""Writes to the checkpoint store, which may fail for a while."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.resuming.checkpoint import Checkpoint, CheckpointStore, Completed
from airflow_provider_userdata.delivery.resuming.soundness import signed

LAST_SAVES = 3
"""How often the marker of a completed run is tried."""
RETRY_SECONDS = 1.0
"""Seconds between two tries."""

_log = logging.getLogger(__name__)


class StoreWriter:
    """Saves checkpoints and the marker of a completed run. A store that fails doesn't end the delivery.

    :param store: where they are kept; None keeps nothing.
    :param thread: for calls to Airflow.
    """

    def __init__(self, store: CheckpointStore | None, thread: BlockingThread, clock: Clock) -> None:
        self._store = store
        self._thread = thread
        self._clock = clock
        self._fails = False
        self._unsaved_since: float | None = None

    @property
    def unsaved(self) -> float:
        """For how many seconds a value has been waiting to be saved, because the store fails or doesn't answer."""
        return 0.0 if self._unsaved_since is None else self._clock.seconds() - self._unsaved_since

    async def save(self, value: Checkpoint | Completed) -> bool:
        """Save a value in place of the last one.

        :return: whether it is saved.
        """
        store = self._store
        if store is None:
            return True
        if self._unsaved_since is None:
            self._unsaved_since = self._clock.seconds()
        try:
            await self._thread.call(lambda: store.save(msgspec.to_builtins(signed(value))))
        except Exception as error:  # noqa: BLE001  # Airflow may fail in any way; the next save tries again
            if not self._fails:
                _log.warning("The checkpoint can't be saved for now: %s", type(error).__name__)
            self._fails = True
            return False
        self._fails, self._unsaved_since = False, None
        return True

    async def save_completed(self, marker: Completed) -> bool:
        """Save the marker of a completed run, and retry if that fails: without it, a cleared task sends all again.

        :return: whether it is saved.
        """
        for _ in range(LAST_SAVES):
            if await self.save(marker):
                return True
            await self._clock.wait(asyncio.Event(), RETRY_SECONDS)
        return False
