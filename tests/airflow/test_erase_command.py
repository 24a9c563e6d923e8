"""`erase`: takes a user out of all that runs left, and nobody else; what counts and what is sent stays true."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.cli.erase import BEYOND
from airflow_provider_userdata.delivery.carry_over.claims import Claimant, Claims
from airflow_provider_userdata.ledger import LedgerAdmin
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import replay
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource
from tests.airflow.conftest import DATABASE
from tests.doubles import Crash, crashes

USER = "u-4711"
LONG = "x" * 200
LATER = "call this again once it is over"


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    text: str

    @property
    def told(self) -> dict[str, Any]:
        """What it said, for programs."""
        told: dict[str, Any] = json.loads(self.text)
        return told


Call = Callable[..., Ended]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command. AIRFLOW_HOME is the test's own."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        code = 0
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        return Ended(code, capsys.readouterr().out)

    return run


@pytest.fixture
def erase(call: Call) -> Call:
    """Erase a user: ``erase("u-1", "--field", "user_id")``."""
    return lambda user, *arguments: call("erase", "--user", user, "--yes", "-o", "json", *arguments)


def kept_of(text: str, folder: Path) -> list[str]:
    """Name the files below a folder that hold a text."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def sizes(folder: Path) -> dict[str, int]:
    """Give the sizes of all files below a folder."""
    return {str(path): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_a_user_is_erased_from_receipts_and_rejects(
    erase: Call, call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Any, output: Path
) -> None:
    """The lines stay, as long as they were; what they held is gone; other users' are untouched."""
    record = {"user": {"userLabel": USER}, "data": {"score": 1}}
    with new_dag() as dag:
        ThymiaUploadOperator(
            task_id="upload",
            upload_type="mood",
            source=[*moods(2), record, {**record, "data": {USER: LONG, "mail": "a@b.com"}}, {"user": {}, "data": {}}],
            max_rejected=2,
        )
    run = run_dag(dag)
    before, others = sizes(output), run.lines(output, "upload", "receipts")[:2]

    ended = erase(USER)

    assert ended.code == 0
    assert sorted(one["what"] for one in ended.told["found"]) == ["delivered", "rejected"]
    assert ended.told["erased"] == {"receipts": 1, "rejects": 1, "originals": 1}
    assert (ended.told["left"], ended.told["beyond"]) == ([], list(BEYOND))
    assert sizes(output) == before
    assert kept_of(USER, output) == []
    receipts, rejects = (run.lines(output, "upload", kind) for kind in ("receipts", "rejects"))
    assert receipts[:2] == others
    assert set(receipts[2]) == {"ranges", "count", "status", "at", "erased"}
    assert rejects[0]["erased"] is True
    assert (rejects[0]["position"], "record" in rejects[0], "reason" in rejects[0]) == (3, False, False)
    assert "record" in rejects[1]
    assert call("find", "--user", USER).code == 1
    assert erase(USER).code == 1
    text = call("rejects", "show", dag.dag_id, "upload", "--run-id", run.run_id, "--values").text
    assert "was erased, for its user" in text
    assert "1 record was erased, for the users" in call("report", dag.dag_id, "upload", "--run-id", run.run_id).text


def test_what_is_erased_is_not_sent_again(
    erase: Call, call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any, tmp_path: Path
) -> None:
    """A replay and an export have the other rejects."""
    bad = [{"user_id": "other", "plan": LONG}, {"user_id": USER, "plan": LONG}, {"user_id": "third", "plan": LONG}]
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=[*people(2), *bad], max_rejected=3)
    run = run_dag(dag)
    assert erase(USER).code == 0
    (counts,) = json.loads(call("runs", dag.dag_id, "-o", "json").text)
    assert (counts["delivered"], counts["rejected"]) == (2, 3)
    exported = call("rejects", "export", dag.dag_id, "upload", "--run-id", run.run_id, "--csv", str(tmp_path / "t.csv"))
    assert "2 records are in" in exported.text
    assert "Left out: 1 record that was erased, for the users." in exported.text
    source = RejectsSource(run=(dag.dag_id, "upload"), fix=lambda record: {**record, "plan": "short"})
    report = replay(dag.get_task("upload"), source).report
    assert (report.read, report.delivered) == (2, 2)
    assert sandbox.ptengine.counts.records == 4


