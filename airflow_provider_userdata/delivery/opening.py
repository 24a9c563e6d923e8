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
from airflow_provider_userdata.delivery.recording import AttemptFiles
from airflow_provider_userdata.delivery.report import Counters
from airflow_provider_userdata.delivery.resuming import (
    Checkpointer,
    Completed,
    Doubt,
    PositionTracker,
    Recovery,
    any_sent,
)
from airflow_provider_userdata.delivery.sending import Sender
from airflow_provider_userdata.errors import ResumeError, StoppedError

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
        if isinstance(earlier, Completed):
            if earlier_attempts.is_of_this_destination(self.plan, earlier, sent=any_sent(earlier.done)):
                if self.plan.held is not None:
                    await self.file_thread.call(self.plan.held.release_all)
                return earlier
            earlier = None
        if self.change_filter is not None:
            await unless_set(halted, self.change_filter.open())
            if halted.is_set():
                raise StoppedError("the delivery was stopped before it began")
        found = None
        if earlier is not None:
            found = await self.file_thread.call(functools.partial(earlier_attempts.recovered, self.plan, earlier))
        if found is not None:
            await self._resume(found)
        if earlier_attempts.any_unseen(self.plan):
            self.doubt.add_all()
        await self._claim_held(found)
        await self.file_thread.call(self.files.create)
        last = None if found is None else found.checkpoint
        before = [] if found is None else earlier_attempts.before(self.plan.attempt, found)
        await self.checkpointer.save_first(len(self.fates.carried_in), last, before, self.plan.clock)
        return None

    async def _resume(self, found: Recovery) -> None:
        last = found.checkpoint
        self.tally.restore(found.tally)
        self.progress.resume(found)
        await self.file_thread.call(lambda: self.files.go_on(last.host, last.folder, last.journals, last.earlier))
        self.sender.waiting.carry_in(last.waiting_since)
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
