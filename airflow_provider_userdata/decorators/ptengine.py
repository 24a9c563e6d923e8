"""`@task.ptengine_profiles`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_userdata.airflow_compat import TaskDecorator, task_decorator_factory
from airflow_provider_userdata.decorators.base import DecoratedDelivery, template_fields
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator


class _DecoratedPtengineProfilesOperator(DecoratedDelivery, PtengineProfilesOperator):
    template_fields = template_fields(PtengineProfilesOperator)
    custom_operator_name = "@task.ptengine_profiles"


def ptengine_profiles_task(python_callable: Callable[..., object] | None = None, **kwargs: Any) -> TaskDecorator:
    """Upload the user attributes that a function returns or yields.

    :param python_callable: the function; parameters named like Airflow context variables are filled in.
    :param kwargs: the arguments of `PtengineProfilesOperator`, except `source`.
    """
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=_DecoratedPtengineProfilesOperator, **kwargs
    )
