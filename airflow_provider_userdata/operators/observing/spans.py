"""An upload as a span, where Airflow's traces are on: one for each attempt."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_userdata import __version__
from airflow_provider_userdata.delivery import Observer, Status
from airflow_provider_userdata.errors import LaterError
from airflow_provider_userdata.operators.observing.attempt_counts import AttemptCounts
from airflow_provider_userdata.operators.observing.upload import Upload

if TYPE_CHECKING:
    from opentelemetry.trace import Span

NAME = "userdata.upload"


def spans(upload: Upload) -> Observer | None:
    """Return what makes a span of an upload; None if nobody has loaded OpenTelemetry.

    Call it on the thread whose current span, the task's, is to be above it.
    """
    if "opentelemetry.trace" not in sys.modules:
        return None  # Airflow loads it before a task, if traces are on
    place = urlsplit(upload.address)
    named = ("vendor", "kind", "conn_id", "attempt", "validate_only", "incremental")
    attributes = {f"userdata.{name}": getattr(upload, name) for name in named}
    attributes |= {"server.address": place.hostname, "server.port": place.port}
    return Spans({name: value for name, value in attributes.items() if value not in (None, "")})


class Spans:
    """Makes a span, below that of the task.

    :param attributes: what is known before it starts.
    """

    def __init__(self, attributes: Mapping[str, str | int | bool]) -> None:
        from opentelemetry import context

        self._attributes = attributes
        self._parent = context.get_current()  # of this thread; the calls below come from another
        self._began = time.time_ns()
        self._span: Span | None = None
        self._counts = AttemptCounts()
        self._waiting: object = None

    def started(self, status: Status) -> None:
        """Start the span."""
        self._counts.begin(status)
        self._span = self._span or self._new_span()

    def progressed(self, status: Status) -> None:
        """Add an event if the upload waits."""
        waiting, self._waiting = self._waiting, status.waiting
        if self._span is not None and status.waiting is not None and status.waiting != waiting:
            why, until = status.waiting.why, status.waiting.until.isoformat()
            self._span.add_event("waiting", {"userdata.waiting.why": why, "userdata.waiting.until": until})

    def ended(self, status: Status, error: BaseException | None) -> None:
        """End the span with the counts of this attempt. An error is named by its type: its text may name a path."""
        from opentelemetry.trace import Status as SpanStatus
        from opentelemetry.trace import StatusCode

        span = self._span or self._new_span()
        span.set_attributes({f"userdata.{name}": count for name, count in self._counts.gained(status).items()})
        if error is not None:
            span.set_attribute("error.type", type(error).__name__)
            if not isinstance(error, LaterError):
                span.set_status(SpanStatus(StatusCode.ERROR, type(error).__name__))
        span.end()

    def _new_span(self) -> Span:
        from opentelemetry import trace

        tracer = trace.get_tracer("airflow_provider_userdata", __version__)
        attributes = dict(self._attributes)
        return tracer.start_span(NAME, self._parent, attributes=attributes, start_time=self._began)
