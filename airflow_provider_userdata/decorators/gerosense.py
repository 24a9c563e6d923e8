"""`@task.gerosense_samples`."""

from __future__ import annotations

from airflow_provider_userdata.decorators.base import task_decorator
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator

gerosense_samples_task = task_decorator("gerosense_samples", GerosenseSamplesOperator, __name__)
