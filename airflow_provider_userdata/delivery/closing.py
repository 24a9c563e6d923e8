"""Ends an attempt: writes what is left, and leaves the marker of a run that has nothing left to send."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import msgspec

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.recording import AttemptFiles
from airflow_provider_userdata.delivery.report import Counters, Report
from airflow_provider_userdata.delivery.resuming import Completed, StoreWriter
from airflow_provider_userdata.errors import OutputError, RejectsError
from airflow_provider_userdata.vendors import by_rule


@dataclass(eq=False, repr=False)
class Closing:
    """Ends one attempt."""

    plan: Plan
    files: AttemptFiles
    file_thread: BlockingThread
    tally: Counters
    fates: OutcomeLog
    writer: StoreWriter

    async def close(self, *, complete: bool, comes_back: bool) -> None:
        """Write what is left after the last checkpoint, and close the files.

        :param complete: whether the source was read to its end, and each record has its fate.
        :param comes_back: whether another attempt is to be expected where it was not.
        :raises OutputError: if it can't be written.
        """
        if self.fates.progress.is_correcting:
            self.fates.keep_as_it_was()
        try:
            await self.file_thread.call(lambda: self._write_left(complete=complete, comes_back=comes_back))
        finally:
            self.tally.record_rest_as_unknown()
            await self.file_thread.call(self.files.close)

    async def mark_completed(self, report: Report, *, red: bool, earlier: Completed | None = None) -> None:
        """Save the marker of a completed run in place of the checkpoint, and end the claims on carried-over records.

        :param red: whether it had more rejects than the task allows.
        :param earlier: the marker that an earlier attempt saved.
        :raises OutputError: if the folder of held records can't be used.
        """
        plan = self.plan
        marker = msgspec.structs.replace(
            earlier or self._marker(report),
            red=red,
            max_tries=0 if plan.store is None else plan.store.max_tries,
            address=plan.destination.address,
            account=plan.destination.account,
        )
        held = self.plan.held
        if await self.writer.save_completed(marker):
            await self.file_thread.call(self.files.remove_unneeded)
        if held is not None:
            await self.file_thread.call(lambda: held.release(read=True, complete=True))

    def _marker(self, report: Report) -> Completed:
        rows, digest = self.fates.progress.read
        return Completed(
            done=report.as_dict(),
            red=False,
            max_tries=0,
            rows=rows,
            digest=digest,
            carried_in=len(self.fates.carried_in),
            journals=self.files.to_be_read,
            host=socket.gethostname(),
            folder=str(self.plan.output),
            answers=self.tally.answers,
        )

    def _write_left(self, *, complete: bool, comes_back: bool) -> None:
        # Where another attempt of this run comes, it carries in what this one has claimed.
        held = None if comes_back and not complete else self.plan.held
        try:
            self.fates.write_left()
            self.files.seal()
            self.files.flush()
            self.files.check()
        except OutputError:
            if held is not None:
                held.release(read=False, complete=False)
            raise
        if held is None:
            return
        again = self.fates.count_carried_on()
        untouched = not complete and again == len(self.fates.carried_in)
        if again and not untouched:
            held.keep_on(self.fates.carried_on())
        held.keep(self.fates.held_over)
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
    return RejectsError(
        f"max_rejected={allowed:g}: {report.rejected:,} of {report.read:,} records were rejected and "
        f"{report.unknown:,} are unknown{f'; the first: {first_fault}' if first_fault else ''}. "
        f"By rule: {by_rule(report.reasons)}. "
        f"{sent}; see {report.rejects}.{'' if plan.validate_only else f' {_what_to_do(plan, report)}'}"
    )


def _what_to_do(plan: Plan, report: Report) -> str:
    """Return what helps a run that is red: what is sent if somebody clears its task."""
    if not report.rejected:
        return "Only the vendor knows whether the unknown ones arrived: clearing the task doesn't send them again"
    if plan.resume or plan.ledger is not None:
        sends = "it sends only what was not delivered"
    else:
        sends = "it sends everything again (resume=False)"
    return f"Correct them in the source, each in its place, and clear the task: {sends}. Or raise max_rejected"
