"""Writes the checkpoint, which says how far a run got: first the outcomes that it covers, then the checkpoint."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.recording import Announcements, AttemptFiles
from airflow_provider_userdata.delivery.report import Counters
from airflow_provider_userdata.delivery.resuming.checkpoint import Checkpoint, CheckpointStore, Completed
from airflow_provider_userdata.delivery.resuming.position_tracker import PositionTracker
from airflow_provider_userdata.delivery.resuming.soundness import signed
from airflow_provider_userdata.errors import OutputError
from airflow_provider_userdata.upload_status import EarlierAttempt

FIRST_SAVES = 5
"""How often the first checkpoint is tried before the delivery ends."""
SAVE_SECONDS = 1.0
"""Seconds between two checkpoints, and between two parts of a file that can't be appended to."""
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
        """Save a value in place of the last one, and return whether it is saved."""
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


@dataclass(eq=False, repr=False, slots=True)
class Checkpointer:
    """Saves checkpoints. What the last one doesn't cover, the attempt's files prove.

    Saving raises an `OutputError` if the outcomes can't be written, and a `LedgerError` if something has to change
    before delivered records can be marked. A store or a ledger that is unavailable doesn't end the delivery: the next
    call tries again.

    :param blank: a checkpoint that says which attempt this is, and where its records go.
    :param writer: writes to the store.
    :param file_thread: for calls to the file system.
    :param waiting_since: tells since when the vendor has accepted nothing.
    :param now: tells the time.
    :param before: called before each checkpoint, to write what is waiting to be written.
    :param mark: marks all delivered records in the ledger, and returns whether it could; None without a ledger.
    :param mark_proven: whether what an earlier attempt delivered must be marked, too, before a checkpoint covers it.
    """

    blank: Checkpoint
    writer: StoreWriter
    files: AttemptFiles
    file_thread: BlockingThread
    announcements: Announcements
    tally: Counters
    progress: PositionTracker
    waiting_since: Callable[[], datetime | None]
    now: Callable[[], datetime]
    before: Callable[[], None]
    mark: Callable[[], Awaitable[bool]] | None
    mark_proven: bool
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _earlier: Checkpoint | None = field(default=None, init=False)
    _saved: Checkpoint | None = field(default=None, init=False)

    @property
    def attempts(self) -> Sequence[EarlierAttempt]:
        """The attempts before this one."""
        return self.blank.attempts

    def begin(self, carried_in: int, earlier: Checkpoint | None, attempts: list[EarlierAttempt]) -> None:
        """Take over what the first checkpoint needs to know.

        :param carried_in: how many of the first records an earlier run had held.
        :param earlier: the checkpoint of the attempt before, which is kept until there is a newer one that fits.
        :param attempts: the attempts before this one.
        """
        self._earlier = earlier
        self.blank = msgspec.structs.replace(self.blank, carried_in=carried_in, attempts=attempts)

    async def save_first(self, clock: Clock) -> None:
        """Save the first checkpoint, before anything is sent: without one, a retry would send everything again.

        :raises OutputError: if it can't be saved.
        """
        for _ in range(FIRST_SAVES):
            await self.save()
            if self._saved is not None:
                return
            await clock.wait(asyncio.Event(), SAVE_SECONDS)
        raise OutputError("the checkpoint can't be saved; without one a retry would send all again. Nothing was sent")

    async def save_regularly(self, after: Callable[[], object] | None) -> None:
        """Save a checkpoint every `SAVE_SECONDS`, without end.

        :param after: called in the thread for files after each one.
        """
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            await self.save()
            if after is not None:
                await self.file_thread.call(after)

    async def save_last(self) -> None:
        """Save a checkpoint after which nothing is sent."""
        self.announcements.close()
        await self.save()

    async def save(self) -> None:
        """Write the outcomes to disk, mark delivered records in the ledger, and save a checkpoint that covers them."""
        if self.progress.is_correcting:
            return
        async with self._saving:
            self.before()
            self.announcements.renew(in_time=True)
            checkpoint = self._checkpoint()
            # No checkpoint covers what an earlier attempt is proven to have delivered before it is read, and marked.
            if not checkpoint.fits or (self.mark_proven and self.progress.awaits_proven):
                checkpoint = self._last_that_fits(checkpoint)
            changed = self._saved is None or checkpoint.says_more_than(self._saved)
            if changed:
                await self.file_thread.call(self.files.flush)
            self.announcements.kept()
            if not changed:
                return
            if (self.mark is None or await self.mark()) and await self.writer.save(checkpoint):
                self._saved = checkpoint

    def _checkpoint(self) -> Checkpoint:
        return msgspec.structs.replace(
            self.blank,
            journals=self.files.seal(),
            tally=self.tally.snapshot(),
            earlier=self.files.earlier,
            waiting_since=self.waiting_since(),
            at=self.now().replace(microsecond=0),
            until=self.announcements.until,
            ended=self.announcements.closed,
            **self.progress.marks(),
        )

    def _last_that_fits(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return the last checkpoint with the names of this attempt's files: they prove everything that came after it.

        :param checkpoint: the new one, which is too large, or covers what the ledger doesn't have yet.
        """
        last = self._saved or self._earlier or checkpoint
        return msgspec.structs.replace(
            last,
            attempt=checkpoint.attempt,
            host=checkpoint.host,
            folder=checkpoint.folder,
            journals={**checkpoint.journals, **last.journals},
            earlier=checkpoint.earlier,
            waiting_since=checkpoint.waiting_since,
            attempts=checkpoint.attempts,
            at=checkpoint.at,
            doubt_below=checkpoint.doubt_below,
            until=checkpoint.until,
            ended=checkpoint.ended,
        )
