"""Delivers one batch: sends it, splits it if it is refused, and writes each record's fate."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_userdata.delivery.incremental import ChangeFilter, with_duplicates
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.recording import Rejection
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.delivery.sending import (
    BLIND_LEVELS,
    BLIND_REQUESTS,
    Batch,
    BisectionBudget,
    FollowUps,
    GaveUp,
    Introductions,
    Outcome,
    Sender,
    Sizes,
)
from airflow_provider_userdata.errors import LaterError, RefusedError, VendorDownError, unexpected
from airflow_provider_userdata.records import first_user
from airflow_provider_userdata.vendors import (
    LEFT_AT_THE_END,
    NOT_ACCEPTED,
    UNANSWERED,
    Accepted,
    Refused,
    Stop,
    Unproven,
    UserRefused,
    Vendor,
)


def gave_up_error(vendor: str, reason: str, until: datetime | None) -> LaterError | VendorDownError:
    """Return the error of a run that stops trying, until when it is to come back, or None if the vendor is down."""
    message = f"{vendor}: {reason}"
    return VendorDownError(message) if until is None else LaterError(message, until)


@dataclass(eq=False, repr=False)
class BatchDelivery:
    """Delivers the batches of one run.

    :param refusals: limits how often refused batches are halved.
    :param introductions: introduce users to the vendor before their first records.
    :param follow_ups: are sent after the delivery.
    :param sizes: the largest request that the vendor accepts, learned from this run's answers.
    :param change_filter: knows the duplicates of records, in an incremental run; None otherwise.
    :param halt: ends the run; called with the reason, and the rule for the records that are left.
    """

    vendor: Vendor
    sender: Sender
    refusals: BisectionBudget
    sizes: Sizes
    introductions: Introductions
    follow_ups: FollowUps
    fates: OutcomeLog
    change_filter: ChangeFilter | None
    halt: Callable[[BaseException, str], None]

    async def deliver(self, batch: Batch) -> None:
        """Send a batch, and its parts if it is refused, until each record has its fate.

        :raises UnexpectedError: instead of an exception that would end the process, such as `SystemExit`.
        """
        try:
            if (barred := await self._barred(batch)) is None:
                await self._deliver(batch)
            else:
                self._record(batch, barred, in_doubt=False)
        except (Exception, asyncio.CancelledError):
            raise
        except BaseException as error:
            raise unexpected(error) from error

    async def _deliver(self, batch: Batch) -> None:
        accepted = refused = too_large = foreign = 0
        doubted = False
        waiting = deque([(batch, 0)])
        undecided: list[tuple[Batch, int, Outcome]] = []
        while waiting:
            whole, level = waiting.popleft()
            records, *others = self.sizes.parts(whole)
            waiting.extendleft((other, level) for other in reversed(others))
            outcome = await self._send(records, in_doubt=doubted)
            # The vendor may have what was in doubt and then refused as a whole, and so it may have the parts.
            doubted = doubted or (outcome.in_doubt and isinstance(outcome.meaning, Refused))
            if isinstance(outcome.meaning, Refused) and outcome.meaning.too_large:
                refused, too_large = refused + 1, too_large + 1
                self.sizes.refused(len(records), outcome.size)
                waiting.extendleft((part, level) for part in reversed(self._smaller(records, outcome)))
                if not accepted and too_large >= BLIND_REQUESTS:
                    while waiting:  # even small parts were refused
                        self._reject(waiting.popleft()[0], outcome)
            elif isinstance(outcome.meaning, Refused):
                refused += 1
                undecided.append((records, level, outcome))
            else:
                if isinstance(outcome.meaning, Accepted):
                    accepted += 1
                    self.sizes.accepted(len(records), outcome.size)
                foreign += isinstance(outcome.meaning, Unproven) and outcome.meaning.foreign
                self._record(records, outcome, in_doubt=doubted or outcome.in_doubt)
            if accepted or level < BLIND_LEVELS or not waiting:
                # At the last blind level, wait for all its parts: only an accepted one shows that halving helps.
                for part in undecided:
                    waiting.extend(self._halved(*part, any_accepted=accepted > 0))
                undecided = []
        if accepted:
            await self.follow_ups.delivered(first_user(batch))
        self._stop_if_hopeless(batch, accepted, refused, foreign)

    async def _barred(self, batch: Batch) -> Outcome | None:
        """Return why a batch can't go, if its user has to be introduced first and can't be; else None."""
        try:
            return await self.introductions.before(batch)
        except asyncio.CancelledError:
            return Outcome(GaveUp(LEFT_AT_THE_END, "the delivery was stopped before this could be sent", halted=True))
        except Exception as error:  # noqa: BLE001  # after any error, these records still need their fate
            reason = f"{type(error).__name__} ended the delivery"
            return Outcome(GaveUp(LEFT_AT_THE_END, reason, halted=True, error=error))

    def _halved(self, records: Batch, level: int, outcome: Outcome, *, any_accepted: bool) -> list[tuple[Batch, int]]:
        """Return the halves of a refused part with their level, or reject the part if it can't be halved."""
        halves = self.refusals.halves(records, level, any_accepted=any_accepted)
        if not halves:
            self._reject(records, outcome)
        return [(half, level + 1) for half in halves]

    def _smaller(self, records: Batch, outcome: Outcome) -> list[Batch]:
        """Return smaller parts of a request that was too large, or reject it if it can't be split."""
        parts = self.sizes.parts(records, fewest=2)
        if len(parts) > 1:
            return parts
        self._reject(records, outcome)
        return []

    async def _send(self, records: Batch, *, in_doubt: bool) -> Outcome:
        try:
            return await self.sender.send(records, in_doubt=in_doubt)
        except asyncio.CancelledError:
            # The delivery was stopped: the vendor may have accepted the request, and its records need their fate.
            stopped = GaveUp(UNANSWERED, "it was in flight when the delivery was stopped", halted=True)
            return Outcome(stopped, in_doubt=True)
        except BaseException as error:  # noqa: BLE001  # after any error, these records still need their fate
            self.halt(error, LEFT_AT_THE_END)
            return Outcome(
                GaveUp(LEFT_AT_THE_END, f"{type(error).__name__} ended the delivery", halted=True), in_doubt=True
            )

    def _record(self, records: Batch, outcome: Outcome, *, in_doubt: bool) -> None:
        status = outcome.answer.status if outcome.answer is not None else None
        match outcome.meaning:
            case Accepted():
                assert outcome.answer is not None  # noqa: S101  # only an answer can mean acceptance
                receipt = self.vendor.receipt(records, outcome.answer)
                self.fates.record_delivered(records, outcome.answer.status, receipt, in_doubt=outcome.in_doubt)
                if self.change_filter is not None:
                    self.fates.record_unchanged(self.change_filter.record_delivered(records, in_doubt=outcome.in_doubt))
            case Unproven(rule, reason, _):
                self._none_delivered(records, Rejection(Fate.UNKNOWN, rule, reason, status=status))
            case UserRefused(rule, reason):
                fate = Fate.UNKNOWN if in_doubt else Fate.REJECTED
                self._none_delivered(records, Rejection(fate, rule, reason, status=status))
                self._stop_if_no_users(records)
            case GaveUp(rule, reason, halted, until, error):
                fate, rule = (Fate.UNKNOWN, UNANSWERED) if in_doubt else (Fate.HELD, rule)
                self._leave(records, Rejection(fate, rule, reason, status=status))
                if error is not None:
                    self.halt(error, rule)
                elif not halted:
                    self.halt(gave_up_error(self.vendor.name, reason, until), rule)
            case Stop(rule, reason):
                fate = Fate.UNKNOWN if in_doubt else Fate.HELD
                self._leave(records, Rejection(fate, rule, reason, status=status))
                self.halt(RefusedError(f"{self.vendor.name} {reason} ({rule})"), rule)

    def _reject(self, records: Batch, outcome: Outcome) -> None:
        """Reject refused records: one by the vendor's rule, several as suspects that can't be told apart."""
        status = outcome.answer.status if outcome.answer is not None else None
        refused = outcome.meaning
        assert isinstance(refused, Refused)  # noqa: S101  # only refused records are rejected
        if len(records) == 1:
            why = Rejection(Fate.REJECTED, refused.rule, refused.reason, refused.path, status)
        else:
            reason = f"is one of {len(records)} that were refused together; {refused.reason}"
            why = Rejection(Fate.REJECTED, self.vendor.suspect_rule, reason, status=status)
        self._none_delivered(records, why)

    def _none_delivered(self, records: Batch, why: Rejection) -> None:
        in_doubt = why.fate is Fate.UNKNOWN
        self.fates.record_not_delivered(with_duplicates(self.change_filter, records, in_doubt=in_doubt), why)

    def _leave(self, records: Batch, why: Rejection) -> None:
        in_doubt = why.fate is Fate.UNKNOWN
        self.fates.leave(with_duplicates(self.change_filter, records, in_doubt=in_doubt), why)

    def _stop_if_no_users(self, records: Batch) -> None:
        """Stop the run if the vendor takes no user's records: no user is at fault (G14)."""
        if self.refusals.user_refused(first_user(records)):
            reason = (
                "took no user's records for a while: the fault is hardly a user's. The rejects file has the answers"
            )
            self.halt(RefusedError(f"{self.vendor.name} {reason} ({NOT_ACCEPTED})"), NOT_ACCEPTED)

    def _stop_if_hopeless(self, batch: Batch, accepted: int, refused: int, foreign: int) -> None:
        """Stop the run if the vendor refuses everything, or something else answers: no record is at fault (A4)."""
        if accepted:
            self.refusals.accepted()
        elif (refused or foreign) and self.refusals.none_accepted(len(batch)):
            what = "refused every request" if refused else "gave no answer of its own to any request"
            look_at = "the fault is hardly a record's." if refused else "does a proxy answer in its place?"
            reason = f"{what} for a while: {look_at} The rejects file has the answers"
            self.halt(RefusedError(f"{self.vendor.name} {reason} ({NOT_ACCEPTED})"), NOT_ACCEPTED)