def test_held_samples_are_erased(
    erase: Call, call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any, output: Path
) -> None:
    """They don't go out with the task's next run; others' do."""
    made: list[Any] = [{**one, "device_name": name} for one, name in zip(samples(2), (USER, "other"), strict=True)]
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=lambda: made)
    run_dag(dag)

    ended = erase(USER)

    assert (ended.code, ended.told["erased"]) == (0, {"rejects": 1, "originals": 1, "held records": 1})
    assert kept_of(USER, output) == []
    (waiting,) = json.loads(call("held", "list", "-o", "json").text)
    assert (waiting["records"], waiting["taken by a run"]) == (1, False)
    made = samples(2, first=5)
    report = run_dag(dag).xcom("upload")
    assert (report["read"], report["delivered"]) == (3, 3)


def test_the_last_held_sample(
    erase: Call, call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any
) -> None:
    """Its file goes with it, and the next run has nothing to carry in."""
    made: list[Any] = [{**samples(1)[0], "device_name": USER}]
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=lambda: made)
    run_dag(dag)
    assert erase(USER).code == 0
    assert json.loads(call("held", "list", "-o", "json").text) == []
    made = samples(3)
    assert run_dag(dag).xcom("upload")["read"] == 3


@pytest.mark.parametrize("by", [Claimant("another run", "", host="elsewhere"), None])
def test_what_a_run_has_taken_is_left(
    by: Claimant | None, erase: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any, output: Path
) -> None:
    """The run has it in memory: it is said, the exit code says so, too, and later it is erased."""
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=[{**samples(1)[0], "device_name": USER}])
    run_dag(dag)
    folder = output / dag.dag_id / "upload" / "held"
    (name,) = [path.name for path in folder.glob("*.jsonl")]
    claims = Claims(folder)
    if by is not None:
        assert claims.take(name, 1, by)
    else:
        (folder / f"{name}.claim-000001").write_text("torn")

    ended = erase(USER)

    assert (ended.code, ended.told["erased"]) == (3, {"rejects": 1, "originals": 1})
    (left,) = ended.told["left"]
    assert left.startswith(f"{dag.dag_id} upload: 1 held record that a run has taken")
    claims.drop(name, [1])
    assert erase(USER).told["erased"] == {"held records": 1}


def test_the_ledger_forgets(
    erase: Call, call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any, tmp_path: Path
) -> None:
    """And the next run sends the user again, if the source still has them; and nobody else."""
    source = [*people(3), {"user_id": USER, "plan": "free"}]
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=source, incremental=True)
    run_dag(dag)
    before = json.loads(call("ledger", "export").text.splitlines()[0])["stream"]
    keys = {json.loads(line)["key"] for line in call("ledger", "export", "--stream", str(before)).text.splitlines()}

    with contextlib.closing(sqlite3.connect(tmp_path / "userdata" / "ledger.db")) as other:  # keeps the log
        other.execute("SELECT count(*) FROM userdata_ledger_entries").fetchone()
        ended = erase(USER)
        ledgers = [path.read_bytes() for path in (tmp_path / "userdata").glob("ledger.db*")]

    assert (ended.code, ended.told["erased"]) == (0, {"ledger entries": 1})
    left = {json.loads(line)["key"] for line in call("ledger", "export", "--stream", str(before)).text.splitlines()}
    (gone,) = keys - left
    assert not any(bytes.fromhex(gone) in text for text in ledgers)
    assert any(bytes.fromhex(min(left)) in text for text in ledgers)
    report = run_dag(dag).xcom("upload")
    assert (report["delivered"], report["unchanged"]) == (1, 3)


def test_numbers_need_a_field(
    erase: Call, call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, capsys: Any
) -> None:
    """Others' records may have the same number as a value: nothing is erased until the field is named."""
    source: list[Any] = [{"user_id": "a", "plan": LONG, "age": 72}, {"user_id": 72, "plan": LONG}]
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=source, max_rejected=2)
    run = run_dag(dag)
    with pytest.raises(SystemExit):
        main(["erase", "--user", "72", "--yes"])
    assert "It was found in: age (1), user_id (1)" in capsys.readouterr().err
    assert len([line for line in run.lines(output, "upload", "rejects") if "record" in line]) == 2

    assert erase("72", "--field", "user_id").told["erased"] == {"rejects": 1, "originals": 1}

    (line,) = [line for line in run.lines(output, "upload", "rejects") if "record" in line]
    assert line["record"]["user_id"] == "a"


