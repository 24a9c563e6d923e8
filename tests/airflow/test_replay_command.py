"""`userdata replay`: what was rejected is exported, edited as in a spreadsheet, tried and sent."""

from __future__ import annotations

import csv
import json
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from airflow_provider_userdata.cli.definition import parser
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import MISFIT

Command = Callable[..., tuple[int, str]]
Edit = Callable[[dict[str, str]], None]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command; give its exit code, and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        code = 0
        try:
            asked = parser().parse_args(arguments)
            asked.function(asked)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
            said = "" if isinstance(end.code, int) else str(end.code)
            return code, capsys.readouterr().out + said
        return code, capsys.readouterr().out

    return run


SPREADSHEET = """
from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator

with find("DAG", ("airflow.sdk", "airflow.models.dag"))("spreadsheet", schedule=None):
    PtengineProfilesOperator(task_id="upload", source="{path}", max_rejected=9)
"""


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
    (tmp_path / "dags" / "spreadsheet.py").write_text(SPREADSHEET.format(path=tmp_path / name))
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


class Spreadsheet:
    """A run of which three of nine people are rejected, and the table of these.

    :param folder: of the source, the DAG and the table.
    :param output: where the DAG's runs write.
    """

    def __init__(self, command: Command, folder: Path, output: Path) -> None:
        self._command = command
        self._folder = folder
        self._output = output
        self.table = folder / "fix.csv"

    def save(self, edit: Edit = lambda row: None, **renamed: str) -> None:
        """Write the table as it is after somebody edited each row, and renamed columns."""
        with self.table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            edit(row)
        with self.table.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow([renamed.get(name, name) for name in rows[0]])
            writer.writerows(row.values() for row in rows)

    def runs(self) -> list[Path]:
        """Return the folders of the DAG's runs."""
        return list(self._output.joinpath("spreadsheet").iterdir())

    def replay(self, *more: str) -> tuple[int, str]:
        """Run the command with the table."""
        dags = str(self._folder / "dags")
        return self._command("replay", "spreadsheet", "upload", "--fix", str(self.table), "--subdir", dags, *more)


@pytest.fixture
def begin(
    command: Command, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, tmp_path: Path
) -> Callable[[list[str]], Spreadsheet]:
    """Run the upload of a CSV with these lines, and export its rejects."""

    def run(lines: list[str]) -> Spreadsheet:
        (tmp_path / "people.csv").write_text("\n".join(["user_id,born,note", *lines]) + "\n")
        (tmp_path / "dags").mkdir()
        (tmp_path / "dags" / "spreadsheet.py").write_text(SPREADSHEET.format(path=tmp_path / "people.csv"))
        with new_dag() as dag:
            PtengineProfilesOperator(task_id="upload", source=str(tmp_path / "people.csv"), max_rejected=9)
        dag.dag_id = "spreadsheet"
        run_id = run_dag(dag).run_id
        table = tmp_path / "fix.csv"
        code, _ = command("rejects", "export", "spreadsheet", "upload", "--run-id", run_id, "--csv", str(table))
        assert code == 0
        return Spreadsheet(command, tmp_path, output)

    return run


@pytest.fixture
def spreadsheet(begin: Callable[[list[str]], Spreadsheet]) -> Spreadsheet:
    """Have three of nine rejected for their notes; the other cells are such as spreadsheets change."""
    notes = ["x" * 200 if number in (2, 4, 7) else "fine" for number in range(9)]
    return begin([f"{number:06d},2025-05-{number + 10},{note}" for number, note in enumerate(notes)])


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


def test_another_user_is_pointed_out(spreadsheet: Spreadsheet) -> None:
    """Where the column that names the user says somebody else than before."""

    def edit(row: dict[str, str]) -> None:
        row.update(note="short", user_id=row["user_id"].replace("000004", "000044"))

    spreadsheet.save(edit)

    code, said = spreadsheet.replay("--dry-run")

    told = json.loads(spreadsheet.replay("--dry-run", "-o", "json")[1])
    assert {"column": "user_id", "form": None, "filled": False, "count": 1, "first": [3]} in told["changes"]
    assert code == 0
    assert "Warning: user_id names the user, and names another one in 1 row (row 3)" in said
    assert "3 records: 3 valid; nothing was sent." in said


