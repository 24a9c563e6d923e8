"""Loads the task that a command is about, as its DAG has it."""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.errors import ArgumentError


def task_of(asked: Namespace) -> Any:
    """Return the task that the arguments name.

    :raises ArgumentError: if there is no such DAG or task.
    """
    bag = _dags(asked.subdir)
    dag = bag.dags.get(asked.dag_id)
    if dag is None:
        broken = f"; {len(bag.import_errors)} files can't be loaded" if bag.import_errors else ""
        raise ArgumentError(f"there is no DAG {asked.dag_id!r} in {bag.dag_folder}{broken}: --subdir names its file")
    tasks: Mapping[str, Any] = dag.task_dict
    if asked.task_id not in tasks:
        raise ArgumentError(f"DAG {asked.dag_id!r} has no task {asked.task_id!r}; it has {', '.join(sorted(tasks))}")
    return tasks[asked.task_id]


def _dags(folder: str | None) -> Any:
    """Return all DAGs in a folder. What Airflow logs of its work is left out, apart from warnings."""
    kind: Any = find("DagBag", ("airflow.dag_processing.dagbag", "airflow.models.dagbag"))
    quiet = logging.getLogger(f"{__name__}.loading")
    quiet.setLevel(logging.WARNING)
    return type(kind.__name__, (kind,), {"log": quiet})(folder)
