"""`userdata rejects export` says what it needs, and what comes next."""

from __future__ import annotations

import shlex

import pytest

from tests.doubles.spreadsheet import Command, Spreadsheet


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


def test_airflows_command_line_names_itself(
    spreadsheet: Spreadsheet, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what people type there."""
    table = str(spreadsheet.table)
    monkeypatch.setattr("sys.argv", ["/opt/bin/airflow", "userdata"])

    _, said = command("rejects", "export", "spreadsheet", "upload", "--csv", table)

    then = f"Correct them, then: airflow userdata replay spreadsheet upload --fix {table} --dry-run\n"
    assert said.endswith(then)


@pytest.mark.parametrize("options", [[], ["--csv", "a.csv", "--xlsx", "a.xlsx"]])
def test_one_form_is_asked_for(options: list[str], spreadsheet: Spreadsheet, command: Command) -> None:
    """Both or none are an error."""
    assert command("rejects", "export", "spreadsheet", "upload", *options) == (
        1, "userdata: say --csv FILE or --xlsx FILE",
    )  # fmt: skip
