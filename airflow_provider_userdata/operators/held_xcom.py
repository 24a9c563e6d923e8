"""The XCom `held`: tells later runs that held records wait in a folder, even on a worker that can't read it."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow_provider_userdata.airflow_compat import airflow_version
from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.errors import OutputError
from airflow_provider_userdata.operators import runs

KEY = "held"


def check(context: Any, held: CarryOverFolder, log: Any) -> None:
    """Check that this worker can read the folder that the task's last run named, and find claims of runs that are over.

    :param held: the folder of the task's held records; its `over` is set.
    :raises OutputError: if records wait in a folder that this worker can't read.
    """
    said = _last_said(context["ti"])
    if said.get("count") and said.get("identity") != held.identity():
        raise OutputError(
            f"output_path: {said['count']} held records wait in {said.get('folder')} on {said.get('host')}, which this "
            "worker can't read; let all workers share output_path, or run the task where the folder is"
        )
    held.over = runs.over(context["ti"], held.claimants(), log)


def push(context: Any, held: CarryOverFolder | None, log: Any) -> None:
    """Push how many records wait in the folder now, if any do or did.

    :param held: the folder of the task's held records; None if its vendor needs none.
    """
    if held is None:
        return
    if others := held.count_others():
        log.warning(
            "%d held records in %s are of another kind, or were held for another address or key: this task leaves them "
            "there. They are sent with the connection that they were held for; delete the files if you don't need them",
            others,
            held.path,
        )
    count = held.count()
    if count:
        log.warning("%d held records are sent first in this task's next run; they wait in %s", count, held.path)
    if count or held.has_claimed or _logs_missing(context["ti"]):
        ti = context["ti"]
        value = {"count": count, "folder": held.path, "host": socket.gethostname(), "identity": held.identity()}
        ti.xcom_push(key=KEY, value={**value, "at": datetime.now(UTC).isoformat(), "map_index": ti.map_index})


def _last_said(ti: Any) -> Mapping[str, Any]:
    """Return what the last run of this task, or of this mapped instance, pushed; empty if none did."""
    # No `map_indexes` argument: Airflow 3 logs an error for an XCom that doesn't exist, and most tasks never hold
    # records. The list is not ordered by time.
    if _logs_missing(ti) and not runs.any_other(ti):
        return {}
    pulled = ti.xcom_pull(task_ids=ti.task_id, key=KEY, include_prior_dates=True)
    several = isinstance(pulled, Sequence) and not isinstance(pulled, str)
    said = [one for one in (pulled if several else [pulled]) if isinstance(one, Mapping)]
    own = [one for one in said if one.get("map_index", ti.map_index) == ti.map_index]
    return max(own, key=lambda one: str(one.get("at", "")), default={})


def _logs_missing(ti: Any) -> bool:
    """Return whether this Airflow logs an error for any XCom that doesn't exist: then each run pushes one.

    The first versions of 3.0 look up a single XCom, also without a `map_indexes` argument.
    """
    return (3, 0) <= airflow_version() < (3, 0, 3) and hasattr(ti, "get_task_states")
