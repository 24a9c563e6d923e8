"""One user's data per request: a week of mood check-ins from a JSON Lines file to Thymia.

Needs the connection `thymia_default`: password is the API key, host is optional (default: Europe).

The file's records already have the form that Thymia expects, `{"user": {"userLabel": ..}, "data": {..}}`. Five of them
are invalid on purpose: without a user, empty, with an e-mail address, or not in the agreed format. They are written,
each with its reason, to the rejects file that the task's report names; all others arrive.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator

DATA = Path(__file__).parent / "data"

# The format that was agreed with Thymia for the upload type "mood", as a JSON Schema. Checked before anything is sent.
AGREED_FORMAT = {
    "type": "object",
    "properties": {
        "recorded_on": {"type": "string", "format": "date"},
        "mood": {"enum": ["calm", "cheerful", "tense", "tired", "low"]},
        "score": {"type": "integer", "minimum": 0, "maximum": 10},
        "sleep_hours": {"type": "number", "minimum": 0, "maximum": 24},
    },
    "required": ["recorded_on", "mood", "score"],
    "additionalProperties": False,
}

with DAG(
    "thymia_upload",
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["userdata"],
):
    ThymiaUploadOperator(
        task_id="upload_moods",
        upload_type="mood",
        source=str(DATA / "moods.jsonl"),
        data_schema=AGREED_FORMAT,
        max_rejected=5,  # with one more, the task fails
    )