def test_a_wrong_user_is_corrected_without_a_warning(begin: Callable[[list[str]], Spreadsheet]) -> None:
    """What was invalid named nobody; a number with fewer digits than the others is pointed out."""
    spreadsheet = begin([f"{'u' * 200},,", ",2025-05-10,", f"00000046,,{'x' * 200}", f"00000047,,{'x' * 200}"])
    ids = {"": "7001", "u" * 200: "00000001"}
    spreadsheet.save(lambda row: row.update(user_id=ids.get(row["user_id"], row["user_id"]), note="short"))

    code, said = spreadsheet.replay("--dry-run")

    assert code == 0
    assert "names another one" not in said
    assert "Warning: user_id names a user in 1 row (row 3) with fewer digits than all others, 4 in place of 8." in said
    assert spreadsheet.replay()[0] == 0
    assert spreadsheet.replay() == (0, "No record is left to be sent again.\n")


def test_a_removed_row_is_not_called_delivered(spreadsheet: Spreadsheet) -> None:
    """It is still there, and the table says nothing of it."""
    spreadsheet.save(lambda row: row.update(note="short"))
    table = spreadsheet.table.read_text()
    spreadsheet.table.write_text("".join(table.splitlines(keepends=True)[:3]))
    assert spreadsheet.replay()[0] == 0

    code, said = spreadsheet.replay()

    assert code == 0
    assert "1 record has no row in fix.csv: not sent." in said
    assert "changes no value" not in said
    assert "No other record is left to be sent again." in said


def test_without_a_table_places_are_short(spreadsheet: Spreadsheet, command: Command) -> None:
    """The whole path stands below, once."""
    folder = spreadsheet.table.parent

    _, said = command("replay", "spreadsheet", "upload", "--subdir", str(folder / "dags"), "--dry-run")

    assert "  people.csv:4, people.csv:6, people.csv:9\n" in said
    assert said.count(str(folder / "people.csv")) == 1
    assert f"From: {folder / 'people.csv'}" in said


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
    begin: Callable[[list[str]], Spreadsheet], command: Command, sandbox: Sandbox
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


def test_an_export_says_what_comes_next(spreadsheet: Spreadsheet, command: Command) -> None:
    """The same run and records, by the name of the tool; nothing of a table that can't be sent."""
    table = f"{spreadsheet.table.parent}/my fix.csv"
    asked = ("rejects", "export", "spreadsheet", "upload", "--csv", table)

    *_, then = command(*asked)[1].splitlines()
    assert then == (
        f"Correct them, then: python -m airflow_provider_userdata replay spreadsheet upload --fix '{table}' --dry-run"
    )
    words = shlex.split(then.partition("airflow_provider_userdata ")[2])
    code, said = command(*words, "--subdir", str(spreadsheet.table.parent / "dags"))
    assert (code, "my fix.csv changes no value." in said) == (1, True)

    (run,) = {path.name for path in spreadsheet.runs() if not path.name.startswith("replay__")}
    *_, then = command(*asked, "--run-id", run, "--rule", "P4", "--fate", "rejected")[1].splitlines()
    assert f" upload --run-id {run} --rule P4 --fate rejected --fix " in then
    assert "then:" not in command(*asked, "--records-only")[1]
    assert "then:" not in command(*asked, "--fate", "held")[1]


def test_airflows_command_line_names_itself(spreadsheet: Spreadsheet, capsys: pytest.CaptureFixture[str]) -> None:
    """Its arguments don't say how the tool was called."""
    table = str(spreadsheet.table)
    asked = parser().parse_args(["rejects", "export", "spreadsheet", "upload", "--csv", table])
    del asked.program

    asked.function(asked)

    then = f"Correct them, then: airflow userdata replay spreadsheet upload --fix {table} --dry-run\n"
    assert capsys.readouterr().out.endswith(then)


@pytest.mark.parametrize("options", [[], ["--csv", "a.csv", "--xlsx", "a.xlsx"]])
def test_one_form_is_asked_for(options: list[str], spreadsheet: Spreadsheet, command: Command) -> None:
    """Both or none are an error."""
    assert command("rejects", "export", "spreadsheet", "upload", *options) == (
        1, "userdata: say --csv FILE or --xlsx FILE",
    )  # fmt: skip
