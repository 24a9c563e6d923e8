"""The three operators as tasks of a DAG: what arrives, what the task returns, which files it leaves."""

from __future__ import annotations

import dataclasses
import json
import shutil
import stat
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

REPORT = [
    "read", "delivered", "rejected", "invalid", "refused", "held", "unchanged", "unknown", "valid", "resent",
    "requests", "would_send", "retries", "bytes", "seconds", "rejects", "receipts", "reasons",
]  # fmt: skip
Records = Callable[..., list[dict[str, Any]]]


def test_users_data_reaches_thymia(new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, moods: Records) -> None:
    """Every record arrives as it was, and its receipt names its user and the vendor's upload id."""
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods(3))
    run = run_dag(dag)
    assert run.state == "success"
    assert sorted(record["data"]["score"] for record in sandbox.thymia.arrived()) == [0, 1, 2]
    assert {request.path for request in sandbox.thymia.requests} == {"/v1/user-data/mood"}
    report = run.xcom("upload")
    assert list(report) == REPORT
    assert (report["read"], report["delivered"], report["requests"], report["rejects"]) == (3, 3, 3, None)
    receipts = run.lines(output, "upload", "receipts")
    assert sorted(line["user_label"] for line in receipts) == ["u0", "u1", "u2"]
    assert all(uuid.UUID(line["upload_id"]) for line in receipts)


def test_samples_reach_gerosense(new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, samples: Records) -> None:
    """A thousand and one samples are two requests, and each has a receipt of its range."""
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples(1001))
    run = run_dag(dag)
    assert run.state == "success"
    assert sandbox.gerosense.counts.records == sandbox.gerosense.counts.distinct == 1001
    assert {record["data_type"] for record in sandbox.gerosense.arrived()} == {"steps"}
    receipts = run.lines(output, "upload", "receipts")
    assert sorted(line["ranges"] for line in receipts) == [[[0, 501]], [[501, 500]]]
    assert all(line.keys() == {"ranges", "count", "status", "at"} for line in receipts)
    assert run.xcom("upload")["receipts"] == str(next(output.rglob("receipts-*.jsonl")))


def test_profiles_reach_ptengine(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records) -> None:
    """A hundred and one users are two requests; the report has the counts, and nothing of the task's XComs is extra."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=people(101))
    run = run_dag(dag)
    report = run.xcom("upload")
    assert list(report) == REPORT
    assert (report["delivered"], report["requests"], report["reasons"]) == (101, 2, {})
    assert sandbox.ptengine.arrived()[:2] == people(2)
    assert run.xcom("upload", "report") is None


def test_rejects_stand_in_a_private_file(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, people: Records
) -> None:
    """Each has its position, rule, place, reason and the record whole; the task is red and its report an XCom."""
    bad = {"user_id": "ok", "plan": ["not", "a", "text"]}
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=[*people(2), bad])
    run = run_dag(dag)
    assert run.states("upload") == ["failed"]
    (line,) = run.lines(output, "upload", "rejects")
    assert list(line) == ["position", "fate", "rule", "path", "reason", "status", "record"]
    assert (line["position"], line["fate"], line["rule"], line["record"]) == (2, "rejected", "P6", bad)
    report = run.xcom("upload", "report")
    assert list(report) == REPORT
    assert (report["delivered"], report["rejected"], report["reasons"]) == (2, 1, {"P6": 1})
    assert run.xcom("upload") is None
    files = [path for path in output.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in output.rglob("*") if path.is_dir()} == {0o700}
    assert str(files[0].parent) == str(output / run.dag_id / run.run_id / "upload")


def test_too_few_samples_go_out_first_in_the_next_run(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, samples: Records
) -> None:
    """Two samples are held and nothing is sent; the next run's request begins with them, and nothing waits any more."""
    with new_dag() as dag:
        task = GerosenseSamplesOperator(task_id="upload", data_type="bpm", source=samples(2))
    first = run_dag(dag)
    assert (first.state, sandbox.gerosense.counts.requests) == ("success", 0)
    assert (first.xcom("upload")["held"], first.xcom("upload")["reasons"]) == (2, {"G4": 2})
    assert first.xcom("upload", "held")["count"] == 2
    assert [line["fate"] for line in first.lines(output, "upload", "rejects")] == ["held", "held"]
    task.source = samples(2, first=3)
    second = run_dag(dag)
    assert [record["value"] for record in sandbox.gerosense.arrived()] == [1, 2, 3, 4]
    assert (second.xcom("upload")["read"], second.xcom("upload")["delivered"]) == (4, 4)
    assert second.xcom("upload", "held")["count"] == 0
    assert list((output / dag.dag_id / "upload" / "held").glob("*.jsonl")) == []


def test_mapped_tasks_have_folders_of_their_own(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, samples: Records
) -> None:
    """Fates of a mapped task lie below its map index; held samples wait for whichever of the next run's comes first."""
    with new_dag() as dag:
        mapped = GerosenseSamplesOperator.partial(task_id="upload", data_type="steps")
        mapped.expand(source=[samples(3), samples(2, first=4)])
    run = run_dag(dag)
    assert run.states("upload") == ["success", "success"]
    assert [run.xcom("upload", map_index=index)["delivered"] for index in (0, 1)] == [3, 0]
    assert [line["count"] for line in run.lines(output, "upload", "receipts", 0)] == [3]
    assert len(run.lines(output, "upload", "rejects", 1)) == 2
    held = output / dag.dag_id / "upload" / "held"
    assert len(list(held.glob("*.jsonl"))) == 1
    run_dag(dag)
    arrived = Counter(record["value"] for record in sandbox.gerosense.arrived())
    waiting = Counter(json.loads(line)["record"]["value"] for path in held.glob("*.jsonl") for line in path.open())
    assert arrived.keys() == {1, 2, 3, 4, 5}
    assert arrived + waiting == {1: 2, 2: 2, 3: 2, 4: 2, 5: 2}


