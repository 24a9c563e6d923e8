"""Makes a vendor's task decorator of its operator: the decorated function is the operator's source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow_provider_userdata.airflow_compat import (
    Context,
    DecoratedOperator,
    TaskDecorator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.sources import argument_label, hold, unhold


class _DecoratedDelivery(DecoratedOperator, DeliveryOperator):
    """Delivers what a function returns or yields. Mixed into a vendor's operator.

    Airflow renders, stores and shows a function's arguments. Lists are wrapped to prevent that, because they may be
    records that an upstream task returned. Text and dictionaries are not wrapped.
    """

    def __init__(
        self,
        *,
        python_callable: Callable[..., object],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            python_callable=python_callable,
            op_args=op_args or [],
            op_kwargs=op_kwargs or {},
            kwargs_to_upstream={},
            source=None,  # `execute` sets it
            **kwargs,
        )

    @property
    def op_args(self) -> Collection[Any]:
        """The function's positional arguments; lists are wrapped."""
        return self._op_args

    @op_args.setter
    def op_args(self, values: Collection[Any]) -> None:
        self._op_args = [_held(value) for value in values]

    @property
    def op_kwargs(self) -> Mapping[str, Any]:
        """The function's named arguments; lists are wrapped."""
        return self._op_kwargs

    @op_kwargs.setter
    def op_kwargs(self, values: Mapping[str, Any]) -> None:
        self._op_kwargs = {name: _held(value) for name, value in values.items()}

    @property
    def upload_label(self) -> str:
        """The label of the function's only argument; empty if it has none, or several."""
        values = [*self.op_args, *self.op_kwargs.values()]
        return argument_label(values[0]) if len(values) == 1 else ""

    def execute(self, context: Context) -> dict[str, Any]:
        """Deliver the function's records."""
        self._bind(context)
        return DeliveryOperator.execute(self, context)

    def _bind(self, context: Context) -> None:
        """Bind the function's arguments; the function is called when its records are read."""
        positional = [unhold(value) for value in self.op_args]
        context_merge(context, {name: unhold(value) for name, value in self.op_kwargs.items()})
        named = determine_kwargs(self.python_callable, positional, context)

        def records() -> object:
            return self.python_callable(*positional, **named)

        records.__name__ = self.python_callable.__name__
        self.source = records


def _held(value: object) -> object:
    return hold(value) if isinstance(value, (list, tuple)) else value


def task_decorator(name: str, operator: type[DeliveryOperator], module: str) -> Callable[..., TaskDecorator]:
    """Return the decorator that Airflow offers as `@task.<name>`.

    :param name: the decorator's name, such as `thymia_upload`.
    :param operator: the operator that uploads what the function returns or yields.
    :param module: the caller's `__name__`: Airflow names a task's class by it, in logs and in the serialized DAG.
    """
    own_fields = (field for field in operator.template_fields if field != "source")
    attributes = {
        "template_fields": (*DecoratedOperator.template_fields, *own_fields),
        "custom_operator_name": f"@task.{name}",
        "__module__": module,
    }
    decorated: type[Any] = type(f"_Decorated{operator.__name__}", (_DecoratedDelivery, operator), attributes)

    def decorator(python_callable: Callable[..., object] | None = None, **kwargs: Any) -> TaskDecorator:
        """Upload what a function returns or yields.

        :param python_callable: the function; parameters named like Airflow context variables are filled in.
        :param kwargs: the operator's arguments, except `source`.
        """
        return task_decorator_factory(python_callable=python_callable, decorated_operator_class=decorated, **kwargs)

    decorator.__name__ = decorator.__qualname__ = f"{name}_task"
    decorator.__module__ = module
    return decorator
