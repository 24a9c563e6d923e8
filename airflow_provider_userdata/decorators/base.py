"""What the decorators share: a function's records are an operator's source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import (
    SET_DURING_EXECUTION,
    Context,
    DecoratedOperator,
    context_merge,
    determine_kwargs,
)

from airflow_provider_userdata.operators.base import DeliveryOperator


class DecoratedDelivery(DecoratedOperator, DeliveryOperator):
    """Delivers what a function returns or yields. Mixed into a vendor's operator."""

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
            source=SET_DURING_EXECUTION,
            **kwargs,
        )

    def execute(self, context: Context) -> dict[str, Any]:
        """Bind the function's arguments, and deliver its records; it is called where they are read."""
        context_merge(context, self.op_kwargs)
        arguments = determine_kwargs(self.python_callable, self.op_args, context)

        def records() -> object:
            return self.python_callable(*self.op_args, **arguments)

        records.__name__ = self.python_callable.__name__
        self.source = records
        return DeliveryOperator.execute(self, context)


def template_fields(operator: type[DeliveryOperator]) -> tuple[str, ...]:
    """Give what is rendered in a decorated operator: the function's arguments, and all but the source."""
    own = [name for name in operator.template_fields if name != "source"]
    return (*DecoratedOperator.template_fields, *own)
