"""Begins an attempt: goes on where an earlier one ended, claims carried-over records, and makes the files."""

from __future__ import annotations

import asyncio
import functools
import logging
from dataclasses import dataclass

from airflow_provider_userdata.delivery import earlier_attempts
from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.incremental import ChangeFilter
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.reading import OriginalRow
from airflow_provider_userdata.delivery.recording import AttemptFiles, write_originals
from airflow_provider_userdata.delivery.report import Counters
from airflow_provider_userdata.delivery.resuming import (
    Checkpoint,
    Checkpointer,
    Completed,
    Doubt,
    PositionTracker,
    Recovery,
    any_sent,
    correction,
)
from airflow_provider_userdata.delivery.sending import Sender
from airflow_provider_userdata.errors import ResumeError, SourceBrokeError, StoppedError

CLAIM_SECONDS = 1.0
"""Seconds after which a run tries again to claim what another one has."""

_log = logging.getLogger(__name__)


@dataclass(eq=False, repr=False)
class Opening:
    """Begins one attempt. Only an incremental run has a change filter, which opens the ledger."""

    plan: Plan
    files: AttemptFiles
    file_thread: BlockingThread
    airflow_thread: BlockingThread
    tally: Counters
    progress: PositionTracker
    doubt: Doubt
    fates: OutcomeLog
    change_filter: ChangeFilter | None
    sender: Sender
    checkpointer: Checkpointer

    async def open(self, halted: asyncio.Event) -> Completed | None:
        """Find out where an earlier attempt ended, and make this one's files.

        :param halted: set when the delivery is to end.
        :return: the marker of a run that has nothing left to send; None where there is something to do.
        :raises UserdataError: if the attempt can't begin.
        """
        earlier = await self.airflow_thread.call(functools.partial(earlier_attempts.last_left, self.plan))
        if isinstance(earlier, Completed) and not earlier_attempts.is_of_this_destination(
            self.plan, earlier, sent=any_sent(earlier.done)
        ):
            earlier = None
        if isinstance(earlier, Completed):
            if self.plan.held is not None:
                await self.file_thread.call(self.plan.held.release_all)
            if not earlier_attempts.may_be_corrected(self.plan, earlier):
                return earlier
        if self.change_filter is not None:
            await unless_set(halted, self.change_filter.open())
            if halted.is_set():
                raise StoppedError("the delivery was stopped before it began")
        if isinstance(earlier, Completed):
            await self._claim_rejects(halted, resuming=True)
            await self._correct(earlier)
        else:
            await self._begin(earlier, halted)
        return None

    async def _begin(self, earlier: Checkpoint | None, halted: asyncio.Event) -> None:
        """Begin at the source's start, or where an earlier attempt ended."""
        found = None
        if earlier is not None:
            found = await self.file_thread.call(functools.partial(earlier_attempts.recovered, self.plan, earlier))
        await self._claim_rejects(halted, resuming=found is not None)
        if found is not None:
            await self._resume(found)
        if earlier_attempts.any_unseen(self.plan):
            self.doubt.add_all()
        await self._claim_held(found)
        await self.file_thread.call(self.files.create)
        await self.file_thread.call(lambda: write_originals(self.files.originals, enumerate(self.fates.carried_in)))
        before = [] if found is None else earlier_attempts.before(self.plan.attempt, found)
        last = None if found is None else found.checkpoint
        self.checkpointer.begin(len(self.fates.carried_in), last, before)
        await self.checkpointer.save_first(self.plan.clock)

    async def _claim_rejects(self, halted: asyncio.Event, *, resuming: bool) -> None:
        """Claim the rejects that are to be sent again; wait while another run has them."""
        replay = self.plan.replay
        if replay is None:
            return
        ends = self.plan.clock.seconds() + self.plan.patience.max_wait
        told: str | None = None
        while (other := await self.file_thread.call(lambda: replay.claim(resuming=resuming))) is not None:
            if halted.is_set():
                raise StoppedError("the delivery was stopped before it began")
            if self.plan.clock.seconds() >= ends:
                raise SourceBrokeError(f"source: run {other} is still sending these rejects again")
            if told is None:
                _log.info("Waits for run %s, which is sending these rejects again", other)
            told = other
            await self.plan.clock.wait(halted, CLAIM_SECONDS)

    async def _correct(self, completed: Completed) -> None:
        """Go on with what a completed run rejected or held. Its marker stays until the source is compared."""
        found = await self.file_thread.call(functools.partial(self._correction, completed))
        originals = found.originals or {}
        # One that was erased is empty: the digest shows that it isn't what it was.
        carried_in = [originals.get(position, OriginalRow()).line for position in range(completed.carried_in)]
        self.fates.carried_in = [line or b"" for line in carried_in]
        self.fates.not_delivered = found.not_delivered
        await self._take_over(found)
        await self.file_thread.call(self.files.create)
        self.checkpointer.begin(completed.carried_in, None, earlier_attempts.before(self.plan.attempt, found))
        if not self.progress.is_correcting:
            await self.checkpointer.save_first(self.plan.clock)
        _log.info(
            "The run was finished, and somebody cleared the task: %d records that were rejected or held are checked "
            "again, and new ones at the end; all others must be unchanged, and are not sent again",
            completed.rows - len(found.settled),
        )

    def _correction(self, completed: Completed) -> Recovery:
        held = self.plan.held
        if held is not None:
            held.claim(resuming=True)  # nothing but what this run held: other runs have no part in its rows
        return correction(completed, self.plan.output, with_held=held is not None and held.has_claimed)

    async def _take_over(self, found: Recovery) -> None:
        last = found.checkpoint
        self.tally.restore(found.tally)
        self.progress.resume(found)
        await self.file_thread.call(lambda: self.files.go_on(last.host, last.folder, last.journals, last.earlier))
        self.sender.waiting.carry_in(last.waiting_since)

    async def _resume(self, found: Recovery) -> None:
        await self._take_over(found)
        last = found.checkpoint
        doubtful = found.in_doubt.of(found.settled)
        _log.info(
            "Goes on where attempt %s ended: %d records have their fate, all below position %d; %s are in doubt",
            last.attempt,
            len(found.settled),
            found.settled.below,
            "all others" if doubtful is None else doubtful,
        )

    async def _claim_held(self, found: Recovery | None) -> None:
        """Claim the records that earlier runs held; an attempt that resumes needs the same ones as the one before."""
        held = self.plan.held
        if held is None:
            return
        claimed = await self.file_thread.call(lambda: held.claim(resuming=found is not None))
        if found is not None and len(claimed) != found.checkpoint.carried_in:
            raise ResumeError(
                f"held: the run's first {found.checkpoint.carried_in} records were carried in from an earlier run, "
                f"and {len(claimed)} of them are left: other runs may send the rest. Start over with resume=False"
            )
        self.fates.carried_in = claimed
        if found is None:
            self.doubt.positions.add_all([(position, 1) for position in held.in_doubt])
