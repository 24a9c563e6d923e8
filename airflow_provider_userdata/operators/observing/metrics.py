"""An upload in Airflow's metrics, which go to StatsD, Datadog or OpenTelemetry: `userdata.<vendor>.…`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_userdata.airflow_compat import Stats, conf
from airflow_provider_userdata.delivery import Observer, Status
from airflow_provider_userdata.operators.observing.attempt_counts import AttemptCounts
from airflow_provider_userdata.operators.observing.upload import Upload

_SWITCHES = ("statsd_on", "statsd_datadog_enabled", "otel_on")
_NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9_.-]")


def metrics(upload: Upload, ti: Any) -> Observer | None:
    """Return what sends an upload's metrics; None if Airflow's metrics are off.

    :param ti: the task's instance, for Airflow's own tags.
    """
    if not any(conf.getboolean("metrics", switch, fallback=False) for switch in _SWITCHES):
        return None
    tags = {**getattr(ti, "stats_tags", {}), "vendor": upload.vendor}
    if upload.kind:
        tags["kind"] = _NOT_IN_TAGS.sub("_", upload.kind)  # InfluxDB's form gives some characters a meaning
    return Metrics(upload.vendor, tags)


class Metrics:
    """Counts what this attempt does. StatsD drops tags, so that what tells metrics apart is in their names too.

    :param tags: those of all its metrics.
    """

    def __init__(self, vendor: str, tags: Mapping[str, str]) -> None:
        self._name = f"userdata.{vendor}"
        self._tags = dict(tags)
        self._counts = AttemptCounts()

    def started(self, status: Status) -> None:
        """Note what earlier attempts have counted: they have told it."""
        self._counts.begin(status)

    def progressed(self, status: Status) -> None:
        """Send what was added."""
        self._count(status)
        self._show_in_flight(status.in_flight)

    def ended(self, status: Status, error: BaseException | None) -> None:  # noqa: ARG002  # Airflow has metrics of failed tasks
        """Send the rest, and how long it took."""
        if self._counts.did_send(status):
            self._count(status)
            self._show_in_flight(0)
            Stats.timing(f"{self._name}.seconds", max(status.updated - status.started, timedelta()), tags=self._tags)

    def _count(self, status: Status) -> None:
        for name, count in self._counts.gained(status).items():
            what, _, which = name.partition(".")
            tag = {"records": "fate", "requests": "class"}.get(what)
            tags = {**self._tags, tag: which} if tag else self._tags
            Stats.incr(f"{self._name}.{name}", count, tags=tags)

    def _show_in_flight(self, requests: int) -> None:
        Stats.gauge(f"{self._name}.in_flight", requests, tags=self._tags)
