"""The delivery itself: builds its parts, runs them, and returns how it ended. Knows no vendor and no Airflow."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from airflow_provider_userdata.delivery.batch_delivery import BatchDelivery
from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.broadcast import Broadcast
from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.closing import Closing, rejects_error
from airflow_provider_userdata.delivery.halt import Halt
from airflow_provider_userdata.delivery.incremental import ChangeFilter
from airflow_provider_userdata.delivery.intake import Intake
from airflow_provider_userdata.delivery.opening import Opening
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.reading import ChunkReader
from airflow_provider_userdata.delivery.recording import Announcements, AttemptFiles
from airflow_provider_userdata.delivery.report import Counters, Report
from airflow_provider_userdata.delivery.resuming import (
    Checkpoint,
    Checkpointer,
    Completed,
    Doubt,
    PositionTracker,
    SentLog,
    StoreWriter,
)
from airflow_provider_userdata.delivery.sending import (
    BisectionBudget,
    Dispatcher,
    FollowUps,
    Introductions,
    Sender,
    Sizes,
    Throttle,
    Transport,
    access_of,
)
from airflow_provider_userdata.delivery.trial import Trial
from airflow_provider_userdata.delivery.validation import Validator
from airflow_provider_userdata.delivery.watching import Watch
from airflow_provider_userdata.errors import LaterError, OrphanedError, StoppedError, UserdataError

LONGEST_MARK = 0.5
"""Seconds for the last writes to the ledger when the process is about to be killed."""
PROGRESS_SECONDS = 5.0
"""Seconds between two calls of the observers."""


class Engine:
    """Runs one delivery, on the event loop that it is created in.

    However it ends, every record that was read has exactly one fate, which is written before it is counted.

    :param broadcast: tells the plan's observers.
    """

    def __init__(self, plan: Plan, broadcast: Broadcast) -> None:
        if plan.validate_only:  # nothing is sent: there is nothing to go on with, to carry over or to mark
            plan = replace(plan, store=None, held=None, ledger=None, replay=None)
        self._plan = plan
        self._broadcast = broadcast
        self._halt = Halt()
        self._stopped = asyncio.Event()
        self._file_thread = BlockingThread("userdata-files")
        self._airflow_thread = self._observer_thread = self._token_thread = BlockingThread("userdata-airflow")
        if plan.supervisor is not None:  # else, in `dag.test()`, Airflow takes calls of one thread only
            self._observer_thread = BlockingThread("userdata-observers")  # one that hangs holds up no checkpoint
            self._token_thread = BlockingThread("userdata-tokens")
        self._tally = Counters(plan.clock.seconds)
        self._doubt = Doubt()
        self._progress = PositionTracker(self._doubt)
        self._filter = None
        if plan.ledger is not None:
            self._filter = ChangeFilter(plan.ledger, plan.vendor, shows_recent=plan.shows_recent)
        self._files = AttemptFiles(plan.output, plan.attempt, plan.replay)
        fewest = plan.max_in_flight * plan.vendor.limits.maximum
        self._announcements = Announcements(self._files.sent, fewest, self._halt.event)
        self._sent = SentLog(self._announcements, self._tally, self._progress, self._doubt)
        self._fates = OutcomeLog(
            self._files,
            self._sent,
            self._tally,
            self._progress,
            self._doubt,
            plan.clock,
            plan.vendor.held_texts,
            plan.replay,
        )
        self._checker = Validator(
            plan.vendor,
            plan.fields,
            plan.public_names,
            self._fates,
            self._tally,
            self._progress,
            keep_proven=self._filter is not None,
            held=plan.held,
        )
        self._trial = Trial(plan.vendor, plan.public_names | plan.vendor.request_names, self._fates, self._tally)
        self._build_sending(plan)
        self._build_saving(plan)

    def _build_sending(self, plan: Plan) -> None:
        halt, fates, changes = self._halt, self._fates, self._filter
        pace = Throttle(plan.clock, halt.event, plan.max_in_flight, plan.requests_per_second)
        self._transport = Transport(plan.endpoint)
        access = access_of(plan.vendor, self._transport, pace, plan.user_headers, self._token_thread, halt.event)
        self._sender = sender = Sender(
            plan.vendor, self._transport, access, self._sent, pace, plan.patience, plan.clock, halt.event
        )
        refusals, sizes = BisectionBudget(plan.vendor.limits), Sizes(plan.vendor)
        introductions = Introductions(plan.vendor, sender)
        self._follow_ups = follow_ups = FollowUps(plan.vendor, sender)
        batches = BatchDelivery(
            plan.vendor, sender, refusals, sizes, introductions, follow_ups, fates, changes, halt.halt
        )
        once = plan.vendor.limits.user_once
        self._dispatcher = dispatcher = Dispatcher(
            batches.deliver, plan.max_in_flight, user_once=once, halted=halt.event, failed=halt.halt
        )
        halt.wakes(pace.wake, dispatcher.wake)
        self._intake = Intake(
            plan,
            halt,
            self._checker,
            fates,
            self._tally,
            self._progress,
            self._doubt,
            changes,
            sender,
            dispatcher,
            self._trial,
            lambda: self._checkpointer.save_first(plan.clock),
        )

    def _build_saving(self, plan: Plan) -> None:
        files, tally, progress, fates, changes = self._files, self._tally, self._progress, self._fates, self._filter
        file_thread, airflow_thread, sender = self._file_thread, self._airflow_thread, self._sender
        self._writer = StoreWriter(plan.store, airflow_thread, plan.clock)
        self._checkpointer = checkpointer = Checkpointer(
            Checkpoint(
                attempt=plan.attempt,
                host=socket.gethostname(),
                folder=str(plan.output),
                journals={},
                address=plan.destination.address,
                account=plan.destination.account,
            ),
            self._writer,
            files,
            file_thread,
            self._announcements,
            tally,
            progress,
            waiting_since=sender.waiting.since,
            now=plan.clock.now,
            before=fates.write_invalid,
            mark=None if changes is None else changes.mark_all,
            mark_proven=changes is not None and not changes.keeps_states,
        )
        self._opening = Opening(
            plan, files, file_thread, airflow_thread, tally, progress, self._doubt, fates, changes, sender, checkpointer
        )
        self._closing = Closing(plan, files, file_thread, tally, fates, self._writer)
        self._watch = Watch(plan, fates, tally, self._checker, sender, checkpointer)

    async def run(self) -> Result:
        """Deliver, and return how it ended."""
        opened = False
        try:
            completed = await self._opening.open(self._halt.event)
            if completed is not None:
                return await self._already(completed)
            opened = True
            self._watch.begin()
            await self._broadcast.started(self._observer_thread, self._watch.status(), self._halt.event)
            await self._deliver_all()
        except BaseException as error:  # noqa: BLE001  # after any error, what was accepted is recorded
            self._halt.halt(error)
        return await self._end(opened=opened)

    @property
    def goes_on_completed(self) -> bool:
        """Whether a completed run goes on whose rejects were corrected."""
        return self._progress.originals is not None

    @property
    def unsaved(self) -> float:
        """The seconds for which a checkpoint has been waiting to be saved."""
        return self._writer.unsaved

    def stop(self, error: UserdataError, grace: float) -> None:
        """End soon, with this error: nothing new is sent, and what is in flight is cancelled after `grace` seconds."""
        self._halt.halt(error)
        self._stopped.set()
        asyncio.get_running_loop().call_later(grace, self._dispatcher.cancel)

    async def tell_end(self, result: Result) -> None:
        """Tell the observers how the run ended. All is written before, since the process may be about to be killed."""
        status = self._watch.status(result.report if result.repeated else None)
        in_a_hurry = isinstance(result.error, StoppedError | OrphanedError)
        await self._broadcast.ended(self._observer_thread, status, result.error, in_a_hurry=in_a_hurry)

    def close(self) -> None:
        """Let the threads end."""
        self._file_thread.close()
        self._airflow_thread.close()
        self._observer_thread.close()
        self._token_thread.close()

    async def _already(self, completed: Completed) -> Result:
        """Return the report of a run that an earlier attempt completed; send nothing."""
        report = Report.of(completed.done)
        error = rejects_error(self._plan, report, self._checker.first_fault())
        marking = self._closing.mark_completed(report, red=error is not None, earlier=completed)
        await self._unless_it_fails(marking)
        return Result(report, error or self._halt.error, repeated=True)

    async def _end(self, *, opened: bool) -> Result:
        """Write the last checkpoint, then what it doesn't cover; a completed run has a marker instead."""
        halt = self._halt
        if self._filter is not None:
            await self._unless_it_fails(self._filter.close(self._stopped, LONGEST_MARK))
        orphaned = isinstance(halt.error, OrphanedError)  # another attempt may own the checkpoint now
        if opened and halt.error is not None and not orphaned:
            await self._unless_it_fails(self._checkpointer.save_last())
        comes_back = self._plan.more_attempts or isinstance(halt.error, LaterError | OrphanedError)
        closing = self._closing.close(complete=halt.error is None, comes_back=comes_back)
        await self._unless_it_fails(closing)
        report = self._fates.report()
        if halt.error is None:
            halt.error = rejects_error(self._plan, report, self._checker.first_fault())
            await self._unless_it_fails(self._closing.mark_completed(report, red=halt.error is not None))
        recent = {} if self._filter is None else self._filter.latest.as_dict()
        fault, faults = self._checker.first_fault(), self._watch.faults()
        return Result(report, halt.error, fault, faults, recent=recent, first_request=self._trial.first_request)

    async def _unless_it_fails(self, writing: Coroutine[Any, Any, None]) -> None:
        try:
            await writing
        except UserdataError as error:
            self._halt.halt(error)

    async def _deliver_all(self) -> None:
        ends = self._progress.to_be_compared
        reader = ChunkReader(
            self._plan.source, self._fates.carried_in, self._halt.event, ends, self._progress.originals
        )
        helpers = [asyncio.ensure_future(self._unless_it_fails(work)) for work in self._beside()]
        try:
            async with self._transport:
                try:
                    await self._intake.take_all(reader)
                finally:  # also if a fate can't be written: what is in flight may still be delivered
                    await self._dispatcher.close()
                await unless_set(self._halt.event, self._follow_ups.send_all())
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await reader.close()

    def _beside(self) -> list[Coroutine[Any, Any, None]]:
        changes = self._filter
        return [
            self._checkpointer.save_regularly(self._renew),
            self._announcements.write_as_wanted(self._file_thread),
            self._show_progress(),
            *([] if changes is None else [changes.mark_continuously()]),
        ]

    def _renew(self) -> None:
        """Show other runs that this one is alive, which has claimed records. Blocks."""
        for claimed in (self._plan.held, self._plan.replay):
            if claimed is not None:
                claimed.renew()

    async def _show_progress(self) -> None:
        """Tell the observers how far it is every `PROGRESS_SECONDS`, without end."""
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            if not self._halt.event.is_set():  # else what is written last would wait for it
                await self._broadcast.progressed(self._observer_thread, self._watch.status())
