"""Our operator with all on that shows an upload: log, XCom, metrics to StatsD, a span to a collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from typing import Any

from benchmarks.contestants.worker import Clock, Job, serve
from benchmarks.places import BenchmarkError

TICK = 1.0
"""Seconds between two looks at the progress: a fifth of what they are, so that a short run has several."""


def run(job: Job, clock: Clock) -> None:
    """Run the task, and see that what it told arrived.

    :raises BenchmarkError: if not.
    """
    from opentelemetry import trace

    from benchmarks.contestants import ours

    before = received()
    ours.run(job, clock)
    trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]  # of the SDK's provider
    after = received()
    told, sent = after["delivered"] - before["delivered"], clock.figures["report"]["delivered"]
    if after["spans"] != before["spans"] + 1 or told != sent:
        raise BenchmarkError(f"received {before} before the run, and {after} after it")


def received() -> dict[str, Any]:
    """Ask what the receivers have."""
    with urllib.request.urlopen(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], timeout=10) as answer:
        return dict(json.load(answer))


def switch_on(ports: dict[str, int]) -> None:
    """Switch metrics and traces on, before anything imports Airflow."""
    os.environ.update(
        AIRFLOW__METRICS__STATSD_ON="True",
        AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
        AIRFLOW__METRICS__STATSD_PORT=str(ports["statsd"]),
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{ports['http']}",
    )
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)

    from airflow.sdk.observability.metrics import stats_utils
    from airflow.sdk.observability.stats import initialize

    from airflow_provider_userdata.delivery import engine

    initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    engine.PROGRESS_SECONDS = TICK


if __name__ == "__main__":
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.receivers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as receivers:
        assert receivers.stdout is not None
        switch_on(json.loads(receivers.stdout.readline()))
        from benchmarks.contestants.ours import warm_up

        warm_up()
        serve(run)
        receivers.communicate()
