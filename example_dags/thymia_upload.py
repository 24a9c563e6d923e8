"""One user's data a request: a week of mood check-ins from a JSON Lines file to Thymia.

Needs the connection `thymia_default`: password is the API key, host is optional (Europe unless said).

The file's records have the very form that Thymia takes, `{"user": {"userLabel": ..}, "data": {..}}`. Five of them are
bad on purpose: nobody's, empty, with an e-mail address in it, or against the agreed format. They stand, each with its
reason, in the rejects file that the task's report names; all the others arrive.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator

DATA = Path(__file__).parent / "data"

# What was agreed with Thymia for uploads of the type "mood", as a JSON Schema: checked here, before anything is sent.
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
        max_rejected=5,  # one more, and the task is red
    )
