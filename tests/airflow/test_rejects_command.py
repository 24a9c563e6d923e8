"""`airflow userdata rejects show`, and the same without Airflow's command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.cli import reject_groups
from airflow_provider_userdata.cli.reject_groups import RejectGroups
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.output_paths import run_folder
from airflow_provider_userdata.sandbox import Sandbox

Show = Callable[..., str]


@pytest.fixture
def show(output: Path, capsys: pytest.CaptureFixture[str]) -> Show:
    """Run the command for a run, and give what it prints."""

    def call(*arguments: str, run: str | None = "r") -> str:
        named = () if run is None else ("--run-id", run)
        main(["rejects", "show", "moods", "upload", *named, *arguments])
        return capsys.readouterr().out

    return call


@pytest.fixture
def write(output: Path) -> Callable[..., None]:
    """Write a rejects file: ``write([line, …], "2-abc", index=3)``."""

    def put(
        lines: list[dict[str, Any]], attempt: str = "1-abc", run: str = "r", index: int = -1, end: str = ""
    ) -> None:
        ti = SimpleNamespace(dag_id="moods", task_id="upload", run_id=run, map_index=index)
        folder = run_folder(output, ti)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"rejects-{attempt}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + end)

    return put


def line(position: int, rule: str = "G8", **fields: Any) -> dict[str, Any]:
    """Give a line of a rejects file."""
    known = {"fate": "rejected", "path": "$.unit", "reason": "is missing", "record": {"unit": f"secret-{position}"}}
    return {"position": position, "rule": rule, **known, **fields}


FILE = [*(line(number, file="a.csv", line=number + 2) for number in range(5)), line(9, "G7", path="$.start_date")]


def test_rejects_are_shown_to_people(show: Show, write: Callable[..., None]) -> None:
    """How many for which reason, where the first ones are, and what to do; no record."""
    write(FILE)
    head, first, second, *rest = show().splitlines()
    assert head.split() == ["attempt", "count", "rule", "fate", "where", "what", "is", "wrong", "first"]
    assert first.split(maxsplit=5)[:5] == ["1", "5", "G8", "rejected", "$.unit"]
    assert first.endswith("a.csv:2, a.csv:3, a.csv:4")
    assert second.split()[:5] == ["1", "1", "G7", "rejected", "$.start_date"]
    text = "\n".join(rest)
    assert "G8: unit is count" in text
    assert "What to do: Correct the value, or leave the row out" in text
    assert "secret" not in show()


def test_rejects_are_shown_to_programs(show: Show, write: Callable[..., None]) -> None:
    """As JSON."""
    write(FILE)
    found = json.loads(show("--output", "json"))
    assert [(one["rule"], one["count"]) for one in found["reasons"]] == [("G8", 5), ("G7", 1)]
    assert found["reasons"][0]["first"][1] == {"position": 1, "file": "a.csv", "line": 3}
    assert found["more"] == 0
    assert "secret" not in json.dumps(found)


def test_records_are_shown_on_request(show: Show, write: Callable[..., None]) -> None:
    """The first ones of each reason."""
    write(FILE)
    assert 'a.csv:2: {"unit": "secret-0"}' in show("--values")
    found = json.loads(show("--values", "--output", "json"))
    assert found["reasons"][0]["first"][0]["record"] == {"unit": "secret-0"}


def test_names_can_be_read_and_change_no_terminal(show: Show, write: Callable[..., None]) -> None:
    """Values are shown as people write them; what a terminal would obey is not."""
    write([line(0, record={"name": "佐藤 花子, Zürich\x1b[2J"})])
    assert '"佐藤 花子, Zürich\\u001b[2J"' in show("--values")


def test_long_paths_of_files_are_said_once(show: Show, write: Callable[..., None]) -> None:
    """In the table, a file has its name alone, if no other one has the same."""
    write([line(number, file=f"/data/{name}.csv", line=9) for number, name in enumerate(("a/x", "b/x", "b/y"))])
    text = show()
    assert "/data/a/x.csv:9, /data/b/x.csv:9, y.csv:9" in text
    assert "From: /data/b/y.csv" in text


def test_they_are_selected(show: Show, write: Callable[..., None]) -> None:
    """By rule, and by their number."""
    write(FILE)
    assert [one["rule"] for one in json.loads(show("--rule", "G7", "-o", "json"))["reasons"]] == ["G7"]
    limited = json.loads(show("--limit", "1", "-o", "json"))
    assert ([one["rule"] for one in limited["reasons"]], limited["more"]) == (["G8"], 1)
    assert "1 more reason: raise --limit" in show("--limit", "1")
    assert "No record" in show("--rule", "G1")
    with pytest.raises(SystemExit, match="--limit"):
        show("--limit", "0")


def test_without_a_run_it_is_the_one_that_wrote_last(show: Show, write: Callable[..., None], output: Path) -> None:
    """By the time of the last write, not by name; what a command sent again is no run of the task's own."""
    for age, run in enumerate(("replay__1", "a", "b")):
        write([line(0, file=f"{run}.csv", line=9)], run=run)
        (path,) = (output / "moods" / run).rglob("rejects-*")
        os.utime(path, (2e9 - age, 2e9 - age))
    assert "a.csv:9" in show(run=None)
    with pytest.raises(
        SystemExit, match=r"^userdata: no run of task 'upload' in DAG 'moods' has written to .* yet\. `python"
    ):
        show("--output-path", str(output / "elsewhere"), run=None)


