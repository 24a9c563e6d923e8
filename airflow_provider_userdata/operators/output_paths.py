"""Where a task's files are."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from airflow_provider_userdata.airflow_compat import AirflowNotFoundException
from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.recording import StorePath, folder_name, is_local
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.settings import home, setting
from airflow_provider_userdata.sources import is_location, storage_path


def output_root(output_path: Any) -> Any:
    """Return the folder below which all tasks write.

    :param output_path: the operator's argument: text, a path, or None for the setting `[userdata] output_path`.
    :raises ArgumentError: if it is not a path, or in an object store that can't be opened.
    """
    chosen = output_path or setting("output_path")
    if not chosen:
        return home()
    if not is_location(chosen):
        raise ArgumentError(f"output_path: must be a path, not a {type(chosen).__name__}")
    text = str(chosen)
    if text.startswith("file://"):
        chosen = text = unquote(urlsplit(text).path)
    if is_local(chosen) or "://" not in text:
        return Path(chosen).expanduser().absolute()
    try:
        place = storage_path(str(chosen))
        place.fs  # type: ignore[attr-defined]  # noqa: B018  # opens the store, which may ask Airflow for a connection
    except (ValueError, ImportError, AirflowNotFoundException) as error:
        raise ArgumentError(
            f"output_path: {str(chosen)!r} can't be opened: {type(error).__name__}; is the provider of its file system "
            "installed, and its connection defined?"
        ) from None
    return StorePath(place)


def run_folder(root: Any, ti: Any) -> Any:
    """Return the folder of a task's run."""
    return folder_of_run(root, ti, *_run_of(ti))


def held(root: Any, ti: Any, kind: str, account: str, max_age: float | None = None) -> CarryOverFolder:
    """Return a task's held records, which all its runs and mapped instances share.

    :param kind: the kind of records.
    :param account: the fingerprint of the address and credential that they are sent with.
    :param max_age: how many days a record may wait.
    """
    folder = _below(root, ti.dag_id, ti.task_id, "held")
    runs = functools.partial(folder_of_run, root, ti)
    return CarryOverFolder(folder, kind, account, *_run_of(ti), run_folder=runs, max_age=max_age)


def folder_of_run(root: Any, ti: Any, run: str, index: str) -> Any:
    """Return the folder of another run of a task.

    :param ti: has the DAG's and the task's id.
    :param index: which instance of a mapped task, or an empty text.
    """
    return _below(root, ti.dag_id, run, ti.task_id, *([index] if index else []))


def _run_of(ti: Any) -> tuple[str, str]:
    """Return the run's id, and the map index, or an empty text if the task isn't mapped."""
    return ti.run_id, str(ti.map_index) if ti.map_index is not None and ti.map_index >= 0 else ""


def _below(root: Any, *names: str) -> Any:
    for name in names:
        root = root / folder_name(name)
    return root
