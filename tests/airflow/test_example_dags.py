"""The example DAGs of data as people have it run in a real Airflow, and what they say arrives."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[2] / "example_dags"

pytestmark = [pytest.mark.airflow_3]


def example(name: str) -> Any:
    """Load an example's DAG."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)()


@pytest.mark.parametrize(
    ("name", "task", "vendor", "counts"),
    [
        ("wearable_exports", "upload_apple_health", "gerosense", (200, 200, 0)),
        ("wearable_exports", "upload_fitbit", "gerosense", (402, 400, 2)),
        ("warehouse_profiles", "upload_profiles", "ptengine", (3004, 3000, 4)),
        ("gerosense_many_users", "upload_members_steps", "gerosense", (1203, 1198, 3)),
        ("questionnaire", "upload_scores", "thymia", (251, 250, 1)),
    ],
)
def test_an_example_delivers_what_it_says(
    name: str,
    task: str,
    vendor: str,
    counts: tuple[int, int, int],
    run_dag: Callable[..., Any],
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All records but those that are invalid on purpose, or too few for a request."""
    warehouse = {"conn_type": "sqlite", "host": f"{tmp_path}/warehouse.db"}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))

    dag = example(name)
    for one in dag.tasks:
        one.retries = 0
    run = run_dag(dag)

    report = run.xcom(task)
    assert run.state == "success"
    assert (report["read"], report["delivered"], report["rejected"]) == counts
    assert report["held"] == counts[0] - counts[1] - counts[2]
    assert sandbox.vendors[vendor].counts.records >= report["delivered"]
