"""Finds out whether another process supervises a task's process, and how long Airflow waits for a heartbeat."""

from __future__ import annotations

import sys
from typing import Any

from airflow_provider_userdata.airflow_compat import conf
from airflow_provider_userdata.delivery import Supervisor

LONGEST_SILENCE = 300.0
"""Seconds without a heartbeat after which Airflow counts a task as dead, by default."""
_SETTINGS = ("task_instance_heartbeat_timeout", "scheduler_zombie_task_threshold")  # Airflow 3, Airflow 2


def supervisor(ti: Any) -> Supervisor | None:
    """Return the process that supervises this one; None if there is none, as in `dag.test()`."""
    return Supervisor(_longest_silence()) if getattr(ti, "job_id", None) or _has_supervisor() else None


def _has_supervisor() -> bool:
    """Return whether Airflow 3 has connected this process to a supervisor."""
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    line = getattr(runner, "SUPERVISOR_COMMS", None)
    return line is not None and not type(line).__name__.startswith("InProcess")


def _longest_silence() -> float:
    set_seconds = (conf.get("scheduler", name, fallback=None) for name in _SETTINGS)
    return float(next(filter(None, set_seconds), LONGEST_SILENCE))