def test_only_looking(call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Any, output: Path) -> None:
    """`--dry-run` says what would be erased; a person is asked; nobody can confirm for a program."""
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods(1))
    run_dag(dag)
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    ended = call("erase", "--user", "u0", "--dry-run")
    assert ended.code == 0
    assert "upload id " in ended.text
    assert "Nothing was erased: --dry-run." in ended.text
    assert "What this can't reach:" in ended.text
    assert call("erase", "--user", "u0", "--dry-run", "-o", "json").told["erased"] is None
    assert call("erase", "--user", "u0").code == 2
    assert call("erase", "--user", "u0", "-o", "yaml").code == 2
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before


def test_a_user_from_the_input(
    call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no shell's history keeps them; what is said has their upload ids, once."""
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods(1))
    run_dag(dag)
    monkeypatch.setattr("sys.stdin", io.StringIO("u0\n"))
    ended = call("erase", "--user", "-", "--yes")
    assert ended.code == 0
    assert ended.text.count("upload id ") == 1
    assert "\nErased: 1 receipt.\nCounts, positions and rules stay." in ended.text


def test_a_run_under_way_is_left(
    erase: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Any, output: Path
) -> None:
    """What it has may still change: it is named, and later it is erased."""
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods(1))
    run = run_dag(dag)
    folder = output / dag.dag_id / "not known to Airflow" / "upload"
    folder.parent.mkdir()
    (output / dag.dag_id / run.run_id / "upload").rename(folder)
    (folder / "sent-1-x.jsonl").write_text('{"ranges":[]}\n')

    ended = erase("u0")

    assert (ended.code, ended.told["erased"]) == (3, {})
    assert ended.told["left"] == [
        f"{dag.dag_id} upload, run not known to Airflow: the run is under way, or is tried again: {LATER}"
    ]
    (folder / "sent-1-x.jsonl").unlink()
    assert erase("u0").told["erased"] == {"receipts": 1}


