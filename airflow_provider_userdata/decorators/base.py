"""The base of all decorated operators: the decorated function is the operator's source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow_provider_userdata.airflow_compat import (
    Context,
    DecoratedOperator,
    context_merge,
    determine_kwargs,
)
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.sources import hold, unhold


class DecoratedDelivery(DecoratedOperator, DeliveryOperator):
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

    def execute(self, context: Context) -> dict[str, Any]:
        """Bind the function's arguments, and deliver its records; the function is called when they are read."""
        positional = [unhold(value) for value in self.op_args]
        context_merge(context, {name: unhold(value) for name, value in self.op_kwargs.items()})
        named = determine_kwargs(self.python_callable, positional, context)

        def records() -> object:
            return self.python_callable(*positional, **named)

        records.__name__ = self.python_callable.__name__
        self.source = records
        return DeliveryOperator.execute(self, context)


def _held(value: object) -> object:
    return hold(value) if isinstance(value, (list, tuple)) else value


def template_fields(operator: type[DeliveryOperator]) -> tuple[str, ...]:
    """Return the template fields of a decorated operator: the function's arguments, and all fields but the source."""
    own = [name for name in operator.template_fields if name != "source"]
    return (*DecoratedOperator.template_fields, *own)
