"""The commands `userdata held`: records that are too few for a request, and wait for their task's next run (G4)."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from airflow_provider_userdata.cli.loaded_task import task_of
from airflow_provider_userdata.cli.printing import confirm, said, structured, table
from airflow_provider_userdata.delivery.carry_over import DAY, Claimant, Claims, HeldFiles, HeldRecord
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators import replaying
from airflow_provider_userdata.operators.output_paths import output_root
from airflow_provider_userdata.vendors import by_rule


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
    found, now = list(waiting(root, asked.dag_id, asked.task_id)), time.time()
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
    result = replaying.send_held(task_of(asked))
    report = result.report
    if not report.read:
        print("No records wait that this task could send now. `userdata held list` shows which wait.")
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


def waiting(root: Any, dag_id: str | None = None, task_id: str | None = None) -> Iterator[Waiting]:
    """Yield the files of records that wait, by DAG and task.

    :param dag_id: only this DAG's.
    :param task_id: only this task's.
    """
    for dag in _within(root):
        if dag_id is not None and unquote(dag.name) != dag_id:
            continue
        for task in _within(dag):
            if task_id is not None and unquote(task.name) != task_id:
                continue
            yield from _of_task(unquote(dag.name), unquote(task.name), task / "held")


def _of_task(dag: str, task: str, folder: Any) -> Iterator[Waiting]:
    names = [path.name for path in _within(folder) if path.name.endswith(".jsonl") and path.name[0] != "."]
    if not names:
        return
    claims, files = Claims(folder).listed(), HeldFiles(folder)
    max_age = files.max_age()
    for name in names:
        try:
            records = files.read(name)
        except FileNotFoundError:
            records = []
        yield Waiting(dag, task, folder, name, records, max_age, name in claims)


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


def _within(folder: Any) -> list[Any]:
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
