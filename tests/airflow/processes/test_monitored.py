"""What a real Airflow tells others of an upload: StatsD, OpenTelemetry, OpenLineage, and DAGs that wait for it."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles.receivers import Collector, Statsd, attributes

MARKER = "zaphod-7f3a"


def test_metrics_spans_and_lineage_are_received(
    airflow: Any, userdata_sandbox: Sandbox, metrics: Statsd, traces: Collector
) -> None:
    """All three say of a task what its report says, and none of them has anything of a record."""
    seen = len(metrics.lines)
    run = airflow.run("monitored", count=2500, faults=2)
    assert run.ends() == "success"
    report = run.xcom()
    assert (report["delivered"], report["invalid"]) == (2500, 2)

    metrics.lines[:seen] = []
    airflow.wait(lambda: metrics.values("airflow.userdata.gerosense.seconds", "ms"))
    counted = metrics.sums("airflow.userdata.gerosense.")
    assert counted.pop("requests.2xx") == report["requests"]
    assert counted == {"records.delivered": 2500, "records.rejected": 2, "records.invalid": 2}

    def found() -> Any:
        tasks = {one.span_id: one for one in traces.spans if attributes(one).get("airflow.dag_id") == "monitored"}
        uploads = [one for one in traces.spans if one.name == "userdata.upload"]  # also those of other tests' tasks
        return next(((one, tasks[one.parent_span_id]) for one in uploads if one.parent_span_id in tasks), None)

    span, task = airflow.wait(found)
    assert task.name == "worker.upload"
    told = attributes(span)
    assert (told["userdata.records.delivered"], told["userdata.records.invalid"]) == (2500, 2)
    assert (told["userdata.kind"], told["server.address"]) == ("steps", "127.0.0.1")

    airflow.wait(lambda: len(lineage(airflow)) >= 2)
    assert [event["eventType"] for event in lineage(airflow)] == ["START", "COMPLETE"]
    check(lineage(airflow)[-1], userdata_sandbox, delivered=2500, faults=2)
    everything = (*metrics.lines, *map(str, traces.spans), (airflow.home / "lineage.jsonl").read_text())
    assert not [text for text in everything if MARKER in text]


def test_lineage_has_the_counts_of_a_task_that_failed(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """Its rejects are too many; what was delivered has been."""
    seen = len(lineage(airflow))
    run = airflow.run("monitored", count=40, faults=3)
    assert run.ends() == "failed"
    airflow.wait(lambda: len(lineage(airflow)) >= seen + 2)
    events = lineage(airflow)[seen:]
    assert [event["eventType"] for event in events] == ["START", "FAIL"]
    check(events[-1], userdata_sandbox, delivered=40, faults=3)


def test_an_upload_starts_a_dag_that_waits_for_it(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """The example's second DAG is started by the asset's event, and has the counts from there."""
    run = airflow.run("steps_to_gerosense")
    assert run.ends() == "success"
    which = "SELECT run_id FROM dag_run WHERE dag_id = 'after_an_upload'"
    ((run_id,),) = airflow.wait(lambda: airflow.query(which))
    follower = type(run)(airflow, "after_an_upload", run_id)
    assert follower.ends() == "success"
    report = run.xcom()
    counts = {name: report[name] for name in ("read", "delivered", "rejected")}
    assert follower.xcom(task_id="add_up") == counts
    assert counts["delivered"] == userdata_sandbox.gerosense.counts.records > 2000


def lineage(airflow: Any) -> list[dict[str, Any]]:
    """Give OpenLineage's events of the task, from the file that they are written to."""
    file = airflow.home / "lineage.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [event for event in events if event["job"]["name"] == "monitored.upload"]


def check(event: dict[str, Any], sandbox: Sandbox, *, delivered: int, faults: int) -> None:
    """See what an event says was read and written."""
    (read,), (written,) = event["inputs"], event["outputs"]
    assert (written["namespace"], written["name"]) == (sandbox.url, "/api/v1.1/samples/steps")
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == delivered
    assert read["name"] == "monitored.upload.source"
    rules = {one["assertion"]: one for one in read["inputFacets"]["dataQualityAssertions"]["assertions"]}
    assert (rules["userdata.G8"]["success"], rules["userdata.G8"]["actual"]) == (False, str(faults))
    assert rules["userdata.G5"]["success"]
