"""`@task.thymia_upload`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_userdata.airflow_compat import TaskDecorator, task_decorator_factory
from airflow_provider_userdata.decorators.base import DecoratedDelivery, template_fields
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator


class _DecoratedThymiaUploadOperator(DecoratedDelivery, ThymiaUploadOperator):
    template_fields = template_fields(ThymiaUploadOperator)
    custom_operator_name = "@task.thymia_upload"


def thymia_upload_task(python_callable: Callable[..., object] | None = None, **kwargs: Any) -> TaskDecorator:
    """Upload the user data that a function returns or yields.

    :param python_callable: the function; parameters named like Airflow context variables are filled in.
    :param kwargs: the arguments of `ThymiaUploadOperator`, except `source`.
    """
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=_DecoratedThymiaUploadOperator, **kwargs
    )
