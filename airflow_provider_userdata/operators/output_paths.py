"""Where a task's files lie."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from airflow_provider_userdata.airflow_compat import AirflowNotFoundException
from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.recording import StorePath, is_local
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.settings import setting
from airflow_provider_userdata.sources.airflow_lookups import storage_path
from airflow_provider_userdata.sources.untemplated import is_location

LONGEST_NAME = 255
"""Bytes of a folder's name, on the file systems of Linux and macOS."""


def output_root(output_path: Any) -> Any:
    """Give the folder that all tasks write below.

    :param output_path: the operator's argument: text, a path, or None for the setting `[userdata] output_path`.
    :raises ArgumentError: if it is no path, or one in a store that can't be opened.
    """
    chosen = output_path or setting("output_path")
    if not chosen:
        return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser().absolute() / "userdata"
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
    """Give the folder of a task's run."""
    return _below(root, ti.dag_id, ti.run_id, ti.task_id, *_mapped(ti))


def folder_of_run(root: Any, ti: Any, run: str, index: str) -> Any:
    """Give the folder of another run of a task.

    :param index: which of the mapped tasks, or an empty text.
    """
    return _below(root, ti.dag_id, run, ti.task_id, *([index] if index else []))


def held_folder(root: Any, ti: Any) -> Any:
    """Give the folder where a task's held records lie, whatever run and whichever mapped task left them."""
    return _below(root, ti.dag_id, ti.task_id, "held")


def held(root: Any, ti: Any, kind: str, account: str) -> CarryOverFolder:
    """Open the folder of a task's held records.

    :param kind: what the records are.
    :param account: the fingerprint of where they go.
    """
    folder_of = functools.partial(folder_of_run, root, ti)
    return CarryOverFolder(held_folder(root, ti), kind, account, *run_of(ti), run_folder=folder_of)


def run_of(ti: Any) -> tuple[str, str]:
    """Give the run's name, and which of the mapped tasks this is, or an empty text."""
    return ti.run_id, "".join(_mapped(ti))


def _mapped(ti: Any) -> list[str]:
    return [str(ti.map_index)] if ti.map_index is not None and ti.map_index >= 0 else []


def _below(root: Any, *names: str) -> Any:
    for name in names:
        root = root / _folder_name(name)
    return root


def _folder_name(name: str) -> str:
    """Return a name as a folder can have it: another for each, and the same for ever, for later runs look for it.

    Letters beyond ASCII take up to twelve bytes each. What becomes too long is cut off, and a digest stands for it.
    """
    written = quote(name, safe=" :+@=,()[]~") if name.strip(".") else name.replace(".", "%2E")
    if len(written) <= LONGEST_NAME:
        return written
    digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    return f"{written[: LONGEST_NAME - len(digest) - 1]}~{digest}"
