"""`userdata runs` shows replays below the run whose rejects they sent again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import replay
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource

Call = Callable[..., str]
pytestmark = pytest.mark.usefixtures("output")


@pytest.fixture
def uploaded(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any) -> tuple[Any, Any]:
    """Run a task of which two records are rejected; give its DAG and the run."""
    with new_dag() as dag:
        bad = [{"user_id": " ", "place": "0"}, {"user_id": " ", "place": "1"}]
        PtengineProfilesOperator(task_id="upload", source=[*people(8), *bad], max_rejected=2)
    return dag, run_dag(dag)


def correct_one(record: Any) -> Any:
    """Correct one of the two."""
    return record | {"user_id": "one"} if record["place"] == "0" else record


def correct(record: Any) -> Any:
    """Correct both."""
    return record | {"user_id": record["place"]}


def test_a_replay_stands_below_its_run(call: Call, uploaded: Any) -> None:
    """With its counts in brackets: the run that it replays has them, too. So does a replay of a replay."""
    dag, run = uploaded
    task = dag.get_task("upload")
    replay(task, RejectsSource(run=(dag.dag_id, "upload", run.run_id), fix=correct_one))
    (row, first) = json.loads(call("runs", dag.dag_id, "-o", "json"))
    name = {"dag": dag.dag_id, "task": "upload", "run": run.run_id, "map index": None}
    if row["replay of"] is None:
        row, first = first, row
    assert (row["replay of"], row["delivered"], row["rejected"]) == ([name], 1, 1)
    assert (first["replay of"], first["delivered"], first["rejected"]) == (None, 9, 1)

    replay(task, RejectsSource(run=(dag.dag_id, "upload", row["run"]), fix=correct))
    rows = json.loads(call("runs", dag.dag_id, "-o", "json"))
    assert [row["replay of"] for row in rows if row["replay of"]] == [[name], [name]]
    _, _, top, *below, legend, _, _ = call("runs", dag.dag_id).splitlines()

    assert top.split()[0] == run.run_id
    assert top.split()[-4:] == ["10", "0", "0", "0"]
    assert all(line.startswith("    replay__") for line in below)
    assert sorted(line.split()[-4] for line in below) == ["(1)", "(2)"]
    assert "count in the run that it replays, too" in legend


def test_a_replay_of_which_all_were_refused_is_known(call: Call, uploaded: Any, sandbox: Sandbox) -> None:
    """It has no marks in the first run's folder; its rejects lead there."""
    dag, run = uploaded
    sandbox.ptengine.script("400 x20")
    done = replay(dag.get_task("upload"), RejectsSource(run=(dag.dag_id, "upload", run.run_id), fix=correct))
    assert (done.report.delivered, done.report.rejected) == (0, 2)

    rows = json.loads(call("runs", dag.dag_id, "-o", "json"))

    assert [row["replay of"][0]["run"] for row in rows if row["replay of"]] == [run.run_id]


def test_a_task_that_sends_rejects_again_names_the_run(call: Call, uploaded: Any, new_dag: Any, run_dag: Any) -> None:
    """Below its own table, for it is of another DAG."""
    dag, run = uploaded
    with new_dag() as second:
        source = RejectsSource(run=(dag.dag_id, "upload", run.run_id), fix=correct)
        PtengineProfilesOperator(task_id="again", source=source)
    again = run_dag(second)

    said = call("runs")

    assert f"  {again.run_id} replays {dag.dag_id} upload {run.run_id}." in said
