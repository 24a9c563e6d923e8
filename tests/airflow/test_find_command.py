"""`find`: whether a user was sent, when, with which receipt; and if not, why."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

Find = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def find(capsys: pytest.CaptureFixture[str], output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Find:
    """Look for a user; give the exit code, and what is told. AIRFLOW_HOME is the test's own."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))

    def call(user: str, *arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["find", "--user", user, *arguments, "-o", "json"])
        assert isinstance(ended.value.code, int)
        return ended.value.code, json.loads(capsys.readouterr().out)

    return call


def test_who_was_sent_has_a_receipt(find: Find, new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Any) -> None:
    """With the time, the run, and the vendor's upload id."""
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods(3))
    run = run_dag(dag)
    code, told = find("u1", dag.dag_id)
    (one,) = told["found"]
    assert (code, one["what"]) == (0, "delivered")
    assert (one["dag"], one["task"], one["run"]) == (dag.dag_id, "upload", run.run_id)
    assert "upload id " in one["why"]
    assert one["when"].startswith("20")
    assert not any("name no users" in note for note in told["notes"])


def test_who_was_not_sent_has_a_reason(
    find: Find, new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any, output: Path
) -> None:
    """The rule and where it was; and once a later attempt delivers it, that."""
    bad = [{"user_id": "jöhn", "plan": "x" * 200}, {"user_id": 4711, "plan": ["no text"]}]
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=[*people(3), *bad], max_rejected=2)
    run_dag(dag)
    code, told = find("jöhn", dag.dag_id)
    assert (code, [one["what"] for one in told["found"]]) == (0, ["rejected"])
    assert told["found"][0]["why"].startswith("P4 $.plan: has 200 characters")
    assert any("The receipts of 1 run name no users" in note for note in told["notes"])
    assert find("4711", dag.dag_id)[1]["found"][0]["what"] == "rejected"
    (folder,) = {path.parent for path in output.rglob("receipts-*.jsonl")}
    (folder / "receipts-2-abc.jsonl").write_text('{"ranges":[[3,1]],"count":1,"status":200,"at":"x"}\n')
    (one,) = find("jöhn", dag.dag_id)[1]["found"]
    assert (one["what"], "by a later attempt or a replay" in one["why"]) == ("delivered", True)


def test_nobody(find: Find, new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any) -> None:
    """Ends with 1; a part of an id is not the id, nor is the name of a field."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=[{"user_id": "u12", "u1": ["u1-2"]}], max_rejected=1)
    run_dag(dag)
    assert find("u1", dag.dag_id)[0] == 1
    assert find("u12", dag.dag_id)[0] == 0


def test_where_receipts_name_nobody_absence_proves_nothing(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any, moods: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person is told that it can't be told, not that the user was never sent."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="users", source=people(3))
        ThymiaUploadOperator(task_id="moods", upload_type="mood", source=moods(3))
    run_dag(dag)

    def said(task: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main(["find", "--user", "somebody", dag.dag_id, task])
        return capsys.readouterr().out

    assert said("users").startswith("Can't tell: ")
    assert "1 run may have delivered this user" in said("users")
    assert said("moods").startswith("This user is nowhere in ")


def test_a_field_may_be_named(find: Find, new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """Any value counts, however deep, as a number, too; unless fields are named: then theirs count alone."""
    source: list[Any] = [
        {"user_id": "a", "plan": [{"friends": ["b", 72]}]},
        {"user_id": 72, "plan": [1]},
        '{"user_id": "72", "plan": }',
        '{"user_id": "b", "age": 72, }',
    ]
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=source, max_rejected=4)
    run_dag(dag)

    def places(*arguments: str) -> list[tuple[str, list[str]]]:
        code, told = find("72", dag.dag_id, *arguments)
        assert code == (0 if told["found"] else 1)
        return [(one["why"].rpartition("record ")[2], one["fields"]) for one in told["found"]]

    assert places() == [("0)", ["friends"]), ("1)", ["user_id"]), ("2)", ["record"]), ("3)", ["record"])]
    assert places("--field", "user_id") == [("1)", ["user_id"]), ("2)", ["record"])]
    assert places("--field", "friends", "--field", "age") == [("0)", ["friends"]), ("3)", ["record"])]
    assert places("--field", "plan") == []


def test_who_waits(find: Find, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any) -> None:
    """Held samples are found where they wait, and in the rejects of the run that held them."""
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="bpm", source=[{**samples(1)[0], "device_name": "d-7"}])
    run_dag(dag)
    code, told = find("d-7", dag.dag_id)
    assert (code, [one["what"] for one in told["found"]]) == (0, ["held", "held"])
    assert told["found"][1]["run"] is None


def test_the_ledger_knows(
    find: Find, new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tasks with `incremental=True` delivered, also where receipts name no users; `-` reads the user."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=people(3), incremental=True)
    run_dag(dag)
    user = people(1)[0]["user_id"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{user}\n"))
    code, told = find("-", dag.dag_id)
    (one,) = told["found"]
    assert (code, one["what"], one["run"]) == (0, "delivered", None)
    assert "ledger, stream " in one["why"]
    assert "1 entry" in one["why"]
    assert find("nobody", dag.dag_id)[0] == 1


def test_the_ledger_knows_users_records(
    find: Find, new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Any, output: Path
) -> None:
    """Each of them; also once the receipts are gone."""
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=[*moods(2), *moods(2)], incremental=True)
    run_dag(dag)
    for path in output.rglob("receipts-*.jsonl"):
        path.unlink()
    (one,) = find("u1", dag.dag_id)[1]["found"]
    assert "1 entry" in one["why"]


def test_people_read_it(
    find: Find, new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What, when and why in one line, where below it, and what was not looked at."""
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=moods(1))
    run = run_dag(dag)
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["find", dag.dag_id, "--user", "u0"])
    what, where, _, ledger, *_ = capsys.readouterr().out.splitlines()
    assert what.startswith("delivered, 20")
    assert where == f"    {dag.dag_id} upload, run {run.run_id}"
    assert ledger.startswith("The ledger was not looked at: there is no ledger")
    with pytest.raises(SystemExit, match="--user: is empty"):
        main(["find", "--user", " "])


def test_kept_rejects_of_a_check(find: Find, tmp_path: Path, output: Path) -> None:
    """Folders that `check --keep` filled are looked into where they are named."""
    (tmp_path / "people.csv").write_text("user_id,plan\nu-1,a\nu-2," + "x" * 200 + "\n")
    with pytest.raises(SystemExit):
        main(["check", str(tmp_path / "people.csv"), "--vendor", "ptengine", "--keep", str(tmp_path / "kept")])
    assert find("u-2")[0] == 1
    code, told = find("u-2", "--kept", str(tmp_path / "kept"))
    assert (code, [one["fields"] for one in told["found"]]) == (0, [["user_id"]])
    with pytest.raises(SystemExit, match="--kept: there is no folder"):
        main(["find", "--user", "u-2", "--kept", str(tmp_path / "nothing")])
