"""An upload's span: below the task's, with the counts of its attempt, and nothing of a record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_userdata.delivery import Observer, Status
from airflow_provider_userdata.errors import LaterError, VendorDownError
from airflow_provider_userdata.operators.observing import Upload
from airflow_provider_userdata.operators.observing.spans import spans
from airflow_provider_userdata.upload_status import Waiting

pytestmark = [pytest.mark.airflow_3]
UPLOAD = Upload(
    vendor="gerosense",
    kind="steps",
    conn_id="gerosense_default",
    address="https://proxy.example.com:8443/below",
    source="/data/zaphod-7f3a.jsonl",
    label="zaphod-7f3a",
    attempt=2,
    validate_only=False,
    incremental=True,
    resume=True,
    replay=False,
)
UNTIL = datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Switch traces on, and give what collects them."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


def observed(upload: Upload = UPLOAD) -> Observer:
    """Give the observer of an upload."""
    observer = spans(upload)
    assert observer is not None
    return observer


def test_a_span_is_below_the_tasks(exported: Any, status: Callable[..., Status]) -> None:
    """Its parent is what was current where the task waits, though the calls come from another thread."""
    from opentelemetry import trace

    with trace.get_tracer("airflow").start_as_current_span("worker.upload") as task:
        observer = observed()

        def deliver() -> None:
            observer.started(status(delivered=100))
            observer.ended(status(delivered=130, invalid=2, rejected=2, answers={"2xx": 1}), None)

        thread = threading.Thread(target=deliver)
        thread.start()
        thread.join()
    span, _ = exported.get_finished_spans()
    assert span.name == "userdata.upload"
    assert span.parent.span_id == task.get_span_context().span_id
    assert dict(span.attributes) == {
        "userdata.vendor": "gerosense",
        "userdata.kind": "steps",
        "userdata.conn_id": "gerosense_default",
        "userdata.attempt": 2,
        "userdata.validate_only": False,
        "userdata.incremental": True,
        "server.address": "proxy.example.com",
        "server.port": 8443,
        "userdata.records.delivered": 30,
        "userdata.records.rejected": 2,
        "userdata.records.invalid": 2,
        "userdata.requests.2xx": 1,
    }


def test_each_wait_is_an_event_once(exported: Any, status: Callable[..., Status]) -> None:
    """With why and until when."""
    observer, waits = observed(), Waiting("too_many_requests", UNTIL)
    observer.started(status())
    for waiting in (None, waits, waits, None, Waiting("maintenance", UNTIL)):
        observer.progressed(replace(status(), waiting=waiting))
    observer.ended(status(), None)
    (span,) = exported.get_finished_spans()
    assert [dict(event.attributes) for event in span.events] == [
        {"userdata.waiting.why": why, "userdata.waiting.until": "2026-05-01T08:00:00+00:00"}
        for why in ("too_many_requests", "maintenance")
    ]


@pytest.mark.parametrize(
    ("error", "is_error"), [(VendorDownError("/data/zaphod-7f3a"), True), (LaterError("maintenance", UNTIL), False)]
)
def test_an_error_is_named_by_its_type(
    exported: Any, status: Callable[..., Status], error: Exception, is_error: bool
) -> None:
    """Its text isn't told, which may hold a path; a wait is no error. It has a span even if it never started."""
    observed().ended(status(delivered=100), error)
    (span,) = exported.get_finished_spans()
    assert span.attributes["error.type"] == type(error).__name__
    assert (not span.status.is_ok and span.status.status_code.name == "ERROR") is is_error
    assert "zaphod" not in span.to_json()
    assert "userdata.records.delivered" not in span.attributes


def test_without_traces_nothing_is_made(status: Callable[..., Status]) -> None:
    """Where nobody has loaded OpenTelemetry it isn't loaded; where it exports nothing, nothing fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(__import__("sys").modules, "opentelemetry.trace", raising=False)
        assert spans(UPLOAD) is None
    observer = spans(UPLOAD)
    if observer is not None:
        observer.started(status())
        observer.ended(status(), None)