def test_a_task_that_no_run_has_written_for(show: Show, write: Callable[..., None], output: Path) -> None:
    """What is named like it is suggested, by the tool's own name."""
    write([line(1)], run="a")
    for wrong, right in (("moods", "upload"), ("mood", "moods")):
        task = "uploads" if wrong == "moods" else "upload"
        with pytest.raises(SystemExit, match=rf"in DAG '{wrong}' has written to .* yet\. Did you mean '{right}'\?"):
            main(["rejects", "show", wrong, task, "--output-path", str(output)])


def test_attempts_are_told_apart(show: Show, write: Callable[..., None]) -> None:
    """The last one first: a run that started over rejects the same records again."""
    write([line(1)], "2-ab")
    write([line(1)], "10-ab")
    write([line(1)], "1-ab")
    assert [one["attempt"] for one in json.loads(show("-o", "json"))["reasons"]] == [10, 2, 1]


def test_a_mapped_task_needs_its_index(show: Show, write: Callable[..., None]) -> None:
    """And the command says which there are."""
    write([line(1)], index=0)
    write([line(1), line(2)], index=7)
    with pytest.raises(SystemExit, match=r"choose one with --map-index \(0 or 7\)"):
        show()
    assert json.loads(show("--map-index", "7", "-o", "json"))["reasons"][0]["count"] == 2


def test_a_run_without_files(show: Show, write: Callable[..., None]) -> None:
    """Is named, with what is like it."""
    with pytest.raises(SystemExit, match=r"userdata has nothing of DAG 'moods'\. `python -m .* runs` lists .* worker"):
        show(run="manual")
    write([], run="manual__2026-11-30T09:12:44+00:00")
    with pytest.raises(
        SystemExit, match=r"run 'manual__2026-11-30' of DAG 'moods'\. Did you mean 'manual__2026-11-30T"
    ):
        show(run="manual__2026-11-30")
    assert show(run="manual__2026-11-30T09:12:44+00:00").startswith("No record was rejected")


def test_what_was_delivered_since_is_not_shown(show: Show, write: Callable[..., None], output: Path) -> None:
    """By a later attempt of a task that was cleared, or by an earlier run, as its second line says."""
    write([line(0), line(1), line(2)])
    write([line(1, "", fate="unchanged")], "2-abc")
    (folder,) = output.glob("moods/r/upload")
    (folder / "receipts-2-abc.jsonl").write_text('{"ranges":[[2,1]],"count":1,"status":200,"at":"2026-11-30"}\n')
    (reason,) = json.loads(show("--output", "json"))["reasons"]
    assert [one["position"] for one in reason["first"]] == [0]


def test_damaged_lines_are_counted(show: Show, write: Callable[..., None]) -> None:
    """One that is being written isn't damaged."""
    write([line(1)], end='{"position": 2\n{"posit')
    assert "Damaged lines, which are left out: 1" in show()


def test_control_characters_do_not_reach_the_terminal(show: Show, write: Callable[..., None]) -> None:
    """Columns and a vendor's answers are somebody's data."""
    write([line(1, path="$.\x1b[2J", reason="a\nb")])
    said = show()
    assert "\x1b" not in said
    assert "$.?[2J" in said
    assert "a?b" in said


def test_different_reasons_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor may say something else of each record."""
    monkeypatch.setattr(reject_groups, "MOST_GROUPS", 2)
    groups = RejectGroups()
    groups.add(1, [json.dumps(line(number, reason=f"reason {number}")).encode() for number in range(5)])
    assert [(one.count, one.reason) for one in groups.most_frequent()] == [
        (3, "other reasons"), (1, "reason 0"), (1, "reason 1"),
    ]  # fmt: skip


@pytest.mark.parametrize("own", [False, True])
def test_the_rejects_of_a_real_run(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any, tmp_path: Path, own: bool,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Where the setting says, or where the task's own argument does, which Airflow has recorded."""
    bad = [{**sample, "unit": "miles"} for sample in samples(4)]
    with new_dag() as dag:
        options: dict[str, Any] = {"output_path": str(tmp_path / "own {{ dag.dag_id }}")} if own else {}
        GerosenseSamplesOperator(
            task_id="steps", data_type="steps", source=[*samples(3), *bad], max_rejected=10, **options
        )
    run = run_dag(dag)
    capsys.readouterr()
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    main(["rejects", "show", run.dag_id, "steps", "--run-id", run.run_id, "-o", "json"])
    found = json.loads(capsys.readouterr().out)
    (reason,) = found["reasons"]
    assert (reason["rule"], reason["path"], reason["count"], reason["fate"]) == ("G8", "$.unit", 4, "rejected")
    assert [place["position"] for place in reason["first"]] == [3, 4, 5]
    assert ("own " in found["folder"]) is own
