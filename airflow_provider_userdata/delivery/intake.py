"""Takes in the source's records: validates them, looks them up in the ledger, batches and dispatches them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from airflow_provider_userdata.delivery.batch_delivery import gave_up_error
from airflow_provider_userdata.delivery.halt import Halt
from airflow_provider_userdata.delivery.incremental import ChangeFilter, LookupQueue, Sifted, with_duplicates
from airflow_provider_userdata.delivery.outcomes import EARLIER_DOUBT, OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.reading import Chunk, ChunkReader, Read
from airflow_provider_userdata.delivery.recording import Rejection, is_local
from airflow_provider_userdata.delivery.report import Counters, Fate
from airflow_provider_userdata.delivery.resuming import Doubt, PositionTracker
from airflow_provider_userdata.delivery.sending import Batch, Dispatcher, Sender, batcher
from airflow_provider_userdata.delivery.trial import Trial
from airflow_provider_userdata.delivery.validation import Validator
from airflow_provider_userdata.errors import SourceBrokeError, SourceChangedError, SourceError
from airflow_provider_userdata.records import Record, by_user, joined

FEWEST_CHECKED = 50
"""The fewest rows that are checked at once, if there are as many: smaller parts would take longer."""
LONGEST_GATHERING = 0.05
"""Seconds that records wait for others to be looked up with them."""
MOST_BYTES = 32 * 2**20
"""Bytes of large records in memory at once, as they were read, each in several copies. One record may be larger."""
LARGE = 2**14
"""Bytes of a record above which it is large: a hundred times the usual."""


class _Load:
    """Bounds the bytes of large records in memory, without a fate. Small records are bounded by their number."""

    def __init__(self, has_fate: Callable[[int], bool]) -> None:
        self._has_fate = has_fate
        self._chunks: list[tuple[range, int]] = []

    def add(self, first: int, count: int, size: int) -> None:
        if size > count * LARGE:
            self._chunks.append((range(first, first + count), size))

    def has_room(self, size: int) -> bool:
        """Return whether a chunk of this many bytes fits; it always does if no other large records are in memory."""
        self._chunks = [chunk for chunk in self._chunks if not all(map(self._has_fate, chunk[0]))]
        load = sum([each for _, each in self._chunks])
        return not load or load + size <= MOST_BYTES


@dataclass(eq=False, repr=False)
class Intake:
    """Takes in the records of one run. Without a change filter, it sends also what earlier runs delivered.

    :param save_first: saves the first checkpoint of a completed run that goes on, before anything is sent.
    """

    plan: Plan
    halt: Halt
    checker: Validator
    fates: OutcomeLog
    tally: Counters
    progress: PositionTracker
    doubt: Doubt
    change_filter: ChangeFilter | None
    sender: Sender
    dispatcher: Dispatcher
    trial: Trial
    save_first: Callable[[], Awaitable[None]]

    def __post_init__(self) -> None:
        output = self.plan.output
        self._batcher = batcher(self.plan.vendor.limits, output if is_local(output) else None)
        self._look_ups = None if self.change_filter is None else LookupQueue(self.change_filter, self.halt.event)
        self._load = _Load(self.progress.has_fate)
        self._undecided: Sequence[Record] = []

    async def take_all(self, reader: ChunkReader) -> None:
        """Take in all that the reader returns, until its end or a halt, and hold what can't be sent."""
        try:
            await self._await_vendor()
            while (read := await self._next(reader)) is not None:
                chunk, marks, size, before = read
                correcting = self.progress.is_correcting
                self.fates.record_read(marks, before)
                if correcting and not self.progress.is_correcting:
                    await self.save_first()
                await self._make_room(len(chunk.rows), size)
                for part in chunk.parts(self._checked_at_once):
                    await self._take(self._checked(part))
            if not self.halt.event.is_set():
                self.progress.record_end()
                await self._make_room(0, 0)
                await self._dispatch(self._batcher.flush())
                await self.dispatcher.none_ready()
        except BaseException as error:  # noqa: BLE001  # after any error, what is in flight ends first
            if isinstance(error, SourceError | SourceBrokeError):  # records read before it are still sent
                await self.dispatcher.none_left()
            self.halt.halt(error)
        looked_up: Sequence[Record] = []
        if self._look_ups is not None:
            await self._look_ups.cancel()
            looked_up = self._look_ups.waiting
        self._hold([*self.dispatcher.ready, *looked_up, *self._undecided])

    async def _make_room(self, count: int, size: int) -> None:
        """Wait until another chunk of large records fits in memory; incomplete batches are sent meanwhile."""
        if not self._load.has_room(size) and not self.plan.validate_only:
            if self._look_ups is not None:
                await self._take_sifted(self._look_ups.flush())
            await self._dispatch(self._batcher.relieve())
            while not self._load.has_room(size) and await self.dispatcher.one_ended():
                pass
        self._load.add(self.tally.read, count, size)

    def _checked_at_once(self) -> int:
        """Return how many rows to check before the event loop runs again, so that no slot stays empty for long."""
        return sys.maxsize if self.change_filter is not None else max(FEWEST_CHECKED, self._batcher.room)

    def _checked(self, chunk: Chunk) -> Sequence[Record]:
        self._undecided = joined(self._undecided, self._not_in_doubt(self.checker.check(chunk)))
        if not self.progress.is_compared:
            return []  # the source may have changed: nothing is sent, or counts as delivered
        if self.change_filter is not None and (proven := self.checker.take_proven()):
            self.change_filter.record_proven(proven)
        records, self._undecided = self._undecided, []
        return records

    async def _next(self, reader: ChunkReader) -> Read | None:
        """Return the next chunk; while the source is slow, send what was gathered."""
        if self._look_ups is not None and not await reader.has_next(LONGEST_GATHERING):
            await self._take_sifted(self._look_ups.flush())
        return await reader.next()

    async def _take(self, records: Sequence[Record]) -> None:
        """Dispatch records; in an incremental run, look them up first, and dispatch them with the next call."""
        if self._look_ups is None:
            await self._dispatch(self._batcher.add(records))
        elif records:
            await self._take_sifted(self._look_ups.take(records))

    async def _take_sifted(self, found: AsyncIterator[Sifted]) -> None:
        """Dispatch what is new, and leave out what earlier runs have delivered."""
        async for to_send, unchanged in found:
            self.fates.record_unchanged(unchanged)
            await self._dispatch(self._batcher.add(to_send))

    def _not_in_doubt(self, records: Sequence[Record]) -> Sequence[Record]:
        """Leave out, as unknown, what an earlier attempt sent without an answer, if it mustn't be sent twice (A3)."""
        if self.plan.patience.on_doubt == "resend":
            return records
        doubtful, others = self.doubt.split(records)
        self.fates.record_not_delivered(doubtful, EARLIER_DOUBT)
        return others

    async def _await_vendor(self) -> None:
        if self.plan.validate_only:
            return
        gave_up = await self.sender.until_ready()
        if gave_up is not None and not gave_up.halted:
            reason = f"{gave_up.reason} ({gave_up.rule})"
            self.halt.halt(gave_up_error(self.plan.vendor.name, reason, gave_up.until), gave_up.rule)

    async def _dispatch(self, batches: list[Batch]) -> None:
        for batch in batches:
            if self.plan.validate_only:
                self.trial.take(batch)
            else:
                await self.dispatcher.dispatch(batch)

    def _hold(self, records: Batch) -> None:
        """Hold records that can't be sent: the delivery was halted, or they are too few for a request (G4).

        :param records: those that are not in the batcher.
        """
        if self.progress.is_correcting:  # these may be rows that were delivered, and have moved: the rejects stay
            return
        error, rule = self.halt.error, self.halt.rule
        groups = by_user(records) if self.plan.vendor.limits.one_user else [(None, records)]
        ended = Rejection(Fate.HELD, rule, f"was not sent: {type(error).__name__} ended the delivery")
        if isinstance(error, SourceChangedError):  # then a row that was sent may have moved here
            reason = "was not sent now: the source changed, so that an earlier attempt may have sent it"
            ended = Rejection(Fate.UNKNOWN, rule, reason)

        def held(group: Batch) -> tuple[Batch, Rejection]:
            why = self._too_few(len(group)) if error is None else ended
            return with_duplicates(self.change_filter, group, in_doubt=False), why

        for _, group in groups:
            self.fates.leave(*held(group))
        self.fates.leave_last(map(held, self._batcher.groups))

    def _too_few(self, count: int) -> Rejection:
        of_whom = " of its user" if self.plan.vendor.limits.one_user else ""
        then = "would wait for" if self.plan.validate_only else "goes out first in"
        reason = f"is one of {count}{of_whom}, fewer than a request takes; {then} the task's next run"
        return Rejection(Fate.HELD, self.plan.vendor.too_few_rule, reason, carried_over=True)
