"""Shows an upload that can't begin: its arguments, its connection or its source can't be used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from airflow_provider_userdata.delivery import Observer, Report, Status


def show(observers: Sequence[Observer], error: BaseException, log: Any) -> None:
    """Tell the observers of an upload that it ended before it began. One that fails is logged."""
    now = datetime.now(UTC)
    status = Status(report=Report.nothing(), started=now, updated=now)
    for one in observers:
        try:
            one.ended(status, error)
        except Exception as failed:  # noqa: BLE001  # it is only shown: the upload's own error counts
            log.warning("%s can't show the upload for now: %s", type(one).__name__, type(failed).__name__)
