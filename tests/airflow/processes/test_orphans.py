"""A task's process whose supervisor is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from airflow_provider_userdata.sandbox import Sandbox

RECORDS = 1_500


def parent_of(pid: int) -> int:
    """Tell which process started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_there(pid: int) -> bool:
    """Say whether a process is there, and more than a name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_task_whose_supervisor_is_killed_stops_by_itself(
    airflow: Any, userdata_sandbox: Sandbox, tmp_path: Path
) -> None:
    """It ends long before Airflow takes it for dead, so that it sends nothing beside its own retry."""
    thymia, pid_file = userdata_sandbox.thymia, tmp_path / "pid"
    thymia.latency = 0.1
    run = airflow.run("retried", count=RECORDS, pid_file=str(pid_file))
    airflow.wait(lambda: thymia.counts.records >= 10)
    pid = int(pid_file.read_text())

    os.kill(parent_of(pid), signal.SIGKILL)
    airflow.wait(lambda: not is_there(pid))

    assert thymia.counts.records < RECORDS
    assert run.task()["state"] == "running"
    assert "done" not in run.stored()["checkpoint"]
    run.mark_failed()
