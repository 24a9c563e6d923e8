"""Edits a table of rejects as a spreadsheet does, and sends it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., tuple[int, str]]
"""Runs a command; returns its exit code, and what it printed."""
Edit = Callable[[dict[str, str]], None]
"""Changes a row's cells, by column."""
DAG = """
from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sources import Timestamp

with find("DAG", ("airflow.sdk", "airflow.models.dag"))("spreadsheet", schedule=None):
    PtengineProfilesOperator(task_id="upload", source="{path}", max_rejected=9, fields={fields!r})
"""
"""The DAG of a :class:`Spreadsheet`, as a file."""


class Spreadsheet:
    """A run, and the table of what it rejected.

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
