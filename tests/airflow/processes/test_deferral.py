"""A long wait that a vendor asks for is spent in the triggerer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from airflow_provider_userdata.sandbox import Sandbox


def _is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_long_wait_needs_no_worker(airflow: Any, userdata_sandbox: Sandbox, marker: str, tmp_path: Path) -> None:
    """The task is deferred, its process gone and its slot free; then it goes on, and sends nothing twice.

    Meanwhile the UI shows the checkpoint, small and without a record.
    """
    thymia, pid_file = userdata_sandbox.thymia, tmp_path / "pid"
    thymia.script("ok x5", "429 retry-after=6")
    run = airflow.run("deferred_by_a_limit", count=9, pid_file=str(pid_file))
    run.becomes("deferred")
    pool = airflow.api("GET", "pools/default_pool")
    assert (pool["deferred_slots"], pool["running_slots"], pool["occupied_slots"]) == (1, 0, 0)
    airflow.wait(lambda: _is_gone(int(pid_file.read_text())))
    assert thymia.counts.records == 5
    stored = run.stored()
    assert set(stored) == {"checkpoint"}
    assert len(stored["checkpoint"]) < 16 * 1024
    assert marker not in stored["checkpoint"]
    assert run.ends() == "success"
    assert thymia.counts.records == thymia.counts.distinct == 9
    report = run.xcom()
    assert (report["read"], report["delivered"], report["requests"], report["resent"]) == (9, 9, 10, 0)
    assert run.task()["try_number"] == 1
    assert "Goes on where attempt 1-" in run.log()
    assert marker not in run.log_file()


def test_maintenance_needs_no_worker(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """GeroSense is in maintenance: the task is deferred, looks again now and then, and delivers when it is over."""
    gerosense = userdata_sandbox.gerosense
    gerosense.maintenance = True
    run = airflow.run("deferred_by_maintenance", count=300)
    run.becomes("deferred")
    gerosense.maintenance = False
    assert run.ends() == "success"
    assert gerosense.counts.records == run.xcom()["delivered"] == 300
