"""Keeps a delivery's books: its files, its checkpoint, and what earlier attempts wrote in theirs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

import msgspec

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.earlier_attempts import EarlierAttempts
from airflow_provider_userdata.delivery.incremental import ChangeFilter
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.recording import Announcements, AttemptFiles
from airflow_provider_userdata.delivery.report import Counters, Report
from airflow_provider_userdata.delivery.resuming import (
    Checkpoint,
    Completed,
    PositionTracker,
    SentLog,
    any_sent,
    signed,
)
from airflow_provider_userdata.delivery.sending import Sender
from airflow_provider_userdata.errors import (
    LedgerBusyError,
    OutputError,
    ResumeError,
    StoppedError,
)

FIRST_SAVES = 5
"""How often the first checkpoint is tried, once a second, before a delivery gives up."""
LAST_SAVES = 3
"""How often the marker of a run's end is tried, once a second."""
MOST_UNMARKED = 1_000_000
"""How many records may be delivered while the ledger is locked: they are in memory."""
SAVE_SECONDS = 1.0
"""How often a checkpoint is written at most, and lines where a file can't be appended to."""

_log = logging.getLogger(__name__)


class Bookkeeper:
    """Opens and closes a delivery's books, and writes its checkpoint: first the fates, then what covers them.

    :param plan: the delivery.
    :param halted: set when it is to end.
    """

    def __init__(self, plan: Plan, halted: asyncio.Event) -> None:
        self._plan = plan
        self._halted = halted
        self._store = None if plan.validate_only else plan.store
        self._held = None if plan.validate_only else plan.held
        self._files = AttemptFiles(plan.output, plan.attempt)
        self._file_thread = BlockingThread("userdata-files")
        self._airflow_thread = BlockingThread("userdata-airflow")
        self._before = EarlierAttempts(plan, self._file_thread, self._airflow_thread)
        self._saving = asyncio.Lock()
        self._earlier: Checkpoint | None = None
        self._saved: Checkpoint | None = None
        self._store_fails = False
        self._unsaved_since: float | None = None
        self.tally = Counters(plan.clock.seconds)
        self.progress = PositionTracker()
        ledger = None if plan.validate_only else plan.ledger
        self.sieve = None if ledger is None else ChangeFilter(ledger, plan.vendor, shows_recent=plan.shows_recent)
        fewest = plan.max_in_flight * plan.vendor.limits.maximum
        self._ahead = Announcements(self._files.sent, fewest, halted)
        self.sent = SentLog(self._ahead, self.tally, self.progress)
        self.fates = OutcomeLog(self._files, self.sent, self.tally, self.progress, plan.clock, self.sieve)

    @property
    def unsaved(self) -> float:
        """For how many seconds a checkpoint has been waiting to be saved: the store fails, or doesn't answer."""
        return 0.0 if self._unsaved_since is None else self._plan.clock.seconds() - self._unsaved_since

    async def open(self, sender: Sender) -> Completed | None:
        """Find out where an earlier attempt ended, and make this one's files.

        :param sender: learns how long the vendor has kept earlier attempts waiting.
        :return: the marker of a run that has nothing left to send.
        """
        earlier = await self._before.last()
        if isinstance(earlier, Completed) and self._before.is_of_this_destination(earlier, sent=any_sent(earlier.done)):
            if self._held is not None:
                await self._file_thread.call(self._held.settle_all)
            return earlier
        if self.sieve is not None:
            await unless_set(self._halted, self.sieve.open())
            if self._halted.is_set():
                raise StoppedError("the delivery was stopped before it began")
        found = None if earlier is None or isinstance(earlier, Completed) else await self._before.recover(earlier)
        if found is not None:
            earlier = found.checkpoint
            self.tally.restore(found.tally)
            self.progress.resume(found)
            last = found.checkpoint
            await self._file_thread.call(lambda: self._files.go_on(last.host, last.folder, last.journals, last.earlier))
            self._earlier = earlier
            sender.has_waited_since(earlier.waiting_since)
            _log.info(
                "Goes on where attempt %s ended: %d records have their fate, all below position %d; %s are in doubt",
                earlier.attempt,
                len(found.settled),
                found.settled.below,
                "all others" if (doubtful := found.in_doubt.of(found.settled)) is None else doubtful,
            )
        if self._before.any_unseen():
            self.progress.doubt_all()
        held = self._held
        if held is not None:
            claimed = await self._file_thread.call(lambda: held.claim(resuming=found is not None))
            if found is not None and len(claimed) != found.checkpoint.carried_in:
                raise ResumeError(
                    f"held: the run's first {found.checkpoint.carried_in} records were carried in from an earlier run, "
                    f"and {len(claimed)} of them are left: other runs may send the rest. Start over with resume=False"
                )
            self.fates.carry_in(claimed)
            if found is None:
                self.progress.doubt(held.in_doubt)
        await self._file_thread.call(self._files.create)
        await self._save_first(sender)
        return None

    async def _save_first(self, sender: Sender) -> None:
        """Write the first checkpoint: without one, a crash would leave nothing to go on from."""
        for _ in range(FIRST_SAVES):
            await self.save(sender)
            if self._saved is not None:
                return
            await self._plan.clock.wait(asyncio.Event(), SAVE_SECONDS)
        raise OutputError("the checkpoint can't be saved; without one a retry would send all again. Nothing was sent")

    async def save(self, sender: Sender) -> None:
        """Write a checkpoint, if anything has changed, after the fates that it covers and their marks in the ledger.

        A store or a ledger that fails doesn't end the delivery: the files prove what the last checkpoint doesn't cover.

        :raises OutputError: if the fates can't be written.
        :raises LedgerError: if what was delivered can't be marked before something is changed.
        """
        async with self._saving:
            self.fates.write_invalid()
            self._ahead.renew(in_time=True)
            checkpoint = Checkpoint(
                attempt=self._plan.attempt,
                host=socket.gethostname(),
                folder=str(self._plan.output),
                journals=self._files.seal(),
                carried_in=len(self.fates.carried_in),
                tally=self.tally.snapshot(),
                address=self._plan.destination.address,
                account=self._plan.destination.account,
                earlier=self._files.earlier,
                waiting_since=sender.waiting_since,
                until=self._ahead.until,
                ended=self._ahead.closed,
                **self.progress.marks(),
            )
            if not checkpoint.fits or self._awaits_marks():
                checkpoint = self._last_that_fits(checkpoint)
            if self._saved is None or checkpoint.says_more_than(self._saved):
                await self._file_thread.call(self._files.flush)
            self._ahead.kept()
            if self._saved is not None and not checkpoint.says_more_than(self._saved):
                return
            if await self._marked() and await self._stored(checkpoint):
                self._saved = checkpoint

    async def _marked(self) -> bool:
        sieve = self.sieve
        if sieve is None or sieve.ended:
            return sieve is None or not sieve.unmarked
        try:
            await sieve.mark()
        except LedgerBusyError as error:
            if sieve.unmarked > MOST_UNMARKED:
                raise
            _log.warning("What was delivered can't be marked in the ledger for now: %s", error)
            return False
        return True

    def _awaits_marks(self) -> bool:
        """Say whether the receipts of an earlier attempt prove what the ledger doesn't have yet, as it should."""
        return self.sieve is not None and not self.sieve.keeps_states and self.progress.awaits_proven

    def _last_that_fits(self, checkpoint: Checkpoint) -> Checkpoint:
        """Give the last one instead of one that is too large, or too early: both's files prove all that came after."""
        last = self._saved or self._earlier or checkpoint
        return msgspec.structs.replace(
            last,
            attempt=checkpoint.attempt,
            host=checkpoint.host,
            folder=checkpoint.folder,
            journals={**checkpoint.journals, **last.journals},
            earlier=checkpoint.earlier,
            waiting_since=checkpoint.waiting_since,
            doubt_below=checkpoint.doubt_below,
            until=checkpoint.until,
            ended=checkpoint.ended,
        )

    async def save_now_and_then(self, sender: Sender) -> None:
        """Write a checkpoint once a second."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            await self.save(sender)
            if self._held is not None and self._held.has_claimed:
                await self._file_thread.call(self._held.renew)

    async def announce_as_wanted(self) -> None:
        """Say what may go before the next second, where that can't wait so long.

        :raises OutputError: if it can't be written.
        """
        while True:
            await self._ahead.wanted()
            self._ahead.renew(in_time=False)
            self._files.sent.seal()
            await self._file_thread.call(self._files.sent.flush)
            self._ahead.kept()

    async def save_last(self, sender: Sender) -> None:
        """Write a checkpoint after which nothing is sent.

        :raises OutputError: if the fates can't be written.
        :raises LedgerError: if what was delivered can't be marked before something is changed.
        """
        self._ahead.close()
        await self.save(sender)

    async def mark_as_proofs_come(self) -> None:
        """Enter into the ledger what was delivered; where that fails for now, the next checkpoint says so.

        :raises LedgerError: if something has to be changed before anything can be marked.
        """
        while self.sieve is not None:
            with contextlib.suppress(LedgerBusyError):
                await self.sieve.mark_as_proofs_come()
            await asyncio.sleep(SAVE_SECONDS)

    async def show(self, tell: Callable[[Report, int | None], None]) -> None:
        """Let people see the progress: a call to Airflow."""
        report, total = self.fates.report(), self._plan.source.total
        try:
            await self._airflow_thread.call(lambda: tell(report, total))
        except Exception as error:  # noqa: BLE001  # it is only shown: the next one may get through
            _log.warning("The progress can't be shown for now: %s", type(error).__name__)

    async def close(self, *, ended: bool, comes_back: bool) -> None:
        """Write what is left, after the last checkpoint, and end.

        :param ended: whether the source was read to its end, and each record has its fate.
        :param comes_back: whether an attempt after this one is to be expected, where it was not.
        :raises OutputError: if it can't be written.
        """
        try:
            await self._file_thread.call(lambda: self._write_left(ended=ended, comes_back=comes_back))
        finally:
            self.tally.settle_rest()
            await self._file_thread.call(self._files.close)

    async def mark_done(self, report: Report, *, red: bool) -> None:
        """Leave the marker of a run that has nothing left to send, in place of the checkpoint."""
        held = self._held
        if await self._stored_done(report, red=red):
            await self._file_thread.call(self._files.remove_sent)
        if held is not None:
            await self._file_thread.call(lambda: held.settle(read=True, ended=True))

    async def _stored_done(self, report: Report, *, red: bool) -> bool:
        """Keep the marker of a run's end, and try again where that fails: without it, a clear would send all again."""
        store, destination = self._store, self._plan.destination
        if store is None:
            return True
        done = Completed(
            done=report.as_dict(),
            red=red,
            max_tries=store.max_tries,
            address=destination.address,
            account=destination.account,
        )
        for _ in range(LAST_SAVES):
            if await self._stored(done):
                return True
            await self._plan.clock.wait(asyncio.Event(), SAVE_SECONDS)
        return False

    async def end_ledger(self, stopped: asyncio.Event, longest: float) -> None:
        """Mark what was delivered, and close the ledger.

        :param stopped: set when the process is about to be killed, before this or in the middle of it.
        :param longest: seconds that it may take from then on.
        :raises LedgerError: if something has to change first.
        :raises LedgerBusyError: if it is locked, or can't be reached.
        """
        if self.sieve is not None:
            ending = asyncio.ensure_future(self.sieve.end())
            await unless_set(stopped, asyncio.shield(ending))
            if not (await asyncio.wait([ending], timeout=longest))[0]:
                raise LedgerBusyError("ledger: what was delivered last could not be marked in time; a retry marks it")
            ending.result()

    def end(self) -> None:
        """Let the threads end."""
        self._file_thread.close()
        self._airflow_thread.close()

    async def _stored(self, value: Checkpoint | Completed) -> bool:
        store = self._store
        if store is None:
            return True
        if self._unsaved_since is None:
            self._unsaved_since = self._plan.clock.seconds()
        try:
            await self._airflow_thread.call(lambda: store.save(msgspec.to_builtins(signed(value))))
        except Exception as error:  # noqa: BLE001  # Airflow's side may fail in any way; the next second tries again
            if not self._store_fails:
                _log.warning("The checkpoint can't be saved for now: %s", type(error).__name__)
            self._store_fails = True
            return False
        self._store_fails, self._unsaved_since = False, None
        return True

    def _write_left(self, *, ended: bool, comes_back: bool) -> None:
        held = self._held
        if not ended and comes_back:
            held = None  # the next attempt of this run carries in what this one has claimed
        try:
            self.fates.write_left()
            self._files.seal()
            self._files.flush()
            self._files.check()
        except OutputError:
            if held is not None:
                held.settle(read=False, ended=False)
            raise
        if held is None:
            return
        again = self.fates.held_over(carried_in=True)
        untouched = not ended and len(again) == len(self.fates.carried_in)
        if not untouched:
            held.keep(again, carried_in=True)
        held.keep(self.fates.held_over(carried_in=False), carried_in=False)
        if not ended:
            held.settle(read=not untouched, ended=False)
