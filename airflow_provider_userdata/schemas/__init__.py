"""JSON Schemas of what is sent, generated from the vendors' typed records and checked in.

`python -m airflow_provider_userdata.schemas` writes them; a test compares them with the records.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from airflow_provider_userdata.vendors import gerosense_sample, ptengine, thymia
from airflow_provider_userdata.vendors.validation import Schema

FOLDER = Path(__file__).parent


def schemas() -> dict[str, Schema]:
    """Generate every schema, by its file's name."""
    return {
        "gerosense.sample.json": gerosense_sample.sample_schema(),
        "gerosense.request.json": gerosense_sample.request_schema(),
        "ptengine.profile.json": ptengine.profile_schema(),
        "ptengine.request.json": ptengine.request_schema(),
        "thymia.request.json": thymia.user_data_schema(),
    }


def text(schema: Schema) -> str:
    """Return a schema as the text of its file."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def write() -> None:
    """Write every schema to its file."""
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text(schema))
