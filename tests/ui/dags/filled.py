"""The DAGs of the uploads that the tests write into Airflow's database."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from tests.ui import filling, uploads

for name in uploads.names(datetime.now(UTC)):
    with DAG(name, schedule=None, dag_display_name=uploads.DISPLAY_NAMES.get(name, name)):
        if name.startswith("gerosense"):
            GerosenseSamplesOperator(task_id="upload", data_type="steps", source=[])
        elif name.startswith("ptengine"):
            PtengineProfilesOperator(task_id="upload", source=[])
        else:
            ThymiaUploadOperator(task_id="upload", upload_type="mood", source=[])

with DAG(filling.CROWD, schedule=None):
    EmptyOperator(task_id="load")
