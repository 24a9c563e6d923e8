"""Finds the rejects that a source names: files, folders, or those of a task's run."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any, NamedTuple

from airflow_provider_userdata.delivery.recording import Folder, StorePath, folder_name, is_local, number_of
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources.airflow_lookups import is_folder, output_folder
from airflow_provider_userdata.sources.paths import find_files, path_of
from airflow_provider_userdata.sources.patterns import is_pattern
from airflow_provider_userdata.sources.rejects_source import RejectsSource
from airflow_provider_userdata.sources.untemplated import is_location

OF_COMMANDS = "replay__"
"""How the ids of runs begin that commands make: none of them is a task's last run."""
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
        raise SourceBrokeError(f"source: the rejects can't be looked up: {type(error).__name__}") from error


def attempts_in(folder: Folder) -> list[str]:
    """Return the attempts that wrote into a folder, in their order."""
    found: dict[str, tuple[int, float]] = {}
    for path in folder.iterdir():
        if (attempt := attempt_of(path.name, folder, kind=None)) is not None:
            written = _written(path)
            before = found.get(attempt, (0, 0.0))
            found[attempt] = (number_of(attempt), max(written, before[1]))
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
    names = run or [name for name in _names(root / dag) if not name.startswith(OF_COMMANDS)]
    places = [root / dag / name / task for name in names]
    found = [(max(map(_last_written, folders)), folders) for place in places if (folders := _run_folders(place, own))]
    if not found:
        what = f"run {run[0]!r}" if run else "a run"
        raise SourceError(f"source: {root} has nothing of {what} of task {task!r} in DAG {dag!r} that this worker sees")
    _, folders = max(found, key=lambda pair: pair[0])
    return [RejectsFolder(folder, names) for folder in folders if (names := _rejects(folder))]


def _root(given: Any) -> Any:
    path = path_of(output_folder() if given is None else given)
    return path if is_local(path) else StorePath(path)


def _names(folder: Any) -> list[str]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(path.name for path in folder.iterdir())
    return []


def _run_folders(place: Any, own: str) -> list[Any]:
    """Return the folders that a task's run wrote into: of mapped instances, one each."""
    names = _names(place)
    indexes = sorted(int(name) for name in names if name.isdecimal())
    folders = [place, *(place / str(index) for index in indexes)]
    return [folder for folder in folders if str(folder) != own and _has_files(folder)]


def _has_files(folder: Any) -> bool:
    """Return whether an attempt has written into a folder."""
    return any(_FILE.fullmatch(name) for name in _names(folder))


def _rejects(folder: Any) -> list[str]:
    return [name for name in _names(folder) if attempt_of(name, folder) is not None]


def _last_written(folder: Any) -> float:
    return max(_written(path) for path in folder.iterdir() if _FILE.fullmatch(path.name))


def _written(path: Any) -> float:
    """Return when a file was written; 0 if its store doesn't say."""
    with contextlib.suppress(OSError, AttributeError, TypeError, ValueError):
        return float(path.stat().st_mtime)
    return 0.0
