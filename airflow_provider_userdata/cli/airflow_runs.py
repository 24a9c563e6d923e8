"""Asks Airflow's database, and what runs left, which runs are over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.cli.run_folders import RunFolder
from airflow_provider_userdata.operators.runs import LONGEST_SILENCE, OVER

_NOT_THERE, _NOT_ASKED = "not there", "not asked"


def may_go_on(folder: RunFolder) -> bool:
    """Return whether a run is under way, or is tried again, as far as can be told.

    Where Airflow doesn't know it or can't be asked, one that has written nothing for an hour is over.
    """
    if not folder.is_unfinished:
        return False
    state = _state(folder.dag, folder.task, folder.run, folder.index)
    if state not in (_NOT_THERE, _NOT_ASKED):
        return state not in OVER
    changed = folder.changed()
    return changed is None or (datetime.now(UTC) - changed).total_seconds() < LONGEST_SILENCE


def is_over(dag: str, task: str, run: str, index: str) -> bool:
    """Return whether Airflow says that a run is over, or has no such run. If it can't be asked, it isn't."""
    return _state(dag, task, run, index) in (*OVER, _NOT_THERE)


def _state(dag: str, task: str, run: str, index: str) -> str | None:
    """Return the state of a task in a run."""
    try:
        instance: Any = find("TaskInstance", ("airflow.models.taskinstance",))
        with find("create_session", ("airflow.utils.session",))() as session:
            row = session.query(instance.state).filter(
                instance.dag_id == dag,
                instance.task_id == task,
                instance.run_id == run,
                instance.map_index == (int(index) if index else -1),
            )
            found = row.one_or_none()
    except Exception:  # noqa: BLE001  # whatever a database that can't be reached raises
        return _NOT_ASKED
    return _NOT_THERE if found is None else found[0] and str(found[0])
