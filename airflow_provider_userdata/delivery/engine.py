"""The delivery itself: read, check, batch, send, record. Knows no vendor and no Airflow, and says how it ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from airflow_provider_userdata.delivery.batch_delivery import BatchDelivery, gave_up_error
from airflow_provider_userdata.delivery.bookkeeper import Bookkeeper
from airflow_provider_userdata.delivery.incremental import LookupQueue, Sifted
from airflow_provider_userdata.delivery.load import Load
from airflow_provider_userdata.delivery.outcomes import EARLIER_DOUBT, TOO_FEW, Rejection
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.reading import Chunk, ChunkReader, Read
from airflow_provider_userdata.delivery.report import Fate, Report
from airflow_provider_userdata.delivery.sending import (
    Batch,
    BisectionBudget,
    Dispatcher,
    Sender,
    Sizes,
    Throttle,
    Transport,
    batcher,
)
from airflow_provider_userdata.delivery.validation import Validator
from airflow_provider_userdata.errors import (
    LaterError,
    OrphanedError,
    RejectsError,
    SourceBrokeError,
    SourceError,
    UserdataError,
    unexpected,
)
from airflow_provider_userdata.records import Record, joined
from airflow_provider_userdata.vendors import by_rule

PROGRESS_SECONDS = 10.0
FEWEST_CHECKED = 50
"""How many rows are checked at once at least, where the source gives as many: one by one would take longer."""
LONGEST_GATHERING = 0.05
"""Seconds that records wait for more that are looked up with them: what a source gives slowly is sent as it comes."""
LONGEST_MARK = 0.5
"""Seconds that the last entries into the ledger may take where the process is about to be killed."""


class Engine:
    """Runs one delivery, on the loop that it is made in.

    However it ends, every record that was read has exactly one fate, written before it is counted.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._halted = asyncio.Event()
        self._stopped = asyncio.Event()
        self._halt_rule = "A5"
        self._error: Exception | None = None
        self._keeper = Bookkeeper(plan, self._halted)
        self._fates = self._keeper.fates
        tally, progress = self._keeper.tally, self._keeper.progress
        self._sieve = sieve = self._keeper.sieve
        keep_proven = sieve is not None
        self._checker = Validator(plan.vendor, plan.fields, self._fates, tally, progress, keep_proven=keep_proven)
        self._batcher = batcher(plan.vendor.limits)
        self._look_ups = None if sieve is None else LookupQueue(sieve, self._halted)
        self._undecided: Sequence[Record] = []
        self._load = Load(progress.has_fate)
        self._transport = Transport(plan.endpoint)
        self._pace = Throttle(plan.clock, self._halted, plan.max_in_flight, plan.requests_per_second)
        sent = self._keeper.sent
        self._sender = Sender(plan.vendor, self._transport, sent, self._pace, plan.patience, plan.clock, self._halted)
        refusals, sizes = BisectionBudget(plan.vendor.limits), Sizes(plan.vendor)
        self._deliverer = BatchDelivery(plan.vendor, self._sender, refusals, sizes, self._fates, sent, self._halt)
        self._dispatcher = Dispatcher(
            self._deliverer.deliver,
            plan.max_in_flight,
            user_once=plan.vendor.limits.user_once,
            halted=self._halted,
            failed=self._halt,
        )

    async def run(self) -> Result:
        """Deliver, and say how it ended."""
        opened = False
        try:
            done = await self._keeper.open(self._sender)
            if done is not None:
                return await self._already(Report(**done.done))
            opened = True
            await self._deliver_all()
        except BaseException as error:  # noqa: BLE001  # whatever it is, what was accepted stays on record
            self._halt(error)
        return await self._end(opened=opened)

    @property
    def unsaved(self) -> float:
        """For how many seconds a checkpoint has been waiting to be saved."""
        return self._keeper.unsaved

    def stop(self, error: UserdataError, grace: float) -> None:
        """End soon: nothing new is sent, what is in flight gets some seconds, then it is given up.

        :param error: how the delivery says that it ended.
        :param grace: seconds.
        """
        self._halt(error)
        self._stopped.set()
        asyncio.get_running_loop().call_later(grace, self._dispatcher.give_up)

    def _halt(self, error: BaseException, rule: str = "A5") -> None:
        """Let nothing more be read or sent; the first reason is the one that counts."""
        if self._error is None:
            self._error, self._halt_rule = error if isinstance(error, Exception) else unexpected(error), rule
        self._halted.set()
        self._pace.wake()
        self._dispatcher.wake()

    async def _already(self, report: Report) -> Result:
        """Give the report of a run that an attempt before this one finished: nothing is sent."""
        error = self._verdict(report)
        await self._unless_it_fails(self._keeper.mark_done(report, red=error is not None))
        self._keeper.end()
        return Result(report, error or self._error, repeated=True)

    async def _end(self, *, opened: bool) -> Result:
        """Write the last checkpoint, and after it what it doesn't cover; the marker of a run's end needs none."""
        await self._unless_it_fails(self._keeper.end_ledger(self._stopped, LONGEST_MARK))
        if opened and self._error is not None and not isinstance(self._error, OrphanedError):  # it may be another's now
            await self._unless_it_fails(self._keeper.save_last(self._sender))
        await self._unless_it_fails(self._keeper.close(ended=self._error is None, comes_back=self._comes_back()))
        report = self._fates.report()
        if self._error is None:
            self._error = self._verdict(report)
            await self._unless_it_fails(self._keeper.mark_done(report, red=self._error is not None))
        self._keeper.end()
        recent = self._sieve.recent.as_dict() if self._sieve is not None else {}
        return Result(report, self._error, self._checker.first_fault(), recent=recent)

    def _comes_back(self) -> bool:
        """Say whether an attempt after this one is to be expected."""
        return isinstance(self._error, LaterError | OrphanedError) or self._plan.more_attempts

    async def _unless_it_fails(self, writing: Coroutine[Any, Any, None]) -> None:
        try:
            await writing
        except UserdataError as error:
            self._halt(error)

    def _verdict(self, report: Report) -> RejectsError | None:
        """Say whether more records were lost than the task allows."""
        allowed = self._plan.max_rejected
        if not report.exceeds(allowed):
            return None
        first = self._checker.first_fault()
        sent = "All that could be delivered was" if not self._plan.validate_only else "Nothing was sent (validate_only)"
        cleared = "Cleared, the task sends nothing again: raise max_rejected, or send all, with resume=False"
        return RejectsError(
            f"max_rejected={allowed:g}: {report.rejected:,} of {report.read:,} records were rejected and "
            f"{report.unknown:,} are unknown{f'; the first: {first}' if first else ''}. "
            f"By rule: {by_rule(report.reasons)}. "
            f"{sent}; see {report.rejects}.{'' if self._plan.validate_only else f' {cleared}'}"
        )

    async def _deliver_all(self) -> None:
        ends = self._keeper.progress.to_be_compared
        reader = ChunkReader(self._plan.source, self._fates.carried_in, self._halted, ends)
        keeper = self._keeper
        beside = (keeper.save_now_and_then(self._sender), keeper.announce_as_wanted(), keeper.mark_as_proofs_come())
        helpers = [asyncio.ensure_future(self._unless_it_fails(work)) for work in beside]
        helpers.append(asyncio.ensure_future(self._tell_now_and_then()))
        try:
            async with self._transport:
                try:
                    await self._read_and_send(reader)
                finally:  # also where a fate can't be written: what is in flight may still be delivered
                    await self._dispatcher.end()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await reader.close()

    async def _read_and_send(self, reader: ChunkReader) -> None:
        try:
            await self._await_vendor()
            while (read := await self._next(reader)) is not None:
                chunk, marks, size = read
                self._fates.read(marks)
                await self._make_room(len(chunk.rows), size)
                for part in chunk.parts(self._checked_at_once):
                    await self._take(self._checked(part))
            if not self._halted.is_set():
                self._keeper.progress.finish()
                await self._make_room(0, 0)
                await self._dispatch(self._batcher.flush())
                await self._dispatcher.none_ready()
        except BaseException as error:  # noqa: BLE001  # whatever it is, what is in flight ends first
            if isinstance(error, SourceError | SourceBrokeError):  # what came before it may go, if need be again
                await self._dispatcher.none_left()
            self._halt(error)
        looked_up: Sequence[Record] = []
        if self._look_ups is not None:
            await self._look_ups.give_up()
            looked_up = self._look_ups.waiting
        self._hold([*self._dispatcher.ready, *looked_up, *self._undecided, *self._batcher.pending])

    async def _make_room(self, count: int, size: int) -> None:
        """Wait until so many bytes of large records may be taken in, too; what waits for company goes without.

        :param count: how many records.
        """
        if not self._load.has_room(size) and not self._plan.validate_only:
            if self._look_ups is not None:
                await self._take_sifted(self._look_ups.end())
            await self._dispatch(self._batcher.relieve())
            while not self._load.has_room(size) and await self._dispatcher.one_landed():
                pass
        self._load.add(self._keeper.tally.read, count, size)

    def _checked_at_once(self) -> int:
        """Say how many rows are checked between two looks at what was answered: no place stays empty for long."""
        return sys.maxsize if self._sieve is not None else max(FEWEST_CHECKED, self._batcher.room)

    def _checked(self, chunk: Chunk) -> Sequence[Record]:
        """Check a chunk, and give what may be sent."""
        self._undecided = joined(self._undecided, self._not_in_doubt(self._checker.check(chunk)))
        if not self._keeper.progress.is_compared:
            return []  # nothing of a source that may have changed is sent, or counts as delivered
        if self._sieve is not None and (proven := self._checker.take_proven()):
            self._sieve.proven_before(proven)
        records, self._undecided = self._undecided, []
        return records

    async def _next(self, reader: ChunkReader) -> Read | None:
        """Give the next chunk; while a source keeps it waiting, what it gave before goes on its way."""
        if self._look_ups is not None and not await reader.has_next(LONGEST_GATHERING):
            await self._take_sifted(self._look_ups.end())
        return await reader.next()

    async def _take(self, records: Sequence[Record]) -> None:
        """Take records in; in an incremental run, they are looked up first, and come to be sent a call later."""
        if self._look_ups is None:
            await self._dispatch(self._batcher.add(records))
        elif records:
            await self._take_sifted(self._look_ups.take(records))

    async def _take_sifted(self, found: AsyncIterator[Sifted]) -> None:
        """Leave out what earlier runs have delivered."""
        async for to_send, unchanged in found:
            self._fates.unchanged(unchanged)
            await self._dispatch(self._batcher.add(to_send))

    def _not_in_doubt(self, records: Sequence[Record]) -> Sequence[Record]:
        """Set aside what an earlier attempt sent without an answer, where it mustn't be sent twice (A3)."""
        progress = self._keeper.progress
        if self._plan.patience.on_doubt == "resend" or not progress.any_in_doubt:
            return records
        doubtful = [record for record in records if progress.is_in_doubt(record.position)]
        self._fates.none_delivered(doubtful, EARLIER_DOUBT)
        return [record for record in records if not progress.is_in_doubt(record.position)]

    async def _await_vendor(self) -> None:
        if self._plan.validate_only:
            return
        gave_up = await self._sender.until_ready()
        if gave_up is not None and not gave_up.halted:
            reason = f"{gave_up.reason} ({gave_up.rule})"
            self._halt(gave_up_error(self._plan.vendor.name, reason, gave_up.until), gave_up.rule)

    async def _dispatch(self, batches: list[Batch]) -> None:
        """Let batches go, as their users allow; what a halt leaves unsent is held in the end."""
        for batch in batches:
            if self._plan.validate_only:
                self._fates.skipped(batch)
            else:
                await self._dispatcher.dispatch(batch)

    def _hold(self, records: Batch) -> None:
        """Hold records that can't go: the delivery has ended, or they are too few for a request (G4)."""
        if self._error is not None:
            reason = f"was not sent: {type(self._error).__name__} ended the delivery"
            self._fates.leave(records, Rejection(Fate.HELD, self._halt_rule, reason))
        elif self._plan.validate_only:
            self._fates.skipped(records)
        else:
            reason = f"is one of {len(records)}, fewer than a request takes; goes out first in the task's next run"
            self._fates.leave(records, Rejection(Fate.HELD, TOO_FEW, reason))

    async def _tell_now_and_then(self) -> None:
        tell = self._plan.on_progress
        while tell is not None:
            await asyncio.sleep(PROGRESS_SECONDS)
            await self._keeper.show(tell)
