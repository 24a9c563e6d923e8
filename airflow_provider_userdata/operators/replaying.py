"""Sends rejects again with a task's operator, outside of the task's own runs: for commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from airflow_provider_userdata.delivery import Delivery, Observer, Report, Result
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.operators.mapped import unmapped
from airflow_provider_userdata.operators.output_paths import output_root, run_folder
from airflow_provider_userdata.operators.planning import make_plan
from airflow_provider_userdata.sources import OF_COMMANDS, RejectsSource, UserCells

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


class Replayed(NamedTuple):
    """What became of rejects that were sent again.

    :param folder: of the replay's own files.
    :param stays: whether they stay there, because something was sent or held.
    """

    result: Result
    folder: Any
    stays: bool


def replay(task: Any, source: RejectsSource, *, dry_run: bool = False, observers: Sequence[Observer] = ()) -> Result:
    """Send rejects again, as `replayed` does, and return the report, and the error that ended it."""
    with replayed(task, source, dry_run=dry_run, observers=observers) as done:
        return done.result


@contextmanager
def replayed(
    task: Any, source: RejectsSource, *, dry_run: bool = False, observers: Sequence[Observer] = ()
) -> Iterator[Replayed]:
    """Send rejects again with the operator and the connection of a task, as a run of its own that Airflow doesn't know.

    Its files are below the task's `output_path`, in the folder of a run `replay__<date and time>`. If nothing was sent,
    they are there until the `with` block ends.

    :param task: the task, as its DAG has it.
    :param source: which rejects; for those of a run, its `run`. If the instances of a mapped task differ in more than
        their source, its `map_index`, too.
    :param dry_run: whether to check the records, and to send none.
    :param observers: are told how far it is.
    :return: gives the report, and the error that ended it; the report's `rejects` are those of the replay.
    :raises UserdataError: if the task can't be used, or an argument, the connection or the source.
    """
    operator = unmapped(task, source.map_index)
    with _run(operator, task.dag, source, dry_run=dry_run, observers=observers) as done:
        yield done


def send_held(task: Any, map_index: int | None = None, *, observers: Sequence[Observer] = ()) -> Result:
    """Send a task's held records with its operator and connection, as its next run would, and nothing else.

    :param task: the task, as its DAG has it.
    :param map_index: of a mapped task, the instance that would send them; None for any.
    :param observers: are told how far it is.
    :return: the report, and the error that ended it.
    :raises UserdataError: if the task can't be used, or an argument or the connection.
    """
    with _run(unmapped(task, map_index), task.dag, [], observers=observers) as done:
        return done.result


@contextmanager
def _run(
    own: DeliveryOperator, dag: Any, source: Any, *, dry_run: bool = False, observers: Sequence[Observer] = ()
) -> Iterator[Replayed]:
    instance = _Instance(dag.dag_id, own.task_id)
    context: Any = {"ti": instance, "task": own, "run_id": instance.run_id, "dag": dag}
    _render(own, context)
    own.source = source
    own.validate_only = dry_run
    own.deferrable = False
    folder = run_folder(output_root(own.output_path), instance)
    stays = False
    try:
        plan = make_plan(own, context, came_back=False)
        stays = not dry_run
        result = Delivery(replace(plan, observers=observers, max_rejected=float("inf"))).run()
        stays = not dry_run and _says_something(result.report, own_records=not isinstance(source, RejectsSource))
        yield Replayed(result, folder, stays)
    finally:
        if not stays:
            _remove(folder)


def _says_something(report: Report, *, own_records: bool) -> bool:
    """Return whether the files of a run say what no other run's do.

    :param own_records: whether its rejects are not those of an earlier run.
    """
    return bool(report.requests or report.held or (own_records and report.rejected))


def user_column(task: Any, map_index: int | None = None) -> str | None:
    """Return the source's column that says whose a record is; None if there is none."""
    own = unmapped(task, map_index)
    field, fields = own._user_field(), own._field_map()
    return field if fields is None or field is None else fields.column_of(field)


def user_cells(task: Any, map_index: int | None = None) -> UserCells | None:
    """Return what compares the cells of a table that name users; None if no column does."""
    own = unmapped(task, map_index)
    column = user_column(own)
    return None if column is None else UserCells(column, own._user_path)


def _remove(folder: Any) -> None:
    """Remove the folder of a run that has sent nothing, with those above that are empty then."""
    with suppress(OSError, AttributeError):  # it isn't there, holds something else, or the store has no folders
        for path in list(folder.iterdir()):
            path.unlink()
        for above in (folder, folder.parent, folder.parent.parent):
            above.rmdir()


def _render(task: Any, context: Any) -> None:
    """Render the templates of a task, apart from its source's."""
    environment = context["dag"].get_template_env()
    for name in type(task).template_fields:
        if name in _OF_SOURCE:
            continue
        try:
            setattr(task, name, task.render_template(getattr(task, name, None), context, environment))
        except Exception as error:
            raise ArgumentError(
                f"{name}: its template needs a run of Airflow's ({type(error).__name__}). Send the rejects again in a "
                "DAG, with source=RejectsSource(...)"
            ) from error
