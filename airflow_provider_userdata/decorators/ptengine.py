"""`@task.ptengine_profiles`."""

from __future__ import annotations

from airflow_provider_userdata.decorators.base import task_decorator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator

ptengine_profiles_task = task_decorator("ptengine_profiles", PtengineProfilesOperator, __name__)
