"""How far a delivery is, for those who show it: the log, Airflow's UI, metrics, traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from airflow_provider_userdata.delivery.report import Report
from airflow_provider_userdata.upload_status import EarlierAttempt, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a delivery is: numbers, times and rules, nothing of a record.

    :param report: the counts so far. They include those of the attempts before, if this one goes on from there.
    :param started: when this attempt began.
    :param updated: when this was so.
    :param total: how many records the source has; None if unknown.
    :param in_flight: how many requests are being sent or answered.
    :param max_in_flight: the most that may be.
    :param waiting: what the delivery waits for before it sends anything more; None if it sends.
    :param requests: how many requests were answered how: `2xx`, `3xx`, `4xx` (without 429), `429`, `5xx`, or `none`
        without an answer. Classes that did not occur are left out.
    :param rate: points of seconds since this attempt's start, and the records delivered by then.
    :param seconds_left: None if unknown.
    :param attempts: the attempts before this one, and how far they had come.
    :param faults: what is wrong with most invalid records, such as `G8 $.unit is missing`, with their number.
    :param more_faults: how many different faults there are beside those.
    :param repeated: whether an earlier attempt had completed the run: nothing is sent, and the counts are that one's.
    """

    report: Report
    started: datetime
    updated: datetime
    total: int | None = None
    in_flight: int = 0
    max_in_flight: int = 0
    waiting: Waiting | None = None
    requests: Mapping[str, int] = field(default_factory=dict)
    rate: Sequence[tuple[float, int]] = ()
    seconds_left: float | None = None
    attempts: Sequence[EarlierAttempt] = ()
    faults: Mapping[str, int] = field(default_factory=dict)
    more_faults: int = 0
    repeated: bool = False


class Observer(Protocol):
    """Shows a delivery somewhere. All calls come from one thread, which is not the delivery's; they may block.

    One that fails is logged by the type of its error, and harms nothing.
    """

    def started(self, status: Status) -> None:
        """Show that an attempt begins: what earlier ones left is known, and nothing was sent yet."""

    def progressed(self, status: Status) -> None:
        """Show how far it is. Called every few seconds."""

    def ended(self, status: Status, error: BaseException | None) -> None:
        """Show how it ended. Called once, whatever happened, also if it never started.

        :param error: what ended it, a `LaterError` if it comes back after a wait; None if nothing went wrong.
        """
