"""`runs`, `report`, `rejects export` and `clean`: what lies in the output folders, after real runs."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import replay
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource

Call = Callable[..., str]
pytestmark = pytest.mark.usefixtures("output")
BAD = [{"user_id": " ", "plan": "é; free"}, {"user_id": "x", "plan": ["not", "a text"]}]


@pytest.fixture
def uploaded(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any) -> tuple[Any, Any]:
    """Run a task of which two records are rejected; give its DAG and the run."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=[*people(150), *BAD], max_rejected=2)
    return dag, run_dag(dag)


def test_runs_are_listed_with_their_counts(call: Call, uploaded: Any, run_dag: Any) -> None:
    """Of all DAGs, of one, and of one task; the last one first."""
    dag, first = uploaded
    second = run_dag(dag)
    rows = json.loads(call("runs", dag.dag_id, "-o", "json"))
    assert {row["run"] for row in rows} == {first.run_id, second.run_id}
    assert {(row["task"], row["delivered"], row["rejected"], row["held"]) for row in rows} == {("upload", 150, 2, 0)}
    assert json.loads(call("runs", dag.dag_id, "other", "-o", "json")) == []
    name, head, *lines = call("runs", dag.dag_id).splitlines()
    assert name == f"{dag.dag_id} upload"
    assert head.split() == ["run", "last", "written", "delivered", "rejected", "held", "unknown"]
    assert [line.split()[0] for line in lines[:2]] == [second.run_id, first.run_id]


def test_no_runs(call: Call, tmp_path: Path) -> None:
    """The message says where it looked, and how to look elsewhere."""
    text = call("runs", "--output-path", str(tmp_path / "empty"))
    assert f"No run has left files in {tmp_path / 'empty'}" in text
    assert "--output-path" in text


def test_a_report_from_the_files(call: Call, uploaded: Any) -> None:
    """The fates, the accepted requests and the rules, as the task's own report has them."""
    dag, run = uploaded
    told = json.loads(call("report", dag.dag_id, "upload", "--run-id", run.run_id, "-o", "json"))
    report = run.xcom("upload")
    assert {name: told[name] for name in ("delivered", "rejected", "held", "unknown", "reasons")} == {
        name: report[name] for name in ("delivered", "rejected", "held", "unknown", "reasons")
    }
    assert told["requests accepted"] == 2
    text = call("report", dag.dag_id, "upload", "--run-id", run.run_id)
    assert "2 requests were accepted, " in text
    assert "What to do: " in text


def test_rejects_become_a_table(call: Call, uploaded: Any, tmp_path: Path) -> None:
    """With the record's own columns first, then where it stood and what is wrong; only its owner may read it."""
    dag, run = uploaded
    file = tmp_path / "fix.csv"
    asked = ("rejects", "export", dag.dag_id, "upload", "--run-id", run.run_id)
    assert f"2 records are in {file}" in call(*asked, "--csv", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(encoding="utf-8-sig", newline="") as opened:
        blank, listed = csv.DictReader(opened)
    assert list(blank)[:2] == ["user_id", "plan"]
    assert (blank["user_id"], blank["plan"]) == (" ", "é; free")
    assert (blank["userdata: position"], blank["userdata: rule"], blank["userdata: fate"]) == ("150", "P7", "rejected")
    assert json.loads(listed["plan"]) == ["not", "a text"]
    assert listed["userdata: what to do"]
    only = list(csv.reader(io.StringIO(call(*asked, "--csv", "-", "--records-only", "--rule", "P7"))))
    assert only == [["user_id", "plan"], [" ", "é; free"]]


def test_the_exported_table_is_a_source(call: Call, uploaded: Any, tmp_path: Path) -> None:
    """Once it is corrected: `check` reads it."""
    dag, run = uploaded
    file = tmp_path / "fix.csv"
    call("rejects", "export", dag.dag_id, "upload", "--run-id", run.run_id, "--csv", str(file), "--records-only")
    file.write_text(file.read_text(encoding="utf-8-sig").replace(" ,", "known,"), encoding="utf-8-sig")
    with pytest.raises(SystemExit) as ended:
        main(["check", str(file), "--vendor", "ptengine"])
    assert ended.value.code == 0


def test_what_was_corrected_and_sent_is_no_reject_any_more(
    call: Call, uploaded: Any, output: Path, tmp_path: Path
) -> None:
    """A later attempt's receipt counts: the record is delivered."""
    dag, run = uploaded
    (folder,) = {path.parent for path in output.rglob("receipts-*.jsonl")}
    line = {"ranges": [[150, 1]], "count": 1, "status": 200, "at": "2030-01-01T00:00:00.000+00:00"}
    (folder / "receipts-2-abc.jsonl").write_text(json.dumps(line) + "\n")
    asked = (dag.dag_id, "upload", "--run-id", run.run_id)
    told = json.loads(call("report", *asked, "-o", "json"))
    assert (told["delivered"], told["rejected"], told["reasons"]) == (151, 1, {"P6": 1})
    assert "1 record is in" in call("rejects", "export", *asked, "--csv", str(tmp_path / "fix.csv"))


def test_what_a_replay_delivered_is_delivered(call: Call, uploaded: Any, output: Path) -> None:
    """Of the first run, too; and its files are removed with all others."""
    dag, run = uploaded
    source = RejectsSource(
        run=(dag.dag_id, "upload", run.run_id), rules=["P7"], fix=lambda one: {**one, "user_id": "y"}
    )
    assert replay(dag.get_task("upload"), source).report.delivered == 1
    told = json.loads(call("report", dag.dag_id, "upload", "--run-id", run.run_id, "-o", "json"))
    assert (told["delivered"], told["rejected"], told["reasons"]) == (151, 1, {"P6": 1})
    for path in output.rglob("*"):
        os.utime(path, (time.time() - 40 * 86_400,) * 2)
    call("clean", dag.dag_id, "--older-than", "30", "--yes")
    assert not (output / dag.dag_id / run.run_id).exists()


def test_old_runs_are_removed(call: Call, uploaded: Any, run_dag: Any, output: Path) -> None:
    """With the folders that are empty then; newer ones stay, and so does what others put there."""
    dag, old = uploaded
    new = run_dag(dag)
    folder = output / dag.dag_id / old.run_id
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 40 * 86_400,) * 2)
    asked = ("clean", dag.dag_id, "--older-than", "30")
    assert "1 run would be removed" in call(*asked, "--dry-run")
    with pytest.raises(SystemExit, match="--yes"):
        call(*asked)
    assert folder.exists()
    assert "Removed the files of 1 run." in call(*asked, "--yes")
    assert not folder.exists()
    assert [row["run"] for row in json.loads(call("runs", dag.dag_id, "-o", "json"))] == [new.run_id]
    assert "No run in" in call(*asked, "--yes")
    with pytest.raises(SystemExit, match="--older-than"):
        call("clean", "--older-than", "0")
