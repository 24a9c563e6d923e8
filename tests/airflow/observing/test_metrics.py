"""An upload's metrics, as a StatsD server and OpenTelemetry's collector receive them from Airflow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery import Status
from airflow_provider_userdata.operators.observing.metrics import Metrics
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles.receivers import Statsd, collector

Records = Callable[[int], list[dict[str, Any]]]
ROOT = Path(__file__).parents[3]
PREFIX = "airflow.userdata.ptengine."


def arrived(server: Statsd, name: str) -> None:
    """Wait until a metric is there: packets come after the task's end."""
    end = time.monotonic() + 10
    while not any(line.startswith(f"{PREFIX}{name}:") for line in server.lines):
        assert time.monotonic() < end, "it has never come"
        time.sleep(0.01)


def test_a_delivery_is_counted_by_fate_and_by_answer(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records, received: Statsd
) -> None:
    """What StatsD has is what the report says: invalid and refused records apart, and together as rejected."""
    sandbox.ptengine.script("429 retry-after=0", "503 retry-after=0", "400", "ok")
    with new_dag() as dag:
        source = [{"plan": "invalid"}, *people(4)]
        PtengineProfilesOperator(task_id="upload", source=source, max_in_flight=1, max_rejected=5)
    report = run_dag(dag).xcom("upload")
    arrived(received, "seconds")
    records = received.sums(f"{PREFIX}records.")
    assert records == {name: report[name] for name in records}
    assert {"rejected", "invalid"} <= records.keys()
    assert records["rejected"] == records["invalid"] + records.get("refused", 0)
    answers = received.sums(f"{PREFIX}requests.")
    assert sum(answers.values()) == report["requests"]
    assert (answers["429"], answers["5xx"], answers["4xx"]) == (1, 1, 1)
    assert received.sums(f"{PREFIX}retries") == {"": report["retries"]}
    assert received.values(f"{PREFIX}in_flight", "g")[-1] == ("", 0)
    ((_, milliseconds),) = received.values(f"{PREFIX}seconds", "ms")
    assert milliseconds == pytest.approx(report["seconds"] * 1000, abs=100)


def test_attempts_count_what_they_send_themselves(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records, received: Statsd
) -> None:
    """The second attempt goes on from the counts of the first: together they have counted each record once."""
    sandbox.ptengine.script("ok x2", "503")
    with new_dag() as dag:
        options: dict[str, Any] = {"max_in_flight": 1, "max_attempts": 1, "retries": 1, "retry_delay": timedelta(0)}
        PtengineProfilesOperator(task_id="upload", source=people(450), **options)
    run = run_dag(dag)
    assert run.tries("upload") == [2]
    arrived(received, "seconds")
    assert len(received.values(f"{PREFIX}seconds", "ms")) == 2
    assert received.sums(f"{PREFIX}records.")["delivered"] == 450
    assert sum(received.sums(f"{PREFIX}requests.").values()) == run.xcom("upload")["requests"]


def test_what_an_earlier_attempt_has_done_is_not_sent_again(received: Statsd, status: Callable[..., Status]) -> None:
    """Neither where an attempt goes on, nor where it finds the run completed, nor where it never starts."""
    carried = {"delivered": 100, "answers": {"2xx": 1}}
    goes_on, repeats, never_starts = (Metrics("ptengine", {}) for _ in range(3))
    goes_on.started(status(**carried))
    goes_on.progressed(status(delivered=130, answers={"2xx": 2}, seconds=1.0, in_flight=7))
    goes_on.ended(status(delivered=150, answers={"2xx": 3, "none": 1}, seconds=2.0, retries=1), None)
    repeats.started(status())
    repeats.ended(status(**carried, repeated=True), None)
    never_starts.ended(status(**carried), ValueError())
    arrived(received, "seconds")
    assert received.sums(PREFIX) == {"records.delivered": 50, "requests.2xx": 2, "requests.none": 1, "retries": 1}
    assert received.values(f"{PREFIX}in_flight", "g") == [("", 7), ("", 0)]
    assert received.values(f"{PREFIX}seconds", "ms") == [("", 2000)]


def test_an_attempt_that_starts_over_counts_from_nothing(received: Statsd, status: Callable[..., Status]) -> None:
    """As where the source has changed: all that it sends again is counted again, for it is sent again."""
    metrics = Metrics("ptengine", {})
    metrics.started(status(delivered=100))
    metrics.progressed(status(delivered=130, seconds=1.0))
    over = status(delivered=140, seconds=3.0)
    again = replace(over, started=over.started + timedelta(seconds=1))
    metrics.ended(again, None)
    arrived(received, "seconds")
    assert received.sums(PREFIX) == {"records.delivered": 30 + 140}
    assert received.values(f"{PREFIX}seconds", "ms") == [("", 2000)]


TO_OPENTELEMETRY = """
from airflow.sdk.observability.metrics import stats_utils
from airflow.sdk.observability.stats import initialize
from airflow_provider_userdata.operators.observing.metrics import metrics
from tests.airflow.observing.conftest import a_status
from types import SimpleNamespace

initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
ti = SimpleNamespace(stats_tags={"dag_id": "d", "task_id": "t"})
observer = metrics(SimpleNamespace(vendor="thymia", kind="mood, 2"), ti)
observer.started(a_status())
observer.ended(a_status(delivered=5, answers={"2xx": 5}), None)
"""


@pytest.mark.airflow_3
def test_opentelemetry_receives_them_with_tags() -> None:
    """Its names are the same; vendor, kind, fate or class, and Airflow's own tags are attributes."""
    with collector() as received:
        settings = {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": received.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
        # A process of its own: what exports metrics goes on as long as its process.
        done = subprocess.run(
            [sys.executable, "-c", TO_OPENTELEMETRY],
            cwd=ROOT,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    sums = {metric.name: metric.sum.data_points for metric in received.metrics if metric.HasField("sum")}
    tags = {"vendor": "thymia", "kind": "mood__2", "dag_id": "d", "task_id": "t"}
    for name, own in (("records.delivered", {"fate": "delivered"}), ("requests.2xx", {"class": "2xx"})):
        (point,) = sums[f"airflow.userdata.thymia.{name}"]
        assert point.as_int or point.as_double == 5
        assert {one.key: one.value.string_value for one in point.attributes} == tags | own
    assert "airflow.userdata.thymia.seconds" in {metric.name for metric in received.metrics}
