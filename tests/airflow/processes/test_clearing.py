"""Somebody clears a task that has failed."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata.sandbox import Sandbox


def test_a_failed_task_that_is_cleared_goes_on(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """Without retries its last line says to clear it; the clear then sends the rest, and nothing twice."""
    thymia = userdata_sandbox.thymia
    thymia.script("ok x5", "503 x9")
    run = airflow.run("not_retried", count=12)
    assert run.ends() == "failed"
    assert "Clear the task, and it continues where this attempt ended" in run.log()
    assert run.xcom("report")["delivered"] == 5
    thymia.clear_faults()
    run.clear()
    assert run.ends() == "success"
    assert (run.task()["try_number"], run.task()["max_tries"]) == (2, 1)
    counts = thymia.counts
    assert (counts.records, counts.distinct, counts.repeated) == (12, 12, 0)
    report = run.xcom()
    assert (report["read"], report["delivered"], report["held"], report["resent"]) == (12, 12, 0, 0)


def test_a_task_red_for_its_rejects_may_be_cleared_with_more_allowed(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """The DAG's author allows what was rejected: green, and nothing is sent again."""
    allowed = airflow.home / "dags" / "allowed.txt"
    run = airflow.run("with_rejects", count=120, fault=True)
    assert run.ends() == "failed"
    before = userdata_sandbox.ptengine.counts
    assert (before.records, before.requests) == (120, 2)
    report = run.xcom("report")
    allowed.write_text("1")
    run.clear()
    assert run.ends() == "success"
    assert userdata_sandbox.ptengine.counts == before
    again = run.xcom()
    assert {**again, "seconds": 0, "rejects": 0, "receipts": 0} == {**report, "seconds": 0, "rejects": 0, "receipts": 0}
    assert report["rejected"] == 1


def test_a_running_task_that_is_cleared_goes_on(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """Airflow ends its process and starts it again: what had arrived is not sent again."""
    thymia = userdata_sandbox.thymia
    thymia.latency = 0.1
    run = airflow.run("retried", count=100)
    airflow.wait(lambda: thymia.counts.records >= 20)
    run.clear()
    airflow.wait(lambda: run.task()["try_number"] == 2)
    assert run.ends() == "success"
    assert (thymia.counts.records, thymia.counts.distinct) == (100, 100)
    assert run.xcom()["delivered"] == 100
