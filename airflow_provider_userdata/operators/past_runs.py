"""A task as it was in a run that is over: its templates are rendered with that run's dates and parameters."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from airflow_provider_userdata.airflow_compat import BaseHook, find
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.operators.task_state import CHECKPOINT, FileStore

_MACROS = ("airflow.sdk.execution_time.macros", "airflow.macros")


@dataclass
class PastInstance:
    """Stands for the task's instance of that run, as far as sources and templates need one."""

    dag_id: str
    task_id: str
    run_id: str
    map_index: int
    dag_run: Any
    task: Any = None
    try_number: int = 1
    max_tries: int = 0

    def get_relevant_upstream_map_indexes(self, *_: object, **__: object) -> None:
        """Return that all instances of an upstream task are meant."""

    def xcom_pull(
        self, task_ids: Any = None, dag_id: str | None = None, key: str = "return_value", **given: Any
    ) -> Any:
        """Return what a task of the run has returned or pushed, from Airflow's database."""
        if isinstance(task_ids, list | tuple | set):
            return [self.xcom_pull(one, dag_id, key, **given) for one in task_ids]
        kind, value_of = _xcoms()
        indexes = given.get("map_indexes")
        with find("create_session", ("airflow.utils.session",))() as session:
            rows = session.query(kind).filter(
                kind.dag_id == (dag_id or self.dag_id),
                kind.task_id == (task_ids or self.task_id),
                kind.run_id == (given.get("run_id") or self.run_id),
                kind.key == key,
                kind.map_index == (indexes if isinstance(indexes, int) else -1),
            )
            row = rows.one_or_none()
            return given.get("default") if row is None else value_of(row)


class _Looked:
    """What templates look up by name: `var.value.name`, `conn.name`."""

    def __init__(self, look_up: Callable[[str], Any]) -> None:
        self._look_up = look_up

    def __getattr__(self, name: str) -> Any:
        return self._look_up(name)

    def __getitem__(self, name: str) -> Any:
        return self._look_up(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return what is there under a name, or another value."""
        try:
            return self._look_up(name)
        except Exception:  # noqa: BLE001  # Airflow's own say in many ways that there is nothing
            return default


def task_in_run(task: Any, run_id: str, map_index: int) -> tuple[DeliveryOperator, Any]:
    """Return a task with its templates as in a run, and Airflow's context of it.

    :param task: as its DAG has it.
    :param map_index: of a mapped task, the instance; else -1.
    :raises ArgumentError: if Airflow no longer knows the run, or it can't be rendered here.
    """
    run = _dag_run(task.dag_id, run_id)
    instance = PastInstance(task.dag_id, task.task_id, run_id, map_index, run)
    own = copy.copy(task)
    context = _context(own, instance, run)
    try:
        with _session_for_mapped():
            own.render_template_fields(context)
        done = context["task"]  # a mapped task's is made for its instance
        if isinstance(done, DeliveryOperator):
            done._bind(context)
    except Exception as error:
        raise ArgumentError(
            f"the task's templates can't be rendered as in run {run_id} ({type(error).__name__}): they need what only "
            "a task at work can look up"
        ) from error
    if not isinstance(done, DeliveryOperator):
        raise ArgumentError(f"task {task.task_id!r} is no upload of this package")
    return done, context


@contextmanager
def _session_for_mapped() -> Iterator[None]:
    """Give mapped tasks of Airflow 2 a session to be rendered with: they would open one, and leave it open."""
    try:
        set_session: Any = find("set_current_task_instance_session", ("airflow.utils.task_instance_session",))
    except ImportError:
        yield
        return
    with find("create_session", ("airflow.utils.session",))() as session, set_session(session=session):
        yield


def left_by(instance: Any, folder: Any) -> Any:
    """Return what the last attempt of a run saved: its checkpoint, or the marker that it is finished; or None."""
    try:
        backend: Any = find("get_state_backend", ("airflow.state",))()
        scope: Any = find("TaskScope", ("airflow.state",))
    except ImportError:  # before Airflow 3.3
        return FileStore(folder, 0).load()
    named = {name: getattr(instance, name) for name in ("dag_id", "run_id", "task_id", "map_index")}
    text = backend.get(scope(**named), CHECKPOINT)
    return None if text is None else json.loads(text)


def _dag_run(dag_id: str, run_id: str) -> Any:
    kind: Any = find("DagRun", ("airflow.models.dagrun",))
    with find("create_session", ("airflow.utils.session",))() as session:
        run = session.query(kind).filter(kind.dag_id == dag_id, kind.run_id == run_id).one_or_none()
        if run is None:
            raise ArgumentError(f"Airflow doesn't know a run {run_id!r} of DAG {dag_id!r}, or no longer")
        session.expunge(run)
    return run


def _context(task: Any, instance: PastInstance, run: Any) -> Any:
    """Return the variables that Airflow documents for templates, as they were in the run."""
    conf = getattr(run, "conf", None) or {}
    variable: Any = find("Variable", ("airflow.sdk", "airflow.models.variable", "airflow.models"))
    context: dict[str, Any] = {
        "task": task,
        "dag": task.dag,
        "ti": instance,
        "task_instance": instance,
        "dag_run": run,
        "run_id": instance.run_id,
        "conf": conf,
        "params": {**dict(task.dag.params), **dict(task.params), **conf},
        "var": {
            "value": _Looked(variable.get),
            "json": _Looked(lambda name: variable.get(name, deserialize_json=True)),
        },
        "conn": _Looked(BaseHook.get_connection),
        "macros": _macros(),
        "expanded_ti_count": None,
    }
    for name in ("data_interval_start", "data_interval_end"):
        context[name] = _moment(getattr(run, name, None))
    date = _moment(getattr(run, "logical_date", None))
    return context | ({} if date is None else _dates(date))


def _dates(date: Any) -> dict[str, Any]:
    day, moment = date.strftime("%Y-%m-%d"), date.isoformat()
    return {
        "logical_date": date,
        "execution_date": date,
        "ds": day,
        "ds_nodash": day.replace("-", ""),
        "ts": moment,
        "ts_nodash": date.strftime("%Y%m%dT%H%M%S"),
        "ts_nodash_with_tz": moment.replace("-", "").replace(":", ""),
    }


def _moment(value: Any) -> Any:
    """Return a time of the kind that templates get: it can be added to and formatted as in a task."""
    coerce = find("coerce_datetime", ("airflow.sdk.timezone", "airflow.utils.timezone"))
    return coerce(value)


def _macros() -> Any:
    for name in _MACROS:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _xcoms() -> tuple[Any, Callable[[Any], Any]]:
    """Return the model of XComs, and what gives the value of a row."""
    try:
        return find("XComModel", ("airflow.models.xcom",)), find(
            "XCom", ("airflow.sdk.execution_time.xcom",)
        ).deserialize_value
    except ImportError:  # before Airflow 3
        return find("XCom", ("airflow.models.xcom",)), lambda row: row.value
