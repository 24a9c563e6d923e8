"""Watches a delivery, and says how far it is."""

from __future__ import annotations

from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.rate_curve import RateCurve
from airflow_provider_userdata.delivery.report import Counters, Report
from airflow_provider_userdata.delivery.resuming import Checkpointer
from airflow_provider_userdata.delivery.sending import Sender
from airflow_provider_userdata.delivery.status import Status
from airflow_provider_userdata.delivery.validation import Validator

SHOWN_FAULTS = 5
"""Reasons of invalid records that are shown, the most frequent ones."""


class Watch:
    """Makes the status of one attempt. Used on the event loop."""

    def __init__(
        self,
        plan: Plan,
        fates: OutcomeLog,
        tally: Counters,
        checker: Validator,
        sender: Sender,
        checkpointer: Checkpointer,
    ) -> None:
        self._plan = plan
        self._fates = fates
        self._tally = tally
        self._checker = checker
        self._sender = sender
        self._checkpointer = checkpointer
        self._began = plan.clock.seconds()
        self._started = plan.clock.now()
        self._settled = 0
        self._rate = RateCurve()

    def begin(self) -> None:
        """Note what earlier attempts had done: the rate and the time left are this one's."""
        self._settled = self._tally.settled
        self._rate.add(0.0, self._tally.delivered)

    def faults(self) -> dict[str, int]:
        """Return what is wrong with most invalid records, in words that may be logged."""
        return self._checker.most_frequent(SHOWN_FAULTS)

    def status(self, report: Report | None = None) -> Status:
        """Return how far the delivery is.

        :param report: of a run that an earlier attempt completed.
        """
        plan, tally, sender = self._plan, self._tally, self._sender
        second = round(plan.clock.seconds() - self._began, 1)
        in_flight = sender.pace.in_flight
        if report is None:
            self._rate.add(second, tally.delivered)
        return Status(
            report=report or self._fates.report(),
            started=self._started,
            updated=plan.clock.now(),
            total=plan.source.total,
            in_flight=in_flight,
            max_in_flight=plan.max_in_flight,
            waiting=sender.pauses.now(in_flight),
            requests=tally.answers,
            rate=() if report is not None else self._rate.points(second, tally.delivered),
            seconds_left=self._seconds_left(second),
            attempts=self._checkpointer.attempts,
            faults=self.faults(),
            more_faults=max(self._checker.different_faults - SHOWN_FAULTS, 0),
            repeated=report is not None,
        )

    def _seconds_left(self, second: float) -> float | None:
        """Return the time that the rest takes, if it takes as long as what this attempt has done."""
        total, done = self._plan.source.total, self._tally.settled - self._settled
        if total is None or done <= 0:
            return None
        left = total + len(self._fates.carried_in) - self._tally.settled
        return round(max(0, left) * second / done, 1)
