"""Sends rejects again with a task's operator, outside of the task's own runs: for commands."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from airflow_provider_userdata.delivery import Delivery, Observer, Result
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.operators.planning import make_plan
from airflow_provider_userdata.sources import OF_COMMANDS, RejectsSource

_OF_SOURCE = ("source", "op_args", "op_kwargs", "templates_dict")
"""Template fields that only the task's own source needs."""


@dataclass(frozen=True)
class _Instance:
    """Stands for the task's instance of a run that Airflow doesn't know."""

    dag_id: str
    task_id: str
    run_id: str = field(default_factory=lambda: f"{OF_COMMANDS}{datetime.now(UTC).isoformat()}")
    map_index: int = -1
    try_number: int = 1
    max_tries: int = 0

    def xcom_pull(self, **_: object) -> None:
        """Return nothing: no run before left anything under this name."""

    def xcom_push(self, key: str, value: object) -> None:
        """Keep nothing: nobody would find it."""


def replay(task: Any, source: RejectsSource, *, dry_run: bool = False, observers: Sequence[Observer] = ()) -> Result:
    """Send rejects again with the operator and the connection of a task, as a run of its own that Airflow doesn't know.

    Its files are below the task's `output_path`, in the folder of a run `replay__<date and time>`.

    :param task: the task, as its DAG has it.
    :param source: which rejects; for those of a run, its `run`.
    :param dry_run: whether to check the records, and to send none.
    :param observers: are told how far it is.
    :return: the report, and the error that ended it; the report's `rejects` are those of the replay.
    :raises UserdataError: if the task can't be used, or an argument, the connection or the source.
    """
    return _run(task, source, dry_run=dry_run, observers=observers)


def send_held(task: Any) -> Result:
    """Send a task's held records with its operator and connection, as its next run would, and nothing else.

    :param task: the task, as its DAG has it.
    :return: the report, and the error that ended it.
    :raises UserdataError: if the task can't be used, or an argument or the connection.
    """
    return _run(task, [])


def _run(task: Any, source: Any, *, dry_run: bool = False, observers: Sequence[Observer] = ()) -> Result:
    if not isinstance(task, DeliveryOperator):
        raise ArgumentError(
            f"task {getattr(task, 'task_id', '?')!r} is no upload of its own: it is mapped, or of another operator. "
            "Send its rejects again in a DAG, with source=RejectsSource(...)"
        )
    instance = _Instance(task.dag_id, task.task_id)
    own: Any = copy.copy(task)
    context: Any = {"ti": instance, "task": own, "run_id": instance.run_id, "dag": task.dag}
    _render(own, context)
    own.source = source
    own.validate_only = dry_run
    own.deferrable = False
    plan = make_plan(own, context, came_back=False)
    return Delivery(replace(plan, observers=observers, max_rejected=float("inf"))).run()


def _render(task: Any, context: Any) -> None:
    """Render the templates of a task, apart from its source's."""
    for name in type(task).template_fields:
        if name in _OF_SOURCE:
            continue
        try:
            setattr(task, name, task.render_template(getattr(task, name, None), context))
        except Exception as error:
            raise ArgumentError(
                f"{name}: its template needs a run of Airflow's ({type(error).__name__}). Send the rejects again in a "
                "DAG, with source=RejectsSource(...)"
            ) from error
