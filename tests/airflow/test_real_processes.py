"""An example DAG in a real Airflow: api-server, scheduler and DAG processor, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox

EXAMPLES = Path(__file__).parents[2] / "example_dags"
MOODS = EXAMPLES / "data" / "moods.jsonl"
UPLOADS = {"upload_moods": "thymia", "upload_steps": "gerosense", "upload_customers": "ptengine"}
LONGEST_RUN = 120.0


class Airflow:
    """Airflow's processes, with a home of their own."""

    def __init__(self, home: Path, environment: dict[str, str], search: Callable[..., set[str]]) -> None:
        self.home = home
        self._search = search
        self._environment = environment
        self._processes: list[subprocess.Popen[bytes]] = []

    def command(self, *words: str) -> None:
        """Run a command of Airflow's to its end."""
        done = subprocess.run(self._line(words), env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, *words: str) -> None:
        """Start a process that goes on; its output goes to a file."""
        with (self.home / f"{words[0]}.out").open("wb") as out:
            process = subprocess.Popen(
                self._line(words), env=self._environment, stdout=out, stderr=out, start_new_session=True
            )
        self._processes.append(process)

    def stop(self) -> None:
        """End what was started: each is a process group of its own, its id the group's."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)

    def query(self, sql: str, *values: object) -> list[Any]:
        """Ask Airflow's database."""
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db", timeout=30)) as database:
            return database.execute(sql, values).fetchall()

    def wait_for(self, dag_id: str) -> str | None:
        """Wait until a DAG's run has ended, and give its state."""
        end = time.monotonic() + LONGEST_RUN
        while time.monotonic() < end:
            rows = self.query("SELECT state FROM dag_run WHERE dag_id = ?", dag_id)
            if rows and rows[0][0] in {"success", "failed"}:
                return str(rows[0][0])
            assert all(process.poll() is None for process in self._processes), "a process has ended"
            time.sleep(0.3)
        return None

    def report(self, task_id: str) -> dict[str, Any]:
        """Give what a task returned."""
        ((value,),) = self.query("SELECT value FROM xcom WHERE task_id = ? AND key = 'return_value'", task_id)
        report = json.loads(value)
        return dict(json.loads(report) if isinstance(report, str) else report)

    def task_log(self, task_id: str) -> str:
        """Give the text of a task's log."""
        (file,) = (self.home / "logs").glob(f"dag_id=*/*/task_id={task_id}/*.log")
        return file.read_text()

    def tables_with(self, text: str) -> set[str]:
        """Name the tables of Airflow's database that hold a text."""
        return self._search(text, self.home / "airflow.db")

    @staticmethod
    def _line(words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "airflow", *words]


@pytest.fixture
def airflow(
    airflow_home: Path, userdata_sandbox: Sandbox, tmp_path: Path, stored: Callable[..., set[str]]
) -> Iterator[Airflow]:
    """Start Airflow: one connection is in its database, the others in its environment."""
    home = tmp_path / "airflow"
    home.mkdir()
    shutil.copy(airflow_home / "empty.db", home / "airflow.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    connections = userdata_sandbox.connections()
    of_thymia = connections.pop("AIRFLOW_CONN_THYMIA_DEFAULT")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": "0",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        **connections,
    }
    airflow = Airflow(home, environment, stored)
    try:
        airflow.start("api-server", "--apps", "execution", "--host", "127.0.0.1", "--port", str(port))
        airflow.start("scheduler", "--skip-serve-logs")
        airflow.start("dag-processor")
        airflow.command("connections", "add", "thymia_default", "--conn-json", of_thymia)
        yield airflow
    finally:
        airflow.stop()


def test_the_daily_example_runs(airflow: Airflow, userdata_sandbox: Sandbox) -> None:
    """Real processes run it with connections from both places; all that was read is accounted for, and no log tells."""
    airflow.command("dags", "reserialize")
    airflow.command("dags", "trigger", "daily_userdata")
    assert airflow.wait_for("daily_userdata") == "success"
    labels = [json.loads(line)["user"].get("userLabel") for line in MOODS.read_text().splitlines()]
    secrets_of_records = [label for label in labels if label][:200]
    for task, vendor in UPLOADS.items():
        report = airflow.report(task)
        assert userdata_sandbox.vendors[vendor].counts.records == report["delivered"] > 2000
        assert report["read"] == report["delivered"] + report["rejected"]
        log = airflow.task_log(task)
        assert f"{report['read']:,} read, {report['delivered']:,} delivered" in log
        assert report["receipts"] in log
        assert report["rejects"] in log
        assert '"level": "error"' not in log
        assert not [text for text in (*SANDBOX_KEYS.values(), *secrets_of_records) if text in log]
    assert not airflow.tables_with(SANDBOX_KEYS["thymia"])
    assert airflow.tables_with(secrets_of_records[0]) == {"xcom extract_moods return_value"}
