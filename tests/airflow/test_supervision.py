"""Which tasks have a supervisor, and for how long one may hear nothing of them."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_userdata.operators import supervision
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator

AIRFLOW_3 = "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"
AIRFLOW_2 = "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD"


class Supervised:
    """A task's instance that a job of Airflow 2 runs."""

    job_id = 7


@pytest.mark.parametrize("seconds", [45, 900])
def test_airflow_settings_say_how_long_a_silence_may_be(seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process stops when Airflow takes it for dead, whatever Airflow's version calls that time."""
    monkeypatch.setenv(AIRFLOW_3, str(seconds))
    monkeypatch.setenv(AIRFLOW_2, str(seconds))
    supervisor = supervision.supervisor(Supervised())

    assert supervisor is not None
    assert supervisor.missed(seconds) is None
    assert f"for {seconds + 1} s" in str(supervisor.missed(seconds + 1))


@pytest.mark.parametrize(("line", "is_supervised"), [("CommsDecoder", True), ("InProcessSupervisorComms", False)])
def test_airflow_3_gives_a_task_a_line_to_its_supervisor(
    line: str, is_supervised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stays within the process leads to nobody."""
    runner = SimpleNamespace(SUPERVISOR_COMMS=type(line, (), {})())
    monkeypatch.setitem(sys.modules, "airflow.sdk.execution_time.task_runner", runner)

    assert (supervision.supervisor(object()) is not None) is is_supervised


def test_a_dag_that_is_tested_has_no_supervisor(
    new_dag: Any, run_dag: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `dag.test()`, the task runs in its caller's process, whose parent may be a shell that ends."""
    found: list[Any] = []
    supervisor = supervision.supervisor

    def watched(ti: Any) -> Any:
        found.append(supervisor(ti))
        return found[-1]

    monkeypatch.setattr(supervision, "supervisor", watched)
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=people(3))

    run = run_dag(dag)

    assert (run.state, found) == ("success", [None])
