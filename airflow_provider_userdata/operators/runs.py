"""Finds out which runs of a task are over, so that another run may take over the held records that they claimed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_userdata.airflow_compat import find

OVER = ("success", "failed", "skipped", "upstream_failed", "removed")
"""States of a task instance that Airflow starts no further attempt of by itself."""
LONGEST_SILENCE = 3600.0
"""Seconds without a sign of life after which a run counts as over although Airflow says it is running."""
_UNKNOWN = object()


def over(ti: Any, silent: Mapping[tuple[str, str], float], log: Any) -> set[tuple[str, str]]:
    """Return which runs of this task are over, as `(run, index)`. A run whose state Airflow can't tell is not over.

    :param silent: maps each run, with its map index or an empty text, to the seconds since its last sign of life.
    """
    found = set()
    for (run, index), seconds in silent.items():
        try:
            state = _state(ti, run, index)
        except Exception as error:  # noqa: BLE001  # whatever Airflow raises; a later run asks again
            log.warning("Airflow doesn't say whether run %s is over: %s", run, type(error).__name__)
            continue
        if state is _UNKNOWN or state in OVER or (state == "running" and seconds > LONGEST_SILENCE):
            found.add((run, index))
    return found


def any_other(ti: Any) -> bool:
    """Return whether there was another run of this task, or of this mapped instance. For Airflow 3 only."""
    map_index = ti.map_index if ti.map_index >= 0 else None
    states = ti.get_task_states(dag_id=ti.dag_id, map_index=map_index, task_ids=[ti.task_id])
    return any(run != ti.run_id for run in states)


def _state(ti: Any, run: str, index: str) -> Any:
    """Return the state of this task in another run; `_UNKNOWN` if that run no longer exists."""
    if not hasattr(ti, "get_task_states"):
        return _state_in_airflow_2(ti, run, index)
    map_index = int(index) if index else None
    states = ti.get_task_states(dag_id=ti.dag_id, map_index=map_index, task_ids=[ti.task_id], run_ids=[run])
    return states.get(run, {}).get(f"{ti.task_id}_{index}" if index else ti.task_id, _UNKNOWN)


def _state_in_airflow_2(ti: Any, run: str, index: str) -> Any:
    instance: Any = find("TaskInstance", ("airflow.models.taskinstance",))
    with find("create_session", ("airflow.utils.session",))() as session:
        rows = session.query(instance.state).filter(
            instance.dag_id == ti.dag_id,
            instance.task_id == ti.task_id,
            instance.run_id == run,
            instance.map_index == (int(index) if index else -1),
        )
        found = rows.one_or_none()
    return _UNKNOWN if found is None else found[0]
