"""What lies in the output folder: the folders of runs, as one listing shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any
from urllib.parse import unquote

from airflow_provider_userdata.cli.file_reader import FileReader, Test, reading
from airflow_provider_userdata.cli.printing import counted
from airflow_provider_userdata.cli.progress import Bar
from airflow_provider_userdata.delivery.recording import OVERWRITING, FoundFile, files_below, folder_name

_UNFINISHED = "sent-"
"""How the files begin that a run has until it comes to its end."""
OURS = ("receipts-", "rejects-", "originals-")
"""How the names begin of files about records."""
LEFT = (
    *OURS,
    _UNFINISHED,
    OVERWRITING,
    "replayed-",
    "replays.claim-",
    "replays.",
    "checkpoint.json",
    ".attempt-",
    ".checkpoint.json",
)
"""How the names begin of what runs leave."""
Listing = Mapping[tuple[str, ...], list[FoundFile]]
"""Files by the names of the folders that lead to them, from the output folder on."""
_FATES = re.compile(r"(receipts|rejects|originals)-((\d+)(?:-[^-]+)?)(?:-(\d+))?\.jsonl")
"""What a file has, its attempt and that one's number, and in a store the part's number."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_OF_TASK, _OF_INSTANCE = 3, 4
"""How many names lead to a task's files in a run: those of DAG, run and task; and of one that is mapped, its index."""


@dataclass(frozen=True)
class RunFolder:
    """The folder of a task's run.

    :param index: of a mapped task, which instance; else empty.
    :param files: what it holds.
    :param reader: reads them.
    """

    dag: str
    run: str
    task: str
    index: str
    path: Any
    files: list[FoundFile]
    reader: FileReader = field(default_factory=FileReader)

    def changed(self) -> datetime | None:
        """Return when anything was last written here; None if the store doesn't say."""
        times = [file.changed for file in self.files if file.changed is not None]
        return datetime.fromtimestamp(max(times), UTC) if times else None

    def moment(self) -> datetime:
        """Return the same, to put folders in order: where the store doesn't say, it was long ago."""
        return self.changed() or _LONG_AGO

    @property
    def is_unfinished(self) -> bool:
        """Whether the run has not come to its end: it is under way, or may be tried again, or cleared."""
        return any(file.name.startswith(_UNFINISHED) for file in self.files)

    def of_kind(self, kind: str) -> Iterator[tuple[int, FoundFile]]:
        """Yield the files of a kind, each with its attempt's number, in the order in which they were written.

        :param kind: `receipts`, `rejects` or `originals`.
        """
        named = [(file, match) for file in self.files if (match := _FATES.fullmatch(file.name))]
        ended: dict[str, float] = {}
        for file, match in named:
            ended[match[2]] = max(ended.get(match[2], 0.0), file.changed or 0.0)
        order = [
            (int(match[3]), ended[match[2]], match[2], int(match[4] or 0), place)
            for place, (_, match) in enumerate(named)
            if match[1] == kind
        ]
        for number, *_, place in sorted(order):
            yield number, named[place][0]

    @property
    def attempts(self) -> set[str]:
        """The attempts that wrote files about records."""
        return {match[2] for file in self.files if (match := _FATES.fullmatch(file.name))}

    def lines(self, kind: str, may_hold: Test | None = None) -> Iterator[bytes]:
        """Yield the whole lines of a kind of files, in the order in which they were written.

        :param may_hold: skips lines for which it is false; it is asked of many lines together first.
        """
        for _, file in self.of_kind(kind):
            yield from self.whole_lines(file, may_hold)

    def whole_lines(self, file: FoundFile, may_hold: Test | None = None) -> Iterator[bytes]:
        """Yield the lines of a file; a last one without an end is being written, or was torn."""
        return (line for line in self.reader.lines(file, may_hold) if line.endswith(b"\n"))


def list_output(root: Any, *names: str | None) -> Listing:
    """Return the files below an output folder. In an object store, this takes a request for a thousand files.

    :param names: only those of a DAG, of its run, of its task there; None and what follows it doesn't matter.
    :raises OutputError: if it can't be read.
    """
    above = tuple(folder_name(name) for name in takewhile(lambda name: name is not None, names) if name is not None)
    folder = _below(root, above)
    with reading(str(folder)):
        return {(*above, *below): files for below, files in files_below(folder).items()}


def run_folders(
    root: Any, dag: str | None = None, task: str | None = None, *, listing: Listing | None = None
) -> list[RunFolder]:
    """Return the folders of runs below an output folder, by DAG, run, task and instance.

    :param dag: only this DAG's.
    :param task: only this task's.
    :param listing: what `list_output` found; None looks now.
    """
    only = None if task is None else folder_name(task)
    found = []
    for names, files in (list_output(root, dag) if listing is None else listing).items():
        if _is_run(names) and only in (None, names[2]) and any(file.name.startswith(OURS) for file in files):
            own, run, name, *index = map(unquote, names)
            found.append(RunFolder(own, run, name, "".join(index), _below(root, names), files))
    return sorted(found, key=lambda one: (one.dag, one.run, one.task, one.index.zfill(10)))


def each(
    folders: Sequence[RunFolder], what: str = "Reading", kinds: Sequence[str] = ("receipts", "rejects")
) -> Iterator[RunFolder]:
    """Yield folders, while a terminal shows how far it is. In a store, their files are read ahead.

    :param what: what is done with them.
    :param kinds: of the files that are read, in this order.
    """
    files = [file for folder in folders for kind in kinds for _, file in folder.of_kind(kind)]
    with Bar(f"{what} {counted(len(folders), 'run')}", sum(file.size for file in files)) as bar:
        reader = FileReader(files, bar)
        for one in folders:
            yield replace(one, reader=reader)


def names_in(listing: Iterable[tuple[str, ...]], place: int) -> list[str]:
    """Return the names of folders at one place of the paths of runs: 0 of DAGs, 1 of runs, 2 of tasks."""
    return sorted({unquote(names[place]) for names in listing if _is_run(names)})


def _is_run(names: tuple[str, ...]) -> bool:
    return len(names) == _OF_TASK or (len(names) == _OF_INSTANCE and names[-1].isdecimal())


def _below(root: Any, names: Iterable[str]) -> Any:
    for name in names:
        root = root / name
    return root
