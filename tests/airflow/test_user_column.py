"""Which column of a source says whose a record is, by a task's arguments."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import user_column
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sources import Column, Constant

SAMPLE = {"device_name": "phone", "start_date": "begun", "unit": Constant("count/min"), "value": "steps"}


@pytest.mark.parametrize(
    ("operator", "options", "column"),
    [
        (PtengineProfilesOperator, {}, "user_id"),
        (PtengineProfilesOperator, {"fields": {"user_id": "Customer ID"}}, "Customer ID"),
        (PtengineProfilesOperator, {"fields": {"user_id": Column("who.id")}}, "who"),
        (ThymiaUploadOperator, {"upload_type": "mood"}, "user"),
        (ThymiaUploadOperator, {"upload_type": "mood", "user_label": "who"}, "who"),
        (ThymiaUploadOperator, {"upload_type": "mood", "user_label": "who", "fields": {"mood": "m"}}, "who"),
        (ThymiaUploadOperator, {"upload_type": "mood", "fields": {"userLabel": "who", "mood": "m"}}, "who"),
        (GerosenseSamplesOperator, {"data_type": "steps"}, None),
        (GerosenseSamplesOperator, {"data_type": "steps", "user_id": "who"}, "who"),
        (GerosenseSamplesOperator, {"data_type": "steps", "user_id": "who", "fields": SAMPLE}, "who"),
        (GerosenseSamplesOperator, {"data_type": "steps", "fields": SAMPLE}, None),
    ],
)
def test_the_users_column(operator: Any, options: dict[str, Any], column: str | None) -> None:
    """Of each vendor, with `fields` and without."""
    assert user_column(operator(task_id="upload", source=[], **options)) == column
