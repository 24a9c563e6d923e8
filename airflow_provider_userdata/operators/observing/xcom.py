"""Shows an upload in Airflow's UI: writes the XCom `userdata_upload`."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from airflow_provider_userdata.delivery import Status
from airflow_provider_userdata.errors import LaterError, OrphanedError, RejectsError, StoppedError
from airflow_provider_userdata.operators.observing.upload import Upload
from airflow_provider_userdata.upload_status import KEY, LONGEST_TEXT, MOST_FAULTS, MOST_REASONS, UploadStatus

State = Literal["delivering", "waiting", "deferred", "done", "rejected", "failed", "stopped"]


class XComObserver:
    """Writes the XCom at the start of an upload, while it runs, and at its end.

    :param ti: the task instance.
    """

    def __init__(self, upload: Upload, ti: Any) -> None:
        self._upload = upload
        self._ti = ti

    def started(self, status: Status) -> None:
        """Show that it starts."""
        self.progressed(status)

    def progressed(self, status: Status) -> None:
        """Show how far it is."""
        self._push(status, "delivering" if status.waiting is None else "waiting")

    def ended(self, status: Status, error: BaseException | None) -> None:
        """Show how it ended; of a process that nobody supervises any more, nothing: another may have begun."""
        if not isinstance(error, OrphanedError):
            self._push(status, state_of(error), error)

    def _push(self, status: Status, state: State, error: BaseException | None = None) -> None:
        self._ti.xcom_push(key=KEY, value=shown(self._upload, status, state, error).as_dict())


def state_of(error: BaseException | None) -> State:
    """Return the state of an upload that has ended."""
    match error:
        case None:
            return "done"
        case RejectsError():
            return "rejected"
        case LaterError():
            return "deferred"
        case StoppedError():
            return "stopped"
        case _:
            return "failed"


def shown(upload: Upload, status: Status, state: State, error: BaseException | None = None) -> UploadStatus:
    """Return what Airflow's UI shows of an upload."""
    report, texts = status.report, slice(LONGEST_TEXT)
    return UploadStatus(
        vendor=upload.vendor[texts],
        kind=upload.kind[texts],
        conn_id=upload.conn_id[texts],
        label=upload.label[texts],
        state=state,
        error="" if error is None or state == "deferred" else type(error).__name__,
        started=status.started,
        updated=status.updated,
        attempt=upload.attempt,
        validate_only=upload.validate_only,
        incremental=upload.incremental,
        resume=upload.resume,
        replay=upload.replay,
        read=report.read,
        total=status.total,
        delivered=report.delivered,
        rejected=report.rejected,
        invalid=report.invalid,
        refused=report.refused,
        held=report.held,
        unchanged=report.unchanged,
        unknown=report.unknown,
        valid=report.valid,
        would_send=report.would_send,
        resent=report.resent,
        requests=dict(status.requests),  # type: ignore[arg-type]  # its keys are classes of answers
        retries=report.retries,
        bytes=report.bytes,
        in_flight=status.in_flight,
        max_in_flight=status.max_in_flight,
        waiting=status.waiting if state in ("waiting", "deferred") else None,
        seconds=report.seconds,
        seconds_left=status.seconds_left if state in ("delivering", "waiting") else None,
        reasons=dict(islice(report.reasons.items(), MOST_REASONS)),
        faults={text[texts]: count for text, count in islice(status.faults.items(), MOST_FAULTS)},
        rate=list(status.rate),
        attempts=list(status.attempts),
    )
