"""`userdata replay` says what is worth a look in an edited table, and nothing that isn't so."""

from __future__ import annotations

import json
from collections.abc import Callable

from airflow_provider_userdata.sources import Timestamp
from tests.doubles.spreadsheet import Command, Spreadsheet


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


def test_a_wrong_user_is_corrected_without_a_warning(begin: Callable[..., Spreadsheet]) -> None:
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


def test_a_date_in_a_spreadsheets_own_form_is_pointed_out(begin: Callable[..., Spreadsheet]) -> None:
    """Somebody typed it as the task reads it, and the CSV has it in another form; in a file of Excel's it stays."""
    spreadsheet = begin(["a,2026-02-30,"], {"user_id": "user_id", "born": Timestamp("born", "%Y-%m-%d", "Asia/Tokyo")})
    spreadsheet.save(lambda row: row.update(born="28.02.2026"))

    code, said = spreadsheet.replay("--dry-run")

    assert code == 1
    assert "is not of the form '%Y-%m-%d'" in said
    assert "export with --xlsx, where what you type stays as it is." in said


def test_without_a_table_places_are_short(spreadsheet: Spreadsheet, command: Command) -> None:
    """The whole path stands below, once."""
    folder = spreadsheet.table.parent

    _, said = command("replay", "spreadsheet", "upload", "--subdir", str(folder / "dags"), "--dry-run")

    assert "  people.csv:4, people.csv:6, people.csv:9\n" in said
    assert said.count(str(folder / "people.csv")) == 1
    assert f"From: {folder / 'people.csv'}" in said
