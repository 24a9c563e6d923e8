"""A task without `incremental=True` that has run, the command that adopts the run, and the task's next run with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.cli import adopt
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN
from airflow_provider_userdata.sources import Constant, Timestamp

Adopt = Callable[..., str]
Again = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_home: Path) -> Path:
    """Give a ledger of the test's own, in the place of the default one."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def adopted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Adopt:
    """Adopt a run of a DAG's task, and give what is said: ``adopted(dag, "--dry-run")``."""

    def run(dag: Any, *arguments: str, task_id: str = "upload") -> str:
        monkeypatch.setattr(adopt, "task_of", lambda _: dag.get_task(task_id))
        capsys.readouterr()
        main(["ledger", "adopt", "--run", dag.dag_id, task_id, "--yes", *arguments])
        return capsys.readouterr().out

    return run


@pytest.fixture
def again(run_dag: Any) -> Again:
    """Run a DAG's task with `incremental=True`, and give its report, also of one that fails."""

    def run(dag: Any, **options: Any) -> dict[str, Any]:
        dag.get_task("upload").incremental = True
        ended = run_dag(dag, **options)
        report: dict[str, Any] = ended.xcom("upload") or ended.xcom("upload", "report")
        return {name: report[name] for name in ("read", "delivered", "unchanged", "rejected")}

    return run


@pytest.fixture
def upload(
    moods: Any, samples: Any, people: Any, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> Callable[..., Any]:
    """Make a vendor's task of ten records: ``upload("thymia")``; `users` is GeroSense for many users."""

    def make(vendor: str, records: Any = None, **options: Any) -> Any:
        if vendor == "thymia":
            return ThymiaUploadOperator(task_id="upload", upload_type="mood", source=records or moods(10), **options)
        if vendor == "ptengine":
            return PtengineProfilesOperator(task_id="upload", source=records or people(10), **options)
        if vendor == "users":
            extra = {"api": "direct"}
            direct = {"conn_type": "gerosense", "host": sandbox.url, "login": LOGIN, "extra": extra}
            key = {"password": SANDBOX_KEYS["gerosense"]}
            monkeypatch.setenv("AIRFLOW_CONN_GEROSENSE_DEFAULT", json.dumps({**direct, **key}))
            user = {number: f"{number % 2:08x}-user" for number in range(10)}
            records = records or [{**sample, "who": user[place]} for place, sample in enumerate(samples(10))]
            options |= {"user_id": "who"}
        records = records or samples(10)
        return GerosenseSamplesOperator(task_id="upload", data_type="steps", source=records, **options)

    return make


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Give a CSV of twelve samples, of which three have no number."""
    path = tmp_path / "2024-05-01.csv"
    cells = [f"ring,2024-05-01 08:00:{number:02},{'' if number in (3, 6, 9) else number + 1}" for number in range(12)]
    path.write_text("\n".join(["dev,at,n", *cells]))
    return path


@pytest.fixture
def of_columns(steps: Path) -> Callable[..., Any]:
    """Make the task that uploads it, by the day of its run."""
    fields = {
        "device_name": "dev",
        "start_date": Timestamp("at", "%Y-%m-%d %H:%M:%S", "Asia/Tokyo"),
        "unit": Constant("count"),
        "value": "n",
    }
    path = str(steps.parent / "{{ ds }}.csv")
    return lambda **options: GerosenseSamplesOperator(
        task_id="upload", data_type="steps", source=path, fields=fields, **options
    )
