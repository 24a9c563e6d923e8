"""The XCom `held`, which says where held samples wait: it is found, and where there is none, nothing is wrong."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.sandbox import Sandbox

Records = Callable[[int], list[dict[str, Any]]]


@pytest.mark.parametrize("mapped", [False, True])
def test_a_task_that_holds_nothing_logs_no_error(
    mapped: bool, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither its first run, nor a later one, nor a mapped instance whose neighbour held something."""
    with new_dag() as dag:
        if mapped:
            operator = GerosenseSamplesOperator.partial(task_id="upload", data_type="steps")
            operator.expand(source=[samples(3), samples(2)])
        else:
            GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples(3))
    for _ in range(2):
        assert run_dag(dag).state == "success"
    said = "".join(capfd.readouterr())
    assert "XCom not found" not in said
    assert not re.search(r"\[error|\bERROR\b", said)


def test_held_samples_that_this_worker_cannot_read_stop_the_task(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records, output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The last run's word counts, whatever runs before it said."""
    with new_dag() as dag:
        task = GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples(2))
    run_dag(dag)
    task.source = samples(4)
    assert run_dag(dag).xcom("upload", "held")["count"] == 0
    task.source = samples(2)
    run_dag(dag)
    before = sandbox.gerosense.counts
    folder = output / dag.dag_id
    away = folder.rename(output / "of another worker")
    assert run_dag(dag).states("upload") == ["failed"]
    assert "2 held records wait in" in "".join(capfd.readouterr())
    shutil.rmtree(folder, ignore_errors=True)
    away.rename(folder)
    assert run_dag(dag).xcom("upload")["delivered"] == 4
    assert sandbox.gerosense.counts.requests == before.requests + 1
