"""Shows an upload in the task's log: what goes where, how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_userdata import registry
from airflow_provider_userdata.delivery import Status
from airflow_provider_userdata.errors import LaterError, OrphanedError, StoppedError
from airflow_provider_userdata.operators.observing.upload import Upload
from airflow_provider_userdata.upload_status import WaitsFor
from airflow_provider_userdata.vendors import by_rule

EVERY = timedelta(seconds=10)
"""Between two lines about the progress."""
_EARLY = timedelta(seconds=1)
"""How much sooner a line may come: calls come a little too early or too late."""
_WAITS: Mapping[WaitsFor, str] = {
    "maintenance": "the vendor is in maintenance",
    "too_many_requests": "the vendor answered 429, too many requests",
    "retry_after": "the vendor asked for a pause",
    "retry": "the vendor failed or gave no answer, and is tried again",
}


class LogObserver:
    """Writes to the task's log: a line at the start, one every ten seconds, and a summary.

    :param log: the task's logger.
    """

    def __init__(self, upload: Upload, log: Any) -> None:
        self._upload = upload
        self._log = log
        self._last: datetime | None = None

    def started(self, status: Status) -> None:
        """Say what goes where."""
        self._last = status.updated
        self._log.info("%s", first_line(self._upload))

    def progressed(self, status: Status) -> None:
        """Say how far it is, unless that was said a moment ago."""
        if self._last is None or status.updated - self._last >= EVERY - _EARLY:
            self._last = status.updated
            self._log.info("%s", progress_line(status))

    def ended(self, status: Status, error: BaseException | None) -> None:
        """Sum up. It is a warning if any records need a look."""
        if self._last is None and not status.repeated:
            return  # nothing began: the error says why
        if status.repeated:
            self._log.info(
                "An earlier attempt had already finished: nothing was sent, and this is its report. To send everything "
                "again, set resume=False"
            )
        report = status.report
        to_look_at = report.rejected + report.held + report.unknown
        tell = self._log.warning if to_look_at and not self._upload.validate_only else self._log.info
        tell("%s", summary(status, error))


def first_line(upload: Upload) -> str:
    """Return what goes where."""
    title = registry.registration(upload.vendor).title
    to = f"{title} ({upload.kind})" if upload.kind else title
    way = f"{to} at {upload.address}, with connection {upload.conn_id!r}"
    if upload.validate_only:
        return f"Checks {upload.source} for {way}, and sends nothing (validate_only)"
    changed = ", only what earlier runs have not delivered" if upload.incremental else ""
    return f"Uploads {upload.source} to {way}{changed}"


def progress_line(status: Status) -> str:
    """Return how far an upload is."""
    report, total = status.report, status.total
    (began, before), (second, delivered) = status.rate[0], status.rate[-1]
    rate = (delivered - before) / (second - began) if second > began else 0.0
    share = ""
    if total:
        left = "" if status.seconds_left is None else f", {status.seconds_left:,.0f} s left"
        share = f" ({min(1.0, report.read / total):.0%} of the source{left})"
    waits = ""
    if status.waiting is not None:
        waits = f"; waits until {status.waiting.until:%H:%M:%S} UTC: {_WAITS[status.waiting.why]}"
    return f"So far: {report.counts()}{share}; {rate:,.0f} records a second{waits}"


def summary(status: Status, error: BaseException | None) -> str:
    """Return how an upload ended: the counts in one line, and below it what to look at."""
    report = status.report
    lines = [f"{_how(error)}: {report.counts()}"]
    if report.reasons:
        lines.append(f"By rule: {by_rule(report.reasons)}")
    lines += [f"Invalid: {fault}: {count:,}" for fault, count in status.faults.items()]
    if status.more_faults:
        lines.append(f"Invalid: and {status.more_faults:,} more reason{'s' * (status.more_faults > 1)}")
    if report.rejects:
        lines.append(f"Rejected, held and unknown records, whole, with the reason of each: {report.rejects}")
    if report.receipts:
        lines.append(f"Receipts: {report.receipts}")
    return "\n    ".join(lines)


def _how(error: BaseException | None) -> str:
    if error is None:
        return "Done"
    if isinstance(error, LaterError):
        return f"Waits until {error.until:%Y-%m-%d %H:%M:%S} UTC"
    return "Stopped" if isinstance(error, StoppedError | OrphanedError) else f"Failed with {type(error).__name__}"
