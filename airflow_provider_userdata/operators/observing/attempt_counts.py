"""What an attempt itself does: the counts of a status, without those that earlier attempts left to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from airflow_provider_userdata.delivery import Status

FATES = ("delivered", "rejected", "invalid", "refused", "held", "unchanged", "unknown", "valid")
"""What may become of a record. `rejected` are `invalid` (never sent) and `refused` (by the vendor) together."""


def counts(status: Status) -> dict[str, int]:
    """Return the counts of a status by name: `records.<fate>`, `requests.<class>` and `retries`."""
    report = status.report
    records = {f"records.{fate}": int(getattr(report, fate)) for fate in FATES}
    requests = {f"requests.{answers}": count for answers, count in status.requests.items()}
    return {**records, **requests, "retries": report.retries}


class AttemptCounts:
    """Adds up what one attempt does."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._last: Mapping[str, int] = {}

    def begin(self, status: Status) -> None:
        """Note what is counted already."""
        self._began = status.started
        self._last = counts(status)

    def did_send(self, status: Status) -> bool:
        """Return whether it has begun, and is not one that found its run completed."""
        return self._began is not None and not status.repeated

    def gained(self, status: Status) -> dict[str, int]:
        """Return by how much each count has grown since the last call, without those that have not."""
        if not self.did_send(status):
            return {}
        if status.started != self._began:  # the attempt starts over, and counts from nothing
            self._began, self._last = status.started, {}
        now, last = counts(status), self._last
        self._last = now
        return {name: count - last.get(name, 0) for name, count in now.items() if count > last.get(name, 0)}
