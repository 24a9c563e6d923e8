"""An example DAG in a real Airflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox

MOODS = Path(__file__).parents[3] / "example_dags" / "data" / "moods.jsonl"
UPLOADS = {"upload_moods": "thymia", "upload_steps": "gerosense", "upload_customers": "ptengine"}


def test_the_daily_example_runs(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """Real processes run it with connections from both places; all that was read is accounted for, and no log tells."""
    run = airflow.run("daily_userdata")
    assert run.ends() == "success"
    labels = [json.loads(line)["user"].get("userLabel") for line in MOODS.read_text().splitlines()]
    secrets_of_records = [label for label in labels if label][:200]
    for task, vendor in UPLOADS.items():
        report = run.xcom(task_id=task)
        assert userdata_sandbox.vendors[vendor].counts.records == report["delivered"] > 2000
        assert report["read"] == report["delivered"] + report["rejected"]
        log = run.log_file(task_id=task)
        assert f"{report['read']:,} read, {report['delivered']:,} delivered" in log
        assert report["receipts"] in log
        assert report["rejects"] in log
        assert '"level": "error"' not in log
        assert not [text for text in (*SANDBOX_KEYS.values(), *secrets_of_records) if text in log]
    assert not airflow.tables_with(SANDBOX_KEYS["thymia"])
    assert airflow.tables_with(secrets_of_records[0]) == {"xcom extract_moods return_value"}
