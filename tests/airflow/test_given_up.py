"""Samples that a run has claimed which is over: Airflow is asked, and the next run takes them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over.claims import Claimant, Claims
from airflow_provider_userdata.operators import runs
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator


def test_airflow_says_which_runs_are_over(
    new_dag: Any, run_dag: Callable[..., Any], people: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """One that succeeded is, and one that was deleted; one that runs is not, unless it was forgotten long ago."""
    asked: list[tuple[str, str]] = []
    found: list[set[tuple[str, str]]] = []

    def source(ti: Any) -> list[Any]:
        asked.append((ti.run_id, ""))
        silent = {**dict.fromkeys(asked, 0.0), ("deleted", ""): 0.0}
        found.append(runs.over(ti, silent, ti))
        return list(people(3))

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=source)
    assert [run_dag(dag).state, run_dag(dag).state] == ["success", "success"]

    assert found == [{("deleted", "")}, {asked[0], ("deleted", "")}]


class Told:
    """A task's instance to which Airflow says what it is told to."""

    dag_id, task_id = "d", "t"

    def __init__(self, state: Any) -> None:
        self.state = state

    def get_task_states(self, run_ids: list[str], **_: Any) -> dict[str, Any]:
        """Give the state, or fail."""
        if isinstance(self.state, Exception):
            raise self.state
        return {run: {"t": self.state, "t_3": self.state} for run in run_ids}


@pytest.mark.parametrize("index", ["", "3"])
@pytest.mark.parametrize(
    ("state", "silence", "is_over"),
    [
        ("failed", 0.0, True),
        ("upstream_failed", 0.0, True),
        ("up_for_retry", 1e9, False),
        ("deferred", 1e9, False),
        ("queued", 1e9, False),
        (None, 1e9, False),
        ("running", 60.0, False),
        ("running", 4_000.0, True),
        (ConnectionError(), 1e9, False),
    ],
)
def test_a_run_that_may_go_on_is_not_over(index: str, state: Any, silence: float, is_over: bool) -> None:
    """A retry, a deferral or a queue may take days; only what runs shows a sign of life each few seconds."""
    found = runs.over(Told(state), {("run", index): silence}, logging.getLogger("test"))

    assert found == ({("run", index)} if is_over else set())


@pytest.mark.parametrize("given_up", [True, False])
def test_what_a_run_has_claimed_that_is_over_goes_out(
    given_up: bool, new_dag: Any, run_dag: Callable[..., Any], samples: Any, output: Path, sandbox: Any
) -> None:
    """A run that Airflow knows no more can't come back for its samples; one whose process is heard of keeps them."""
    made: list[Any] = samples(2)
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=lambda: made)
    assert run_dag(dag).xcom("upload")["held"] == 2
    (file,) = output.glob("*/upload/held/steps-*.jsonl")
    by = Claimant("killed", "", host="elsewhere", renewed=0.0 if given_up else time.time())
    assert Claims(file.parent).take(file.name, 1, by)

    made = samples(3, first=10)
    report = run_dag(dag).xcom("upload")

    assert (report["read"], report["delivered"]) == ((5, 5) if given_up else (3, 3))
    assert file.exists() is not given_up
