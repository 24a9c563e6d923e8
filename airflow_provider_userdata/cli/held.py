"""The commands `userdata held`: records that are too few for a request, and wait for their task's next run (G4)."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from airflow_provider_userdata.cli.file_reader import FileReader
from airflow_provider_userdata.cli.loaded_task import task_of
from airflow_provider_userdata.cli.printing import confirm, said, structured, table, tool
from airflow_provider_userdata.cli.progress import Progress
from airflow_provider_userdata.cli.run_folders import LEFT, Listing, list_output
from airflow_provider_userdata.delivery.carry_over import (
    DAY,
    MARK,
    Claimant,
    Claims,
    HeldFiles,
    HeldRecord,
    is_part,
    records_of,
)
from airflow_provider_userdata.delivery.recording import FoundFile
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators import replaying
from airflow_provider_userdata.operators.output_paths import output_root
from airflow_provider_userdata.vendors import by_rule

_OF_HELD = 3
"""How many names lead to the records that a task's runs held: those of DAG and task, and `held`."""


@dataclass(frozen=True)
class Waiting:
    """A file of records that wait.

    :param max_age: how many days they may wait, by the run that held some last; None if forever.
    :param claimed: whether a run has taken it, to send the records.
    """

    dag: str
    task: str
    folder: Any
    name: str
    records: list[HeldRecord]
    max_age: float | None
    claimed: bool

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return it as JSON's types, with the times of the record that has waited for longest."""
        oldest = min(self.records, key=lambda one: one.since, default=None)
        ends = None if oldest is None or self.max_age is None else oldest.since + self.max_age * DAY
        return {
            "dag": self.dag,
            "task": self.task,
            "kind": unquote(self.name.partition("-")[0]),
            "records": len(self.records),
            "since": None if oldest is None else _moment(oldest.since),
            "days": None if oldest is None else round(oldest.days(now), 1),
            "expires": None if ends is None else _moment(ends),
            "taken by a run": self.claimed,
            "file": self.name,
        }

    def lines(self) -> list[bytes]:
        """Return the records, as they are written; none if a run has taken the file, and was through with it."""
        return [one.body for one in self.records]


@said()
def show(asked: Namespace) -> None:
    """List the records that wait."""
    root = output_root(asked.output_path)
    found, now = waiting(root, asked.dag_id, asked.task_id), time.time()
    if asked.output != "table":
        print(structured([one.as_dict(now) for one in found], asked.output))
        return
    if not found:
        print(f"No records wait in {root} for a task's next run.")
        return
    print(table([_row(one.as_dict(now), now) for one in found]))
    print(f"{sum(len(one.records) for one in found):,} records wait, and go out first in their task's next run.")
    if late := sum(_is_late(record, one.max_age, now) for one in found for record in one.records):
        print(f"{late:,} of them have waited for longer than held_max_age allows: that run rejects them (A8).")
    print(f"Folder: {root}")


@said()
def send(asked: Namespace) -> None:
    """Send the records of a task that wait, as its next run would."""
    with redirect_stdout(sys.stderr):  # where Airflow logs to otherwise, between the results
        result = replaying.send_held(task_of(asked), asked.map_index, observers=[Progress(sends=True)])
    report = result.report
    if not report.read:
        print(f"No records wait that this task could send now. `{tool()} held list` shows which wait.")
    else:
        fates = {"delivered": report.delivered, "unchanged": report.unchanged, "unknown": report.unknown}
        fates |= {"rejected": report.rejected, "still too few, and held on": report.held}
        counts = [f"{count:,} {fate}" for fate, count in fates.items() if count]
        print(f"{report.read:,} records waited: {', '.join(counts)}.")
    if result.error is not None:
        raise result.error
    if report.rejected or report.unknown:
        print(f"By rule: {by_rule(report.reasons)}. See {report.rejects}")
        sys.exit(1)


@said()
def drop(asked: Namespace) -> None:
    """Remove records that wait, so that no run sends them."""
    if asked.older_than is not None and asked.older_than < 1:
        raise ArgumentError("--older-than: must be at least 1 day")
    now, days = time.time(), float(asked.older_than or 0)
    root = output_root(asked.output_path)
    found = [one for one in waiting(root, asked.dag_id, asked.task_id) if not one.claimed]
    count = sum(record.days(now) >= days for one in found for record in one.records)
    if not count:
        print("There is nothing to drop. Records that a run has taken stay.")
        return
    confirm(asked, f"Drop {count:,} records? They were never sent, and no run will send them.", "dropped")
    dropped = sum([_dropped(one, days, now) for one in found])
    print(f"Dropped {dropped:,} records.")
    if dropped < count:
        print(f"{count - dropped:,} were taken by a run meanwhile.")


def _dropped(one: Waiting, days: float, now: float) -> int:
    """Remove the old records of a file, unless a run takes it at this moment: it is claimed first, as a run does.

    :return: how many they were.
    """
    claims, files = Claims(one.folder), HeldFiles(one.folder)
    with files.usable():
        if not claims.take(one.name, 1, Claimant("userdata held drop", "")):
            return 0
        try:
            records = files.read(one.name)
            left = [record for record in records if record.days(now) < days]
            if left:
                files.write(one.name, left)
            else:
                files.remove(one.name)
        except FileNotFoundError:  # a run took it, and was through with it
            return 0
        finally:
            claims.drop(one.name, [1])
    return len(records) - len(left)


def waiting(
    root: Any,
    dag_id: str | None = None,
    task_id: str | None = None,
    *,
    listing: Listing | None = None,
    cut_short: bool = False,
) -> list[Waiting]:
    """Return the files of records that wait, by DAG and task.

    :param dag_id: only this DAG's.
    :param task_id: only this task's.
    :param listing: what `list_output` found; None looks now.
    :param cut_short: whether to return files, too, that a crash cut short, and that no run reads.
    """
    found: list[Waiting] = []
    for names, files in (list_output(root, dag_id) if listing is None else listing).items():
        if is_of_held(names) and task_id in (None, unquote(names[1])):
            held = [file for file in files if _is_held(file.name) or (cut_short and is_part(file.name))]
            found += _in_folder(unquote(names[0]), unquote(names[1]), files, held)
    return found


def is_of_held(names: tuple[str, ...]) -> bool:
    """Return whether the names of folders lead to a task's held records."""
    return len(names) == _OF_HELD and names[-1] == "held"


def _in_folder(dag: str, task: str, files: list[FoundFile], held: list[FoundFile]) -> Iterator[Waiting]:
    if not held:
        return
    claimed = {file.name.partition(MARK)[0] for file in files if MARK in file.name}
    max_age = HeldFiles(held[0].folder).max_age()
    reader = FileReader(held)
    for file in held:
        records = records_of(b"".join(reader.lines(file)), file.changed or time.time())
        yield Waiting(dag, task, file.folder, file.name, records, max_age, file.name in claimed)


def _is_held(name: str) -> bool:
    return name.endswith(".jsonl") and not name.startswith((".", *LEFT))  # a run's task may be called `held`, too


def _row(values: dict[str, Any], now: float) -> dict[str, Any]:
    """Return a file for a person."""
    ends = values["expires"]
    expires = "never" if ends is None else "next run" if ends <= _moment(now) else ends[:10]
    since = (values["since"] or "")[:16].replace("T", " ")
    return {**values, "since": since, "expires": expires, "taken by a run": "yes" if values["taken by a run"] else "no"}


def _is_late(record: HeldRecord, max_age: float | None, now: float) -> bool:
    return max_age is not None and record.days(now) > max_age


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
