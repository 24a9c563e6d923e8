"""Writes task instances and their uploads into Airflow's database at once: as many as a year of runs leaves."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_userdata.upload_status import KEY

BUNDLE = "dags-folder"
CROWD = "warehouse"
"""The DAG of all task instances that upload nothing."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """One task instance that uploads.

    :param shown: the value of its XCom `userdata_upload`; None if it has none.
    :param written: when that was written; None: when the task ended, or began.
    """

    dag_id: str
    run_id: str
    task_id: str = "upload"
    map_index: int = -1
    map_label: str | None = None
    state: str | None = "success"
    started: datetime
    ended: datetime | None = None
    try_number: int = 1
    max_tries: int = 0
    operator: str = "ThymiaUploadOperator"
    shown: Any = None
    written: datetime | None = None

    @property
    def run(self) -> tuple[str, str]:
        """What the run is known by."""
        return self.dag_id, self.run_id


def fill(database: Path, uploads: Sequence[Filled], crowd: int, display_names: dict[str, str]) -> None:
    """Write uploads, and a crowd of other task instances.

    :param database: Airflow's, in SQLite, with its tables.
    :param crowd: how many task instances there are besides, 400 a run.
    :param display_names: of DAGs that have one.
    """
    with _connected(database) as connection:
        connection.execute("INSERT INTO dag_bundle (name, active) VALUES (?, 1) ON CONFLICT DO NOTHING", (BUNDLE,))
        dags = sorted({upload.dag_id for upload in uploads} | {CROWD})
        _insert(connection, "dag", [_dag(dag_id, display_names.get(dag_id)) for dag_id in dags])
        first = {upload.run: upload for upload in reversed(uploads)}
        others = _crowd(crowd)
        runs = {run: number for number, run in enumerate([*first, *dict.fromkeys(one.run for one in others)], 1)}
        began = {one.run: one.started for one in (*others, *uploads)}
        _insert(connection, "dag_run", [_run(number, *run, began[run]) for run, number in runs.items()])
        _insert(connection, "task_instance", (_instance(one) for one in (*uploads, *others)))
        shown = [one for one in uploads if one.shown is not None]
        _insert(connection, "xcom", [_xcom(runs[one.run], one) for one in shown])


def rewrite(database: Path, upload: Filled, written: datetime) -> None:
    """Write an upload anew, as its task does while it runs."""
    with _connected(database) as connection:
        changed = connection.execute(
            "UPDATE xcom SET value = ?, timestamp = ? WHERE key = ? AND dag_id = ? AND run_id = ?",
            (json.dumps(upload.shown), _moment(written), KEY, upload.dag_id, upload.run_id),
        )
        assert changed.rowcount == 1
        connection.execute(
            "UPDATE task_instance SET start_date = ? WHERE dag_id = ? AND run_id = ?",
            (_moment(upload.started), upload.dag_id, upload.run_id),
        )


@contextlib.contextmanager
def _connected(database: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        yield connection


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = iter(rows)
    if (first := next(rows, None)) is None:
        return
    names, marks = ", ".join(first), ", ".join(f":{name}" for name in first)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
    connection.execute(statement, first)
    connection.executemany(statement, rows)


def _crowd(size: int) -> list[Filled]:
    now = datetime.now(UTC)
    return [
        Filled(
            dag_id=CROWD,
            run_id=f"hourly__{number // 400}",
            task_id="load",
            map_index=number % 400,
            started=(started := now - timedelta(hours=number // 400 + 1)),
            ended=started + timedelta(minutes=1),
            operator="SQLExecuteQueryOperator",
        )
        for number in range(size)
    ]


def _dag(dag_id: str, display_name: str | None) -> dict[str, Any]:
    return {
        "dag_id": dag_id,
        "dag_display_name": display_name,
        "is_paused": False,
        "is_stale": False,
        "fileloc": "filled.py",
        "relative_fileloc": "filled.py",
        "bundle_name": BUNDLE,
        "timetable_type": "",
        "partition_mapper_info": "[]",
        "max_active_tasks": 16,
        "max_active_runs": 16,
        "max_consecutive_failed_dag_runs": 0,
        "has_task_concurrency_limits": False,
    }


def _run(number: int, dag_id: str, run_id: str, started: datetime) -> dict[str, Any]:
    moment = _moment(started)
    return {
        "id": number,
        "dag_id": dag_id,
        "run_id": run_id,
        "logical_date": _moment(started + timedelta(microseconds=number)),  # unique in a DAG
        "run_after": moment,
        "start_date": moment,
        "end_date": moment,
        "created_at": moment,
        "state": "success",  # the scheduler leaves a run alone that has ended, whatever its tasks are
        "run_type": "manual",
        "conf": "{}",
        "log_template_id": 2,
    }


def _instance(one: Filled) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "dag_id": one.dag_id,
        "run_id": one.run_id,
        "task_id": one.task_id,
        "map_index": one.map_index,
        "rendered_map_index": one.map_label,
        "state": one.state,
        "start_date": _moment(one.started),
        "end_date": one.ended and _moment(one.ended),
        "duration": one.ended and (one.ended - one.started).total_seconds(),
        "try_number": one.try_number,
        "max_tries": one.max_tries,
        "operator": one.operator,
        "pool": "default_pool",
        "pool_slots": 1,
    }


def _xcom(run: int, one: Filled) -> dict[str, Any]:
    return {
        "dag_run_id": run,
        "dag_id": one.dag_id,
        "run_id": one.run_id,
        "task_id": one.task_id,
        "map_index": one.map_index,
        "key": KEY,
        "value": json.dumps(one.shown),
        "timestamp": _moment(one.written or one.ended or one.started),
    }


def _moment(moment: datetime) -> str:
    """Write a moment as Airflow does in SQLite."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