@pytest.fixture
def left_by_runs(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Give a folder with all that runs left of a user and of others: receipts, rejects, held samples, a ledger."""
    home = tmp_path / "home"
    monkeypatch.setenv("AIRFLOW_HOME", str(home))
    monkeypatch.setenv("AIRFLOW__USERDATA__OUTPUT_PATH", str(home / "output"))
    bad = [{"user": {"userLabel": name}, "data": {"mail": "a@b.com"}} for name in (USER, "other")]
    with new_dag("moods") as dag:
        ThymiaUploadOperator(
            task_id="upload",
            upload_type="mood",
            source=[{"user": {"userLabel": name}, "data": {"n": 1}} for name in (USER, "other")] + bad,
            incremental=True,
        )
    run_dag(dag)
    sample = {"start_date": "2024-05-01T08:00:00Z", "unit": "count", "value": 1}
    with new_dag("steps") as dag:
        names = (USER, "other", "third")
        made = [{**sample, "device_name": name} for name in names[:2]]
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=made)
    run_dag(dag)
    return home


def test_a_kill_at_any_step(
    call: Call, erase: Call, left_by_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Called again, it finishes: the user is gone, and all others are as they would be without a kill."""
    monkeypatch.setattr("airflow_provider_userdata.delivery.carry_over.erasing.SILENCE", -1.0)  # the killed one is us
    whole = shutil.copytree(left_by_runs, tmp_path / "whole")
    monkeypatch.setenv("AIRFLOW_HOME", str(whole))
    monkeypatch.setenv("AIRFLOW__USERDATA__OUTPUT_PATH", str(whole / "output"))
    assert kept_of(USER, whole)
    assert erase(USER).told["erased"] == {
        "receipts": 1,
        "rejects": 2,
        "originals": 2,
        "held records": 1,
        "ledger entries": 1,
    }
    assert kept_of(USER, whole) == []
    wanted = {str(path.relative_to(whole)): path.read_bytes() for path in whole.rglob("*.jsonl")}

    killed = step = 0
    while killed == step:
        step += 1
        copy = shutil.copytree(left_by_runs, tmp_path / f"copy-{step}")
        monkeypatch.setenv("AIRFLOW_HOME", str(copy))
        monkeypatch.setenv("AIRFLOW__USERDATA__OUTPUT_PATH", str(copy / "output"))
        with pytest.MonkeyPatch.context() as patched:
            steps = crashes.Steps(step)
            for owner, name in STEPS:
                patched.setattr(owner, name, stepped(steps, getattr(owner, name)))
            with pytest.raises(SystemExit) as ended:
                main(["erase", "--user", USER, "--yes"])
        killed += ended.type is Crash
        assert ended.type is Crash or ended.value.code == 0
        assert erase(USER).code in (0, 1)
        assert call("find", "--user", USER).code == 1
        assert kept_of(USER, copy) == []
        assert {str(path.relative_to(copy)): path.read_bytes() for path in copy.rglob("*.jsonl")} == wanted
        (waiting,) = json.loads(call("held", "list", "-o", "json").text)
        assert (waiting["records"], waiting["taken by a run"]) == (1, False)
        assert len(call("ledger", "export").text.splitlines()) == 1
    assert killed > 20


STEPS = [
    *((os, name) for name in ("pwrite", "write", "fsync", "fdatasync", "link")),
    *((Path, name) for name in ("unlink", "rename", "write_bytes", "touch")),
    *((LedgerAdmin, name) for name in ("forget_user",)),
]
"""The calls that change what is on the disk."""


def stepped(steps: crashes.Steps, function: Any) -> Any:
    """Let a function take a step first."""

    def called(*given: Any, **named: Any) -> Any:
        steps()
        return function(*given, **named)

    return called


def test_rejects_that_a_replay_sends_are_left(
    erase: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path
) -> None:
    """The replay has them in memory; later they are erased. One that comes meanwhile waits."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=[{"user_id": USER, "plan": LONG}], max_rejected=1)
    run = run_dag(dag)
    claims = Claims(output / dag.dag_id / run.run_id / "upload")
    assert claims.take("replays", 1, Claimant("replay__1", "", host="elsewhere"))

    ended = erase(USER)

    assert (ended.code, ended.told["erased"]) == (3, {})
    assert ended.told["left"] == [
        f"{dag.dag_id} upload, run {run.run_id}: run replay__1 is sending its rejects again: {LATER}"
    ]
    claims.drop("replays", [1])
    assert erase(USER).told["erased"] == {"rejects": 1, "originals": 1}
    assert claims.listed() == {}


@pytest.mark.parametrize(
    ("state", "left"), [("running", True), ("up_for_retry", True), (None, True), ("failed", False), ("success", False)]
)
def test_airflow_says_whether_a_run_is_over(
    state: str | None, left: bool, erase: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Any, output: Path
) -> None:
    """One that was killed leaves files as one that goes on does."""
    with new_dag(f"_{state}") as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods(1))
    run = run_dag(dag)
    (output / dag.dag_id / run.run_id / "upload" / "sent-1-x.jsonl").write_text('{"ranges":[]}\n')
    with contextlib.closing(sqlite3.connect(DATABASE)) as database:
        database.execute("UPDATE task_instance SET state = ? WHERE dag_id = ?", (state, dag.dag_id))
        database.commit()

    ended = erase("u0", "--dry-run")
    assert ended.code == 0
    assert any("is under way, or is tried again" in note for note in ended.told["notes"]) is left

    ended = erase("u0")

    assert ended.code == (3 if left else 0)
    assert not any("under way" in note for note in ended.told["notes"])
    assert ended.told["erased"] == ({} if left else {"receipts": 1})


def test_held_samples_that_name_nobody(
    erase: Call, call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any
) -> None:
    """They have the vendor's fields: the rejects say that the user's are among them, and the command does."""
    with new_dag() as dag:
        GerosenseSamplesOperator(
            task_id="upload",
            data_type="steps",
            source=[{**samples(1)[0], "member": USER}],
            fields={name: name for name in samples(1)[0]},
        )
    run_dag(dag)
    ended = erase(USER, "--dry-run")
    assert (ended.code, ended.told["left"]) == (0, [])
    assert any("held records that don't name their user" in note for note in ended.told["notes"])

    ended = erase(USER)

    assert (ended.code, ended.told["erased"]) == (3, {"rejects": 1, "originals": 1})
    (left,) = ended.told["left"]
    assert left.startswith(f"{dag.dag_id} upload: held records that don't name their user wait there")
    call("held", "drop", dag.dag_id, "upload", "--yes")
    assert erase(USER).code == 1
