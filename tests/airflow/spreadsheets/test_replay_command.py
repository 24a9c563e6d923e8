"""`userdata replay`: what was rejected is exported, edited as in a spreadsheet, tried and sent."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import MISFIT
from tests.doubles.spreadsheet import DAG, Command, Spreadsheet


@pytest.mark.parametrize("name", ["people.csv", "people.jsonl"])
def test_a_spreadsheet_corrects_them(
    name: str, command: Any, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, tmp_path: Path
) -> None:
    """Exported, edited, tried, sent: what was corrected goes out once, and what is still wrong says so."""
    people: list[dict[str, Any]] = [{"user_id": f"u{number}", "city": "Kyoto"} for number in range(9)]
    people[2]["user_id"], people[4]["city"], people[7]["user_id"] = "", "x" * 200, " "
    if name.endswith("csv"):
        text = "user_id,city\n" + "".join(f"{one['user_id']},{one['city']}\n" for one in people)
    else:
        text = "".join(json.dumps(one) + "\n" for one in people)
    (tmp_path / name).write_text(text)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "spreadsheet.py").write_text(DAG.format(path=tmp_path / name, fields=None))
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=str(tmp_path / name), max_rejected=9)
    dag.dag_id = "spreadsheet"
    run = run_dag(dag)
    table = tmp_path / "fix.csv"
    code, _ = command("rejects", "export", "spreadsheet", "upload", "--run-id", run.run_id, "--csv", str(table))
    assert code == 0
    table.write_text(table.read_text().replace("x" * 200, "Osaka").replace(",Kyoto,2,", "u2,Kyoto,2,").lstrip("\ufeff"))
    rows = table.read_text().splitlines()
    assert [row.partition(",Kyoto")[0] for row in rows if row.startswith("u2")] == ["u2"], rows
    again = ("replay", "spreadsheet", "upload", "--fix", str(table), "--subdir", str(tmp_path / "dags"))

    tried, said_first = command(*again, "--dry-run")
    code, said = command(*again)
    _, said_last = command(*again, "--rule", "P4")

    assert (tried, code) == (1, 1)
    assert "3 records: 2 valid, 1 rejected; nothing was sent." in said_first
    assert "is blank" in said_first
    assert f"fix.csv row 4 ({name}:" in said_first
    assert "2 delivered, 1 rejected" in said
    assert "No record is left" in said_last
    assert sandbox.ptengine.counts.records == sandbox.ptengine.counts.distinct == 8


def test_a_command_says_what_is_not_there(command: Any, tmp_path: Path) -> None:
    """A DAG, a task."""
    code, said = command("replay", "nothing", "upload", "--subdir", str(tmp_path))
    assert (code, "there is no DAG 'nothing'" in said) == (1, True)


def damage(row: dict[str, str]) -> None:
    """Correct the note, as people do, and the rest, as spreadsheets do."""
    year, month, day = row["born"].split("-")
    row.update(user_id=row["user_id"].lstrip("0"), born=f"{day}.{month}.{year}", note="short")


def test_what_a_spreadsheet_did_by_itself_is_refused(spreadsheet: Spreadsheet, sandbox: Sandbox) -> None:
    """In the trial and in earnest, with columns and counts, no values; until somebody says what to take."""
    spreadsheet.save(damage)

    for asked in (["--dry-run"], []):
        code, said = spreadsheet.replay(*asked)
        lines = [" ".join(line.split()) for line in said.splitlines()]
        assert code == 1
        assert "note other values 3 rows 2, 3, 4" in lines
        assert "user_id only its form: leading zeros are gone 3 rows 2, 3, 4" in lines
        assert "--reformatted original" in said
        assert "export with --xlsx" in said
        assert "Corrections(" not in said
        assert "No record is left" not in said
        assert "05.2025" not in said
    assert sandbox.ptengine.counts.records == 6

    code, said = spreadsheet.replay("--reformatted", "original")
    assert (code, "3 records: 3 delivered." in said) == (0, True)
    sent = {one["user_id"]: one["born"] for one in sandbox.ptengine.arrived()}
    assert sent["000004"] == "2025-05-14"
    assert len(sent) == 9


def test_a_renamed_column_is_an_error(spreadsheet: Spreadsheet, sandbox: Sandbox) -> None:
    """Its values would be left as they were, under another name."""
    spreadsheet.save(note="Notes")

    code, said = spreadsheet.replay()

    assert (code, sandbox.ptengine.counts.records) == (1, 6)
    assert "the table has lost the column 'note' and has a new one 'Notes'" in said
    assert "No record is left" not in said


def test_only_a_replay_that_sent_something_leaves_files(spreadsheet: Spreadsheet, output: Path) -> None:
    """A trial, a table that can't be used and one that corrects nothing leave no run behind."""
    spreadsheet.replay("--dry-run")
    spreadsheet.replay()
    spreadsheet.save(damage)
    spreadsheet.replay()
    assert not list((output / "spreadsheet").glob("replay__*"))

    spreadsheet.replay("--reformatted", "table")
    spreadsheet.replay("--reformatted", "table")
    (left,) = (output / "spreadsheet").glob("replay__*")
    assert list(left.glob("upload/receipts-*.jsonl"))


def test_a_row_with_too_many_cells_can_be_put_right(
    begin: Callable[..., Spreadsheet], command: Command, sandbox: Sandbox
) -> None:
    """Its cells stand in the columns where they fit; with its mark removed it is sent, empty texts included."""
    spreadsheet = begin(["a,2025-05-10,fine", "b,,one,two", "c,2025-05-11"])
    with spreadsheet.table.open(encoding="utf-8-sig", newline="") as file:
        long, short = csv.DictReader(file)
    assert (long["user_id"], long["born"], long["note"]) == ("b", "", "one")
    assert (long[MISFIT], short[MISFIT]) == ('too many: ["two"]', "only 2 of 3 cells")
    assert MISFIT in long["userdata: what to do"]
    assert short["note"] == ""
    _, only = command("rejects", "export", "spreadsheet", "upload", "--csv", "-", "--records-only")
    assert only.split() == ["user_id,born,note"]

    code, said = spreadsheet.replay()
    assert (code, "has 4 cells where the header has 3  fix.csv row 2 (people.csv:3)" in said) == (1, True)
    assert f"empty the cell in the column '{MISFIT}'" in said

    spreadsheet.save(lambda row: row.update({MISFIT: "", "note": "one, two"}))
    code, said = spreadsheet.replay()
    assert (code, "2 records: 2 delivered." in said) == (0, True)
    assert {"user_id": "b", "born": "", "note": "one, two"} in sandbox.ptengine.arrived()


def test_a_file_of_excels_keeps_what_it_holds(spreadsheet: Spreadsheet, command: Command, sandbox: Sandbox) -> None:
    """Exported, corrected and sent: ids, dates and long numbers are the same."""
    table = spreadsheet.table.with_suffix(".xlsx")
    code, said = command("rejects", "export", "spreadsheet", "upload", "--xlsx", str(table))
    assert (code, f"3 records are in {table}" in said, stat.S_IMODE(table.stat().st_mode)) == (0, True, 0o600)
    book = openpyxl.load_workbook(table)
    for row in range(2, 5):
        book.active.cell(row, 3).value = "short"
    book.save(table)
    spreadsheet.table = table

    code, said = spreadsheet.replay()

    assert (code, "3 records: 3 delivered." in said) == (0, True)
    assert "only its form" not in said
    assert {"user_id": "000004", "born": "2025-05-14", "note": "short"} in sandbox.ptengine.arrived()
