"""Finds the folder of a task's run from a command's arguments; says what there is if it isn't there."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from sqlalchemy import select

from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.cli.file_reader import reading
from airflow_provider_userdata.cli.printing import tool
from airflow_provider_userdata.cli.run_folders import RunFolder, list_output, names_in, run_folders
from airflow_provider_userdata.delivery.recording import folder_name
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.output_paths import output_root, run_folder
from airflow_provider_userdata.sources import OF_COMMANDS
from airflow_provider_userdata.suggestions import listed, suggested

_UNMAPPED = -1
_MOST_NAMED = 6
_FILE = re.compile(r"^\.|\.jsonl?(\.claim-\d+)?$")
"""What isn't a folder, by its name: stores tell only by another request."""


def asked_run(asked: Namespace) -> RunFolder:
    """Return the folder of the run that the arguments name; without one, of the task's run that wrote last.

    :raises ArgumentError: if there is no such folder, or the task is mapped and no instance is chosen.
    """
    root = output_root(asked.output_path or _output_path(asked))
    asked.run_id = asked.run_id or last_run(run_folders(root, asked.dag_id, asked.task_id), root, asked)
    index = [] if asked.map_index is None else [str(asked.map_index)]
    names = (asked.dag_id, asked.run_id, asked.task_id, *index)
    listing = list_output(root, *names)
    here = tuple(map(folder_name, names))
    indexes = sorted(int(below[-1]) for below in listing if below[:-1] == here and below[-1].isdecimal())
    if indexes:
        raise ArgumentError(f"the task is mapped: choose one with --map-index ({_ranges(indexes)})")
    if here not in listing:
        raise ArgumentError(_missing(root, names))
    asked.map_index = _UNMAPPED if asked.map_index is None else asked.map_index
    return RunFolder(asked.dag_id, asked.run_id, asked.task_id, "".join(index), run_folder(root, asked), listing[here])


def last_run(folders: Sequence[RunFolder], root: Any, asked: Namespace) -> str:
    """Return the run of the task that wrote last. What a command sent again is another's.

    :param folders: of the task's runs.
    :param root: where they are.
    :raises ArgumentError: if there is none.
    """
    found = [one for one in folders if not one.run.startswith(OF_COMMANDS)]
    if not found:
        raise ArgumentError(_no_run(root, asked))
    return max(found, key=RunFolder.moment).run


def _no_run(root: Any, asked: Namespace) -> str:
    """Return what is said of a task without a run, and what is named like it."""
    dags, tasks = folders_in(root), names_in(list_output(root, asked.dag_id), 2)
    hint = suggested(asked.task_id, tasks) if tasks else suggested(asked.dag_id, dags)
    return f"no run of task {asked.task_id!r} in DAG {asked.dag_id!r} has written to {root} yet.{hint} {_elsewhere()}"


def _elsewhere() -> str:
    return (
        f"`{tool()} runs` lists what there is, and --output-path names another folder. What another worker wrote on "
        "its own disk isn't here"
    )


def _missing(root: Any, names: Sequence[str]) -> str:
    """Return what is said of a run without a folder: which part of its name isn't there, and what is."""
    said = ("DAG {0!r}", "run {1!r} of DAG {0!r}", "task {2!r} in run {1!r}", "map index {3} of task {2!r}")
    folder = root
    for place, name in enumerate(names):
        there = folders_in(folder)
        if folder_name(name) not in map(folder_name, there):
            what = said[place].format(*names)
            hint = suggested(name, there)
            return f"{root} has nothing of {what}.{hint} {_elsewhere()}"
        folder = folder / folder_name(name)
    return f"{folder} is empty"


def folders_in(folder: Any) -> list[str]:
    """Return the names that the folders in a folder stand for; none if there is no such folder."""
    with reading(str(folder)), suppress(FileNotFoundError, NotADirectoryError):
        return sorted(unquote(path.name) for path in folder.iterdir() if not _FILE.search(path.name))
    return []


def _ranges(indexes: Sequence[int]) -> str:
    if len(indexes) > _MOST_NAMED // 2 and indexes[-1] - indexes[0] == len(indexes) - 1:
        return f"{indexes[0]} to {indexes[-1]}"
    shown = [str(index) for index in indexes[:_MOST_NAMED]]
    return f"such as {listed(shown, 'or')}" if len(indexes) > len(shown) else listed(shown, "or")


def _output_path(asked: Namespace) -> str | None:
    """Return the task's own output path, as Airflow rendered it; None if it has none, or Airflow no longer knows."""
    wanted = {"dag_id": asked.dag_id, "task_id": asked.task_id, "run_id": asked.run_id, "map_index": asked.map_index}
    try:
        # By its table: by its class, SQLAlchemy would first look at all of Airflow's classes, for half a second.
        table: Any = find("RenderedTaskInstanceFields", ("airflow.models.renderedtifields",)).__table__
        query = select(table.c.rendered_fields)
        for name, value in wanted.items():
            query = query if value is None else query.where(table.c[name] == value)
        with find("create_session", ("airflow.utils.session",))() as session:
            found = session.execute(query.limit(1)).first()
    except Exception:  # noqa: BLE001  # the database can't be reached from here: the setting is a good guess
        return None
    path = found[0].get("output_path") if found else None
    return path if isinstance(path, str) else None
