"""Loads the task that a command is about, as its DAG has it."""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.suggestions import suggested


def task_of(asked: Namespace) -> Any:
    """Return the task that the arguments name.

    :raises ArgumentError: if there is no such DAG or task.
    """
    if asked.subdir is not None and not Path(asked.subdir).expanduser().exists():
        raise ArgumentError(f"--subdir: there is no file or folder {asked.subdir}")
    bag = _dags(asked.subdir)
    dag = bag.dags.get(asked.dag_id)
    if dag is None:
        hint = suggested(asked.dag_id, sorted(bag.dags))
        broken = "".join([f" {file} can't be loaded: {_last_line(why)}." for file, why in bag.import_errors.items()])
        raise ArgumentError(
            f"there is no DAG {asked.dag_id!r} in {bag.dag_folder}.{hint}{broken} --subdir names another file or folder"
        )
    tasks: Mapping[str, Any] = dag.task_dict
    if asked.task_id not in tasks:
        hint = suggested(asked.task_id, sorted(tasks))
        raise ArgumentError(f"DAG {asked.dag_id!r} has no task {asked.task_id!r}.{hint}")
    return tasks[asked.task_id]


def _dags(folder: str | None) -> Any:
    """Return all DAGs in a folder. What Airflow logs of its work is left out, apart from warnings."""
    kind: Any = find("DagBag", ("airflow.dag_processing.dagbag", "airflow.models.dagbag"))
    quiet = logging.getLogger(f"{__name__}.loading")
    quiet.setLevel(logging.WARNING)
    return type(kind.__name__, (kind,), {"log": quiet})(folder)


def _last_line(why: str) -> str:
    lines = why.strip().splitlines()
    return lines[-1].strip(" ^~.") if lines else "an error"
