"""Shows an upload that can't begin: its arguments, its connection or its source can't be used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from airflow_provider_userdata.delivery import Observer, Report, Status

_NOTHING = Report(
    read=0,
    delivered=0,
    rejected=0,
    invalid=0,
    refused=0,
    held=0,
    unchanged=0,
    unknown=0,
    resent=0,
    requests=0,
    retries=0,
    bytes=0,
    seconds=0.0,
    rejects=None,
    receipts=None,
)


def show(observers: Sequence[Observer], error: BaseException, log: Any) -> None:
    """Tell the observers of an upload that it ended before it began. One that fails is logged."""
    now = datetime.now(UTC)
    status = Status(report=_NOTHING, started=now, updated=now)
    for one in observers:
        try:
            one.ended(status, error)
        except Exception as failed:  # noqa: BLE001  # it is only shown: the upload's own error counts
            log.warning("%s can't show the upload for now: %s", type(one).__name__, type(failed).__name__)
