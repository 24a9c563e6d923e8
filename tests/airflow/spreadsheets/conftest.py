"""Commands, and a run whose rejects somebody corrects in a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.cli.definition import parser
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles.spreadsheet import DAG, Command, Spreadsheet

Begin = Callable[..., Spreadsheet]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
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


@pytest.fixture
def begin(command: Command, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, tmp_path: Path) -> Begin:
    """Run the upload of a CSV with these lines, and export its rejects."""

    def run(lines: list[str], fields: dict[str, Any] | None = None) -> Spreadsheet:
        source = tmp_path / "people.csv"
        source.write_text("\n".join(["user_id,born,note", *lines]) + "\n")
        (tmp_path / "dags").mkdir()
        (tmp_path / "dags" / "spreadsheet.py").write_text(DAG.format(path=source, fields=fields))
        with new_dag() as dag:
            PtengineProfilesOperator(task_id="upload", source=str(source), fields=fields, max_rejected=9)
        dag.dag_id = "spreadsheet"
        run_id = run_dag(dag).run_id
        table = tmp_path / "fix.csv"
        code, _ = command("rejects", "export", "spreadsheet", "upload", "--run-id", run_id, "--csv", str(table))
        assert code == 0
        return Spreadsheet(command, tmp_path, output)

    return run


@pytest.fixture
def spreadsheet(begin: Begin) -> Spreadsheet:
    """Have three of nine rejected for their notes; the other cells are such as spreadsheets change."""
    notes = ["x" * 200 if number in (2, 4, 7) else "fine" for number in range(9)]
    return begin([f"{number:06d},2025-05-{number + 10},{note}" for number, note in enumerate(notes)])
