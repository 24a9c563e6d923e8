"""Exports as watches write them: heart rates from an Apple Health export and from Fitbit's CSV, to GeroSense.

Needs the connection `gerosense_default`: host is your API proxy, password is the bearer token.

Nothing is converted beforehand: `fields` says what each of GeroSense's fields is made of. Apple Health is XML, which a
function reads record by record; Fitbit's CSV has local times, and neither a device nor a unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

from airflow.sdk import dag, task

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.sources import Constant, Number, Timestamp

DATA = Path(__file__).parent / "data"
APPLE_TIME = "%Y-%m-%d %H:%M:%S %z"  # such as 2026-01-05 08:04:51 +0400


@dag(schedule=None, default_args={"retries": 2, "retry_delay": timedelta(minutes=1)}, tags=["userdata"])
def wearable_exports() -> None:
    """Upload both exports."""

    @task.gerosense_samples(
        data_type="bpm",
        fields={
            "device_name": "sourceName",
            "device_version": "sourceVersion",
            "start_date": Timestamp("startDate", APPLE_TIME),
            "end_date": Timestamp("endDate", APPLE_TIME),
            "unit": "unit",
            "value": Number("value"),  # XML has only text
        },
    )
    def upload_apple_health() -> Iterator[dict[str, str]]:
        """Yield the heart rates of an export, one by one: such a file may have gigabytes."""
        for _, element in ElementTree.iterparse(DATA / "apple_health_export.xml"):  # noqa: S314  # the user's own file
            if element.get("type") == "HKQuantityTypeIdentifierHeartRate":
                yield dict(element.attrib)
            element.clear()

    GerosenseSamplesOperator(
        task_id="upload_fitbit",
        data_type="bpm",
        source=str(DATA / "fitbit_heart_rates.csv"),
        fields={
            "device_name": Constant("Fitbit Charge 6"),
            "start_date": Timestamp("Time", "%m/%d/%Y %I:%M:%S %p", timezone="Europe/Berlin"),
            "unit": Constant("count/min"),
            "value": "Value",
        },
        max_rejected=2,  # two of them fall into the hour that the clocks skip in March
    )
    upload_apple_health()


wearable_exports()
