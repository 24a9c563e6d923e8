"""Finds the rejects that a source names: files, folders, or those of a task's run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from airflow_provider_userdata.delivery.recording import (
    Folder,
    FoundFile,
    StorePath,
    files_below,
    folder_name,
    is_local,
    number_of,
)
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources.airflow_lookups import is_folder, output_folder
from airflow_provider_userdata.sources.paths import find_files, path_of
from airflow_provider_userdata.sources.patterns import is_pattern
from airflow_provider_userdata.sources.rejects_source import RejectsSource
from airflow_provider_userdata.sources.untemplated import is_location
from airflow_provider_userdata.suggestions import suggested

OF_COMMANDS = "replay__"
"""How the ids of runs begin that commands make: none of them is a task's last run."""
_DIGITS = 10
"""More than a map index has."""
_FILE = re.compile(r"(receipts|rejects)-(.+)\.jsonl")


class RejectsFolder(NamedTuple):
    """A folder of a run, and the names of its rejects files that are read."""

    folder: Folder
    names: list[str]


def find_rejects(source: RejectsSource, output: Any, own: str) -> list[RejectsFolder]:
    """Return the rejects that a source names, by their folders. May ask Airflow for a store, or for its settings.

    :param output: where tasks write, unless the source says so.
    :param own: the folder of the run that reads, which is not the last run of its own task.
    :raises SourceError: if there are none where some are named.
    :raises SourceBrokeError: if looking them up fails for a reason that may pass.
    """
    try:
        return _of_run(source, output, own) if source.run is not None else _of_paths(source.path)
    except OSError as error:
        raise SourceBrokeError(
            f"source: the rejects can't be looked up: {error.strerror or type(error).__name__}"
        ) from error


def attempts_in(folder: Folder) -> list[str]:
    """Return the attempts that wrote into a folder, in their order."""
    found: dict[str, tuple[int, float]] = {}
    for file in files_below(folder).get((), []):
        if (attempt := attempt_of(file.name, folder, kind=None)) is not None:
            before = found.get(attempt, (0, 0.0))
            found[attempt] = (number_of(attempt), max(file.changed or 0.0, before[1]))
    return sorted(found, key=lambda attempt: (*found[attempt], attempt))


def attempt_of(name: str, folder: Folder, kind: str | None = "rejects") -> str | None:
    """Return the attempt that wrote a file; None if it isn't a file of that kind."""
    found = _FILE.fullmatch(name)
    if found is None or kind not in (None, found[1]):
        return None
    return found[2] if is_local(folder) else found[2].rpartition("-")[0] or None  # without the part's number


def _of_paths(paths: Any) -> list[RejectsFolder]:
    folders: dict[str, RejectsFolder] = {}
    for item in [paths] if is_location(paths) else paths:
        for path in _files(item):
            folder: Folder = path.parent if is_local(path) else StorePath(path.parent)
            if attempt_of(path.name, folder) is None:
                raise SourceError(f"source: {str(path)!r} is not a rejects file, rejects-*.jsonl in a run's folder")
            names = folders.setdefault(str(folder), RejectsFolder(folder, [])).names
            if path.name not in names:
                names.append(path.name)
    return list(folders.values())


def _files(item: object) -> list[Path]:
    """Return the rejects files that a path names; none for a folder without any."""
    path = path_of(item)
    if is_pattern(path) and not path.name.endswith(".jsonl"):
        return list(find_files(path / "**" / "rejects-*.jsonl").values())
    if not is_pattern(path) and is_folder(path):
        try:
            return list(find_files(path / "**" / "rejects-*.jsonl").values())
        except SourceError:
            return []
    return list(find_files(path).values())


def _of_run(source: RejectsSource, output: Any, own: str) -> list[RejectsFolder]:
    dag, task, *run = map(folder_name, source.run or ())
    root: Any = output if source.output_path is None and output is not None else _root(source.output_path)
    top = root / dag / run[0] if run else root / dag
    written = [((*run, *names), files) for names, files in files_below(top).items() if any(map(_is_ours, files))]
    of_task = [
        (names[0], files)
        for names, files in written
        if _is_of(names, task, source.map_index) and (run or not names[0].startswith(OF_COMMANDS))
    ]
    found = [(name, files) for name, files in of_task if str(files[0].folder) != own]
    if not found:
        raise SourceError(_nothing(source, root, top, run))
    last, _ = max(found, key=lambda one: max([file.changed or 0.0 for file in one[1] if _is_ours(file)]))
    folders = [RejectsFolder(files[0].folder, _rejects(files)) for name, files in found if name == last]
    return sorted((one for one in folders if one.names), key=lambda one: str(one.folder.name).zfill(_DIGITS))


def _nothing(source: RejectsSource, root: Any, top: Any, run: list[str]) -> str:
    """Return what is said if a task has no files, and which run may have been meant."""
    dag, task, *_ = source.run or ()
    index = "" if source.map_index is None else f"map index {source.map_index} of "
    what = f"run {run[0]!r}" if run else "a run"
    said = f"source: {root} has nothing of {index}{what} of task {task!r} in DAG {dag!r} that this worker sees."
    if not run or files_below(top):
        return said
    beside = {unquote(names[0]) for names in files_below(root / folder_name(dag)) if names[1:2] == (folder_name(task),)}
    return said + suggested(run[0], sorted(one for one in beside if not one.startswith(OF_COMMANDS)))


def _root(given: Any) -> Any:
    path = path_of(output_folder() if given is None else given)
    return path if is_local(path) else StorePath(path)


def _is_of(names: Sequence[str], task: str, index: int | None) -> bool:
    """Return whether names lead from a DAG's folder to that of a task's run, or of an instance of it."""
    _, *own = names
    mapped = len(own) == len([task, index]) and own[-1].isdecimal()
    if own[:1] != [task] or not (mapped or len(own) == 1):
        return False
    return index is None or own[1:] == [str(index)]


def _is_ours(file: FoundFile) -> bool:
    """Return whether an attempt has written a file."""
    return _FILE.fullmatch(file.name) is not None


def _rejects(files: Iterable[FoundFile]) -> list[str]:
    return [file.name for file in files if attempt_of(file.name, file.folder) is not None]
