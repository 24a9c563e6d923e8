"""The commands `userdata held`: records that are too few for a request, and wait for their task's next run (G4)."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from airflow_provider_userdata.cli.printing import confirm, said, structured, table
from airflow_provider_userdata.delivery.carry_over import Claimant, Claims
from airflow_provider_userdata.errors import ArgumentError, OutputError
from airflow_provider_userdata.operators.output_paths import output_root


@dataclass(frozen=True)
class Waiting:
    """A file of records that wait.

    :param claimed: whether a run has taken it, to send the records.
    """

    dag: str
    task: str
    folder: Any
    name: str
    records: int
    since: datetime | None
    claimed: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON's types."""
        return {
            "dag": self.dag,
            "task": self.task,
            "kind": unquote(self.name.partition("-")[0]),
            "records": self.records,
            "since": None if self.since is None else self.since.isoformat(timespec="seconds"),
            "taken by a run": self.claimed,
            "file": self.name,
        }

    def lines(self) -> list[bytes]:
        """Return the records; none if a run has taken the file, and was through with it."""
        with suppress(FileNotFoundError), (self.folder / self.name).open("rb") as file:
            return list(file)
        return []


@said()
def show(asked: Namespace) -> None:
    """List the records that wait."""
    root = output_root(asked.output_path)
    found = list(waiting(root, asked.dag_id, asked.task_id))
    if asked.output != "table":
        print(structured([one.as_dict() for one in found], asked.output))
        return
    if not found:
        print(f"No records wait in {root} for a task's next run.")
        return
    rows = [one.as_dict() for one in found]
    print(table([{**row, "taken by a run": "yes" if row["taken by a run"] else "no"} for row in rows]))
    print(f"{sum(one.records for one in found):,} records wait, and go out first in their task's next run.")
    print(f"Folder: {root}")


@said()
def drop(asked: Namespace) -> None:
    """Remove records that wait, so that no run sends them."""
    root = output_root(asked.output_path)
    found = [one for one in waiting(root, asked.dag_id, asked.task_id) if not one.claimed]
    if asked.older_than is not None:
        if asked.older_than < 1:
            raise ArgumentError("--older-than: must be at least 1 day")
        now = datetime.now(UTC)
        found = [one for one in found if one.since is not None and (now - one.since).days >= asked.older_than]
    count = sum(one.records for one in found)
    if not found:
        print("There is nothing to drop. Records that a run has taken stay.")
        return
    confirm(asked, f"Drop {count:,} records? They were never sent, and no run will send them.", "dropped")
    dropped = sum([one.records for one in found if _dropped(one)])
    print(f"Dropped {dropped:,} records.")
    if dropped < count:
        print(f"{count - dropped:,} were taken by a run meanwhile.")


def _dropped(one: Waiting) -> bool:
    """Remove a file, unless a run takes it at this moment: it is claimed first, as a run does."""
    claims = Claims(one.folder)
    try:
        if not claims.take(one.name, 1, Claimant("userdata held drop", "")):
            return False
        (one.folder / one.name).unlink()
        claims.drop(one.name, [1])
    except FileNotFoundError:  # a run took it, and was through with it
        claims.drop(one.name, [1])
        return False
    except OSError as error:
        raise OutputError(f"{one.folder} can't be changed: {error.strerror or type(error).__name__}") from None
    return True


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
            folder = task / "held"
            files = [path for path in _within(folder) if path.name.endswith(".jsonl") and path.name[0] != "."]
            claims = Claims(folder).listed() if files else {}
            for path in files:
                taken = path.name in claims
                names = unquote(dag.name), unquote(task.name)
                yield Waiting(*names, folder, path.name, _records(path), _since(path), taken)


def _records(path: Any) -> int:
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except FileNotFoundError:
        return 0


def _since(path: Any) -> datetime | None:
    with suppress(OSError, AttributeError, TypeError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return None


def _within(folder: Any) -> list[Any]:
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
