"""What lies in the output folders: the runs, and what their files say became of the records."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from airflow_provider_userdata.cli.asked_run import asked_folder, files_of
from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.recording import Range, RejectLine, read_marks
from airflow_provider_userdata.delivery.resuming import IntervalSet

_OURS = ("receipts-", "rejects-", "originals-")
LEFT = (
    *_OURS,
    "sent-",
    "replayed-",
    "replays.claim-",
    "replays.",
    "checkpoint.json",
    ".attempt-",
    ".checkpoint.json",
)
"""How the names begin of what runs leave."""


class _Receipt(msgspec.Struct):
    ranges: list[Range]
    at: str = ""


@dataclass(frozen=True)
class RunFolder:
    """The folder of a task's run.

    :param index: of a mapped task, which instance; else empty.
    :param paths: what it holds.
    """

    dag: str
    run: str
    task: str
    index: str
    path: Any
    paths: list[Any]

    def changed(self) -> datetime | None:
        """Return when anything was last written here; None if the store doesn't say."""
        with suppress(OSError, AttributeError, TypeError):
            return datetime.fromtimestamp(max(path.stat().st_mtime for path in self.paths), UTC)
        return None


@dataclass
class Counts:
    """What a run's files say became of its records: their last fates.

    :param last: the fate and the rule of each position in the rejects.
    :param requests: how many requests were accepted.
    """

    delivered: IntervalSet = field(default_factory=IntervalSet)
    last: dict[int, tuple[str, str]] = field(default_factory=dict)
    requests: int = 0
    first_at: str = ""
    last_at: str = ""

    def is_open(self, position: int) -> bool:
        """Return whether a record is not delivered, after all attempts and replays."""
        fate, _ = self.last.get(position, ("", ""))
        return position not in self.delivered and fate != Fate.UNCHANGED

    def fates(self) -> Counter[str]:
        """Return how many records have each fate. What a later attempt or a replay delivered counts as delivered."""
        found = Counter([fate for position, (fate, _) in self.last.items() if position not in self.delivered])
        found[Fate.DELIVERED] = len(self.delivered)
        return found

    def reasons(self) -> Counter[str]:
        """Return how many records each rule kept from being delivered."""
        return Counter([rule for position, (_, rule) in self.last.items() if rule and position not in self.delivered])


def asked_run_folder(asked: Namespace) -> RunFolder:
    """Return the folder of the run that a command asks for.

    :raises ArgumentError: if there is none.
    """
    path = asked_folder(asked)
    return RunFolder(asked.dag_id, asked.run_id, asked.task_id, "", path, list(path.iterdir()))


def run_folders(root: Any, dag: str | None = None, task: str | None = None) -> Iterator[RunFolder]:
    """Yield the folders of runs below an output folder.

    :param dag: only this DAG's.
    :param task: only this task's.
    """
    for dag_folder in _folders(root):
        if dag is not None and _name(dag_folder) != dag:
            continue
        for run_folder in _folders(dag_folder):
            for task_folder in _folders(run_folder):
                if task is not None and _name(task_folder) != task:
                    continue
                names = (_name(dag_folder), _name(run_folder), _name(task_folder))
                yield from _of_task(names, task_folder)


def counts_of(folder: RunFolder) -> Counts:
    """Return what a run's files say. A damaged or torn line is passed over."""
    counts = Counts()
    receipts, rejects = msgspec.json.Decoder(_Receipt), msgspec.json.Decoder(RejectLine)
    for line in _decoded(receipts, folder.paths, "receipts"):
        for start, length in line.ranges:
            counts.delivered.add(start, length)
        counts.requests += 1
        if line.at:
            counts.first_at = min(counts.first_at or line.at, line.at)
            counts.last_at = max(counts.last_at, line.at)
    marks = read_marks(folder.path)
    for _, path in files_of(folder.paths, "rejects"):
        replayed = marks.get(path.name, {})
        for number, text in enumerate(_whole_lines(path), start=1):
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                reject = rejects.decode(text)
                counts.last[reject.position] = (reject.fate.value, reject.rule)
                if replayed.get(number) is Fate.DELIVERED:
                    counts.delivered.add(reject.position, 1)
    return counts


def lines_of(paths: list[Any], kind: str) -> Iterator[bytes]:
    """Yield the whole lines of a run's files, in the order in which they were written."""
    for _, path in files_of(paths, kind):
        yield from _whole_lines(path)


def _whole_lines(path: Any) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))


def _decoded(decoder: msgspec.json.Decoder[Any], paths: list[Any], kind: str) -> Iterator[Any]:
    for text in lines_of(paths, kind):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield decoder.decode(text)


def _of_task(names: tuple[str, str, str], folder: Any) -> Iterator[RunFolder]:
    paths = list(folder.iterdir())
    if _any_ours(paths):
        yield RunFolder(*names, "", folder, paths)
    for path in sorted(paths, key=lambda path: path.name.zfill(10)):
        if path.name.isdecimal() and _any_ours(within := list(path.iterdir())):
            yield RunFolder(*names, path.name, path, within)


def _any_ours(paths: Iterable[Any]) -> bool:
    return any(path.name.startswith(_OURS) for path in paths)


def _folders(folder: Any) -> list[Any]:
    """Return the folders in a folder; none if it isn't one, or isn't there."""
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in found if not path.name.endswith(".jsonl") and not path.name.startswith(".")]


def _name(folder: Any) -> str:
    """Return the name that a folder's name stands for; one that was too long stays cut."""
    return unquote(folder.name)
