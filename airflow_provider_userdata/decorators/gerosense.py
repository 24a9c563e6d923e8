"""`@task.gerosense_samples`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_userdata.airflow_compat import TaskDecorator, task_decorator_factory
from airflow_provider_userdata.decorators.base import DecoratedDelivery, template_fields
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator


class _DecoratedGerosenseSamplesOperator(DecoratedDelivery, GerosenseSamplesOperator):
    template_fields = template_fields(GerosenseSamplesOperator)
    custom_operator_name = "@task.gerosense_samples"


def gerosense_samples_task(python_callable: Callable[..., object] | None = None, **kwargs: Any) -> TaskDecorator:
    """Upload the samples that a function returns or yields.

    :param python_callable: the function; parameters named like Airflow context variables are filled in.
    :param kwargs: the arguments of `GerosenseSamplesOperator`, except `source`.
    """
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=_DecoratedGerosenseSamplesOperator, **kwargs
    )
