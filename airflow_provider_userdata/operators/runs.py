"""Which of a task's runs are over: what they have claimed, and nobody will come back for, may be taken over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_userdata.airflow_compat import find

OVER = ("success", "failed", "skipped", "upstream_failed", "removed")
"""States of a task instance after which nothing comes by itself."""
LONGEST_SILENCE = 3600.0
"""Seconds after which a task that is said to be running, and shows no sign of life, has been forgotten."""
_UNKNOWN = object()


def over(ti: Any, silent: Mapping[tuple[str, str], float], log: Any) -> set[tuple[str, str]]:
    """Return which runs of this task are over, as `(run, index)`. Where Airflow can't tell, none are.

    :param ti: the task instance.
    :param silent: since how many seconds nothing was heard of the runs.
    """
    found = set()
    for (run, index), seconds in silent.items():
        try:
            state = _state(ti, run, index)
        except Exception as error:  # noqa: BLE001  # Airflow's side may fail in any way; a later run asks again
            log.warning("Airflow doesn't say whether run %s is over: %s", run, type(error).__name__)
            continue
        if state is _UNKNOWN or state in OVER or (state == "running" and seconds > LONGEST_SILENCE):
            found.add((run, index))
    return found


def _state(ti: Any, run: str, index: str) -> Any:
    """Return the state of this task in another run; `_UNKNOWN` where there is no such run any more."""
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
