"""Ends an attempt: writes what is left, and leaves the marker of a run that has nothing left to send."""

from __future__ import annotations

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.recording import AttemptFiles
from airflow_provider_userdata.delivery.report import Counters, Report
from airflow_provider_userdata.delivery.resuming import Completed, StoreWriter
from airflow_provider_userdata.errors import OutputError, RejectsError
from airflow_provider_userdata.vendors import by_rule


class Closing:
    """Ends one attempt."""

    def __init__(
        self,
        plan: Plan,
        files: AttemptFiles,
        file_thread: BlockingThread,
        tally: Counters,
        fates: OutcomeLog,
        writer: StoreWriter,
    ) -> None:
        self._plan = plan
        self._held = None if plan.validate_only else plan.held
        self._files = files
        self._file_thread = file_thread
        self._tally = tally
        self._fates = fates
        self._writer = writer

    async def close(self, *, complete: bool, comes_back: bool) -> None:
        """Write what is left after the last checkpoint, and close the files.

        :param complete: whether the source was read to its end, and each record has its fate.
        :param comes_back: whether another attempt is to be expected where it was not.
        :raises OutputError: if it can't be written.
        """
        try:
            await self._file_thread.call(lambda: self._write_left(complete=complete, comes_back=comes_back))
        finally:
            self._tally.record_rest_as_unknown()
            await self._file_thread.call(self._files.close)

    async def mark_completed(self, report: Report, *, red: bool) -> None:
        """Save the marker of a completed run in place of the checkpoint, and end the claims on carried-over records.

        :param red: whether it had more rejects than the task allows.
        :raises OutputError: if the folder of held records can't be used.
        """
        store, destination = None if self._plan.validate_only else self._plan.store, self._plan.destination
        marker = Completed(
            done=report.as_dict(),
            red=red,
            max_tries=0 if store is None else store.max_tries,
            address=destination.address,
            account=destination.account,
        )
        held = self._held
        if await self._writer.save_completed(marker):
            await self._file_thread.call(self._files.remove_sent)
        if held is not None:
            await self._file_thread.call(lambda: held.release(read=True, complete=True))

    def _write_left(self, *, complete: bool, comes_back: bool) -> None:
        held = self._held
        if not complete and comes_back:
            held = None  # the next attempt of this run carries in what this one has claimed
        try:
            self._fates.write_left()
            self._files.seal()
            self._files.flush()
            self._files.check()
        except OutputError:
            if held is not None:
                held.release(read=False, complete=False)
            raise
        if held is None:
            return
        again = self._fates.held_over(carried_in=True)
        untouched = not complete and len(again) == len(self._fates.carried_in)
        if not untouched:
            held.keep(again, carried_in=True)
        held.keep(self._fates.held_over(carried_in=False), carried_in=False)
        if not complete:
            held.release(read=not untouched, complete=False)


def rejects_error(plan: Plan, report: Report, first_fault: str | None) -> RejectsError | None:
    """Return the error of a run with more rejected and unknown records than the task allows; None if it has fewer.

    :param first_fault: where the first invalid record is, in words that may be logged.
    """
    allowed = plan.max_rejected
    if not report.exceeds(allowed):
        return None
    sent = "All that could be delivered was" if not plan.validate_only else "Nothing was sent (validate_only)"
    cleared = "If cleared, the task sends nothing again: raise max_rejected, or send all records with resume=False"
    return RejectsError(
        f"max_rejected={allowed:g}: {report.rejected:,} of {report.read:,} records were rejected and "
        f"{report.unknown:,} are unknown{f'; the first: {first_fault}' if first_fault else ''}. "
        f"By rule: {by_rule(report.reasons)}. "
        f"{sent}; see {report.rejects}.{'' if plan.validate_only else f' {cleared}'}"
    )
