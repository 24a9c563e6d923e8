"""`held`: samples that wait are listed, sent and dropped, after real runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.cli import held
from airflow_provider_userdata.delivery.carry_over import DAY, Claims, HeldFiles, HeldRecord
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Crash

Call = Callable[..., str]
pytestmark = pytest.mark.usefixtures("output")


@pytest.fixture
def age(output: Path) -> Callable[[int, float], None]:
    """Let the first samples of each file of held ones be some days old: ``age(1, 40)``."""

    def older(count: int, days: float) -> None:
        for path in output.rglob("held/*.jsonl"):
            files = HeldFiles(path.parent)
            records = files.read(path.name)
            old = [HeldRecord(one.body, time.time() - days * DAY) for one in records[:count]]
            files.write(path.name, [*old, *records[count:]])

    return older


def test_held_records_are_listed_and_dropped(
    call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, samples: Any
) -> None:
    """Two samples wait; dropped, the next run doesn't send them. Nothing is dropped without a yes."""
    with new_dag() as dag:
        task = GerosenseSamplesOperator(task_id="upload", data_type="bpm", source=samples(2))
    run_dag(dag)
    (row,) = json.loads(call("held", "list", dag.dag_id, "-o", "json"))
    assert (row["task"], row["kind"], row["records"], row["taken by a run"]) == ("upload", "bpm", 2, False)
    assert "2 records wait" in call("held", "list")
    with pytest.raises(SystemExit, match="--yes"):
        call("held", "drop", dag.dag_id)
    assert "nothing to drop" in call("held", "drop", dag.dag_id, "--older-than", "3", "--yes")
    assert "Dropped 2 records." in call("held", "drop", dag.dag_id, "upload", "--yes")
    assert "No records wait" in call("held", "list", dag.dag_id)
    assert not [path for path in (output / dag.dag_id / "upload" / "held").iterdir() if path.name != ".identity"]
    task.source = samples(3, first=5)
    assert run_dag(dag).xcom("upload")["delivered"] == 3


def test_what_a_run_has_taken_stays(
    call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, samples: Any
) -> None:
    """It may be sending it at this moment."""
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="bpm", source=samples(2))
    run_dag(dag)
    (file,) = (output / dag.dag_id / "upload" / "held").glob("*.jsonl")
    file.with_name(f"{file.name}.claim-000001").write_text("{}")
    assert json.loads(call("held", "list", dag.dag_id, "-o", "json"))[0]["taken by a run"] is True
    assert "nothing to drop" in call("held", "drop", dag.dag_id, "--yes")
    assert file.exists()


def test_the_age_is_listed_and_when_it_ends(
    call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any, age: Any
) -> None:
    """Of the sample that has waited for longest; the next run rejects what is too old, and its task is red."""
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="bpm", source=samples(2), held_max_age=30)
    run_dag(dag)
    (row,) = json.loads(call("held", "list", dag.dag_id, "-o", "json"))
    assert (row["days"], row["expires"][:4] >= row["since"][:4]) == (0.0, True)
    age(1, 40)

    (row,) = json.loads(call("held", "list", dag.dag_id, "-o", "json"))
    assert row["days"] == 40.0
    text = call("held", "list", dag.dag_id)
    assert "next run" in text
    assert "1 of them have waited for longer than held_max_age allows: that run rejects them (A8)." in text
    later = run_dag(dag)
    assert later.state == "failed"
    report = later.xcom("upload", "report")
    assert {name: report[name] for name in ("read", "rejected", "delivered", "reasons")} == {
        "read": 4,
        "rejected": 1,
        "delivered": 3,
        "reasons": {"A8": 1},
    }


def test_only_old_samples_are_dropped(
    call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any, age: Any
) -> None:
    """Of a file with two, one; the other waits on, for as long as it has."""
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="bpm", source=samples(2))
    run_dag(dag)
    age(1, 40)

    assert "Dropped 1 records." in call("held", "drop", dag.dag_id, "--older-than", "30", "--yes")

    (row,) = json.loads(call("held", "list", dag.dag_id, "-o", "json"))
    assert (row["records"], row["days"], row["expires"], row["taken by a run"]) == (1, 0.0, None, False)


@pytest.mark.parametrize("after", [True, False])
def test_a_drop_that_is_killed_drops_or_not(
    after: bool,
    call: Call,
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    samples: Any,
    age: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next run takes the claim over: it sends the samples that are there, each once."""
    with new_dag() as dag:
        task = GerosenseSamplesOperator(task_id="upload", data_type="bpm", source=samples(2))
    run_dag(dag)
    age(1, 40)
    write = HeldFiles.write

    def crash(*given: Any) -> None:
        if after:
            write(*given)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(HeldFiles, "write", crash)
        patch.setattr(Claims, "drop", lambda *_: None)
        with pytest.raises(Crash):
            call("held", "drop", dag.dag_id, "--older-than", "30", "--yes")
    monkeypatch.setattr("airflow_provider_userdata.delivery.carry_over.claims._is_there", lambda _: False)
    task.source = samples(3, first=5)

    assert run_dag(dag).xcom("upload")["delivered"] == (4 if after else 5)
    assert sandbox.gerosense.counts.distinct == sandbox.gerosense.counts.records


def test_samples_that_wait_are_sent_by_a_command(
    call: Call,
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    output: Path,
    samples: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many as a request takes: fewer wait on. The task's next run doesn't send them again."""
    with new_dag() as dag:
        task = GerosenseSamplesOperator(task_id="upload", data_type="bpm", source=samples(2))
    run_dag(dag)
    monkeypatch.setattr(held, "task_of", lambda _: task)
    asked = ("held", "send", dag.dag_id, "upload")

    assert call(*asked) == "2 records waited: 2 still too few, and held on.\n"
    assert json.loads(call("held", "list", dag.dag_id, "-o", "json"))[0]["records"] == 2
    (path,) = output.rglob("held/*.jsonl")
    third = HeldRecord(json.dumps(*samples(1, first=9)).encode(), time.time())
    HeldFiles(path.parent).write(path.name, [*HeldFiles(path.parent).read(path.name), third])
    assert call(*asked) == "3 records waited: 3 delivered.\n"
    assert call(*asked).startswith("No records wait that this task could send now.")
    task.source = samples(1, first=20)
    assert run_dag(dag).xcom("upload")["held"] == 1
    assert sandbox.gerosense.counts.records == 3