def test_validate_only_sends_nothing(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, samples: Records
) -> None:
    """Every record is checked, bad ones are named, and the others count as valid without being kept."""
    with new_dag() as dag:
        source = [*samples(5), {"device_name": ""}]
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=source, validate_only=True, max_rejected=1)
    run = run_dag(dag)
    report = run.xcom("upload")
    assert (run.state, sandbox.gerosense.counts.requests) == ("success", 0)
    assert (report["read"], report["valid"], report["rejected"]) == (6, 5, 1)
    assert report["would_send"] == 1
    assert [line["position"] for line in run.lines(output, "upload", "rejects")] == [5]
    assert not list(output.rglob("held/*"))


@pytest.fixture
def object_store() -> str:
    """Let Airflow know an object store, and give where it is."""
    try:
        from airflow.sdk.io import attach
    except ImportError:  # Airflow 2
        from airflow.io.store import attach  # type: ignore[import-not-found,no-redef]
    attach("memory", alias="memory", fs=fsspec.filesystem("memory"))
    return "memory://userdata"


def test_output_path_is_a_template(
    new_dag: Any, run_dag: Any, object_store: str, output: Path, people: Records, tmp_path: Path
) -> None:
    """An operator's own folder goes before the setting, a folder in an object store too."""
    with new_dag() as dag:
        for task_id, root in (("local", str(tmp_path)), ("stored", object_store)):
            path = f"{root}/{{{{ task.task_id }}}}"
            PtengineProfilesOperator(task_id=task_id, source=people(1), output_path=path)
    run = run_dag(dag)
    assert run.state == "success"
    assert len(run.lines(tmp_path / "local", "local", "receipts")) == 1
    stored = run.xcom("stored")["receipts"]
    assert stored.startswith("memory://")
    assert f"/stored/{dag.dag_id}/" in stored
    (part,) = ObjectStoragePath(stored).parent.glob("receipts-*")
    assert len(part.read_bytes().splitlines()) == 1
    assert not output.exists()


def test_only_named_fields_leave_the_house(new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records) -> None:
    """`fields` renames columns and takes no others; `user_label` names the column of the user."""
    rows = [{"who": f"u{number}", "feeling": number, "ward": "B"} for number in range(3)]
    steps = [
        {"watch": "w", "t": sample["start_date"], "n": sample["value"], "u": "count", "x": 1} for sample in samples(3)
    ]
    with new_dag() as dag:
        ThymiaUploadOperator(
            task_id="moods", upload_type="mood", source=rows, user_label="who", fields={"score": "feeling"}
        )
        GerosenseSamplesOperator(
            task_id="steps",
            data_type="steps",
            source=steps,
            fields={"device_name": "watch", "start_date": "t", "value": "n", "unit": "u"},
        )
        PtengineProfilesOperator(task_id="users", source=rows, fields={"user_id": "who", "mood": "feeling"})
    assert run_dag(dag).state == "success"
    moods = sorted(sandbox.thymia.arrived(), key=str)
    assert moods[0] == {"user": {"userLabel": "u0"}, "data": {"score": 0}}
    assert {tuple(sorted(record)) for record in sandbox.gerosense.arrived()} == {
        ("data_type", "device_name", "start_date", "unit", "value")
    }
    assert sandbox.ptengine.arrived()[0] == {"user_id": "u0", "mood": "0"}


def test_held_samples_that_cannot_be_reached_are_not_forgotten(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, samples: Records
) -> None:
    """A worker without the folder where samples wait fails before anything is sent, and says where they are."""
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples(2))
    run_dag(dag)
    elsewhere = output.rename(output.with_name("another-machine"))
    run = run_dag(dag)
    assert (run.states("upload"), sandbox.gerosense.counts.requests) == (["failed"], 0)
    shutil.rmtree(output, ignore_errors=True)
    elsewhere.rename(output)
    assert run_dag(dag).state == "success"
    assert [record["value"] for record in sandbox.gerosense.arrived()] == [1, 2, 1, 2]


def test_samples_of_one_type_never_go_out_as_another(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records
) -> None:
    """Held steps wait while the task uploads heart rates."""
    with new_dag() as dag:
        task = GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples(2))
    run_dag(dag)
    task.data_type, task.source = "bpm", samples(3, first=3)
    assert run_dag(dag).xcom("upload")["read"] == 3
    task.data_type, task.source = "steps", samples(1, first=6)
    run_dag(dag)
    arrived = [(record["data_type"], record["value"]) for record in sandbox.gerosense.arrived()]
    assert arrived == [("bpm", 3), ("bpm", 4), ("bpm", 5), ("steps", 1), ("steps", 2), ("steps", 6)]


@pytest.mark.parametrize("run_id", ["../../outside", "..", "a/b", "a b:+@", "日本"])
def test_a_runs_name_stays_one_folder(
    new_dag: Any, context: Any, sandbox: Sandbox, output: Path, people: Records, run_id: str
) -> None:
    """A run may be named anything by whoever triggers it; its files stay below the output path."""
    context["ti"] = dataclasses.replace(context["ti"], run_id=run_id)
    report = PtengineProfilesOperator(task_id="t", source=people(1)).execute(context)
    assert Path(report["receipts"]).resolve().parts[: len(output.parts)] == output.parts
    assert len(Path(report["receipts"]).parts) == len(output.parts) + 4
