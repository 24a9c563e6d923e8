"""A mapped task as one operator, with the arguments that its instances have."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.suggestions import listed

_SOURCE = "source"


def unmapped(task: Any, index: int | None) -> DeliveryOperator:
    """Return a task as an operator that may be changed. The source of a mapped one is empty.

    :param task: the task, as its DAG has it.
    :param index: of a mapped task, the instance; None for any, if they differ in their source alone.
    :raises ArgumentError: if it is no upload, or if its arguments aren't known before a run.
    """
    if isinstance(task, DeliveryOperator):
        return copy.copy(task)
    kind = getattr(task, "operator_class", None)
    if not (isinstance(kind, type) and issubclass(kind, DeliveryOperator)):
        raise ArgumentError(f"task {getattr(task, 'task_id', '?')!r} is no upload: it has another operator")
    operator: DeliveryOperator = task.unmap(_arguments(task, index))
    return operator


def _arguments(task: Any, index: int | None) -> dict[str, Any]:
    """Return the arguments of a mapped task's instance, without its source."""
    if hasattr(task, "python_callable"):  # a decorated function, which makes the source
        parameters = inspect.signature(task.python_callable).parameters
        return {"op_kwargs": dict.fromkeys(set(parameters) - set(task.partial_kwargs["op_kwargs"]))}
    values = task.expand_input.value
    if not isinstance(values, Mapping | list | tuple):
        raise _only_in_a_run(task, "its arguments are")
    names = {*values} if isinstance(values, Mapping) else {name for one in values for name in one}
    others = sorted(names - {_SOURCE})
    if others and index is None:
        raise ArgumentError(
            f"the instances of task {task.task_id!r} differ in {listed(others, 'and')}: choose one by its map index"
        )
    source: dict[str, Any] = {_SOURCE: []} if _SOURCE in names else {}
    if isinstance(values, Mapping):
        return source | {name: _of_product(task, values, name, index or 0) for name in others}
    return source | (_of_list(task, values, index or 0) if others else {})


def _of_list(task: Any, values: Sequence[Mapping[str, Any]], index: int) -> dict[str, Any]:
    """Return the arguments of an instance that has a dictionary of them."""
    if index >= len(values):
        raise ArgumentError(f"task {task.task_id!r} has no instance {index} any more: it has {len(values):,} now")
    return {name: _known(task, name, value) for name, value in values[index].items() if name != _SOURCE}


def _of_product(task: Any, values: Mapping[str, Any], name: str, index: int) -> Any:
    """Return an argument of an instance if the instances are all combinations. The last argument varies first."""
    for one in reversed(list(values)):
        if not isinstance(values[one], list | tuple | dict):
            break
        items = list(values[one].items()) if isinstance(values[one], dict) else values[one]
        if one == name:
            return _known(task, name, items[index % len(items)])
        index //= len(items)
    raise _only_in_a_run(task, f"{name} is")


def _known(task: Any, name: str, value: Any) -> Any:
    if hasattr(value, "resolve"):  # what another task returns
        raise _only_in_a_run(task, f"{name} is")
    return value


def _only_in_a_run(task: Any, what: str) -> ArgumentError:
    return ArgumentError(
        f"task {task.task_id!r} is mapped, and what {what} for an instance, only a run knows. Send its records again "
        "in a DAG, with source=RejectsSource(...)"
    )
