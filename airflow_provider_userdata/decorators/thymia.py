"""`@task.thymia_upload`."""

from __future__ import annotations

from airflow_provider_userdata.decorators.base import task_decorator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator

thymia_upload_task = task_decorator("thymia_upload", ThymiaUploadOperator, __name__)
