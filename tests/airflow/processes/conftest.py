"""A real Airflow, each part of it a process of its own, for all the tests that need one."""

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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles.receivers import Collector, Statsd, collector, statsd

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[2] / "example_dags"
LONGEST_START = 240.0
LONGEST_WAIT = 120.0
LOCKED_AT_MOST = 5


class Airflow:
    """Airflow's processes, with a home of their own."""

    def __init__(self, home: Path, url: str, environment: dict[str, str], search: Callable[..., set[str]]) -> None:
        self.home = home
        self.url = url
        self._search = search
        self._environment = environment
        self._processes: list[subprocess.Popen[bytes]] = []
        self._session = requests.Session()
        self._session.trust_env = False

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

    def log_in(self) -> None:
        """Wait until the API answers, and take the token that it gives to anybody here."""

        def token() -> str | None:
            with contextlib.suppress(requests.ConnectionError):
                return str(self._session.get(f"{self.url}/auth/token", timeout=10).json()["access_token"])
            return None

        self._session.headers["Authorization"] = f"Bearer {self.wait(token, LONGEST_START)}"

    def api(self, method: str, path: str, **body: Any) -> Any:
        """Call Airflow's public API."""
        answer = self._session.request(method, f"{self.url}/api/v2/{path}", json=body or None, timeout=10)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def run(self, dag_id: str, **params: Any) -> Run:
        """Start a run of a DAG, as soon as Airflow knows it."""
        self.wait(lambda: self._knows(dag_id), LONGEST_START)
        run = self.api("POST", f"dags/{dag_id}/dagRuns", logical_date=None, conf=params)
        return Run(self, dag_id, run["dag_run_id"])

    def backfill(self, dag_id: str, *options: str) -> None:
        """Create a backfill of a DAG, as people do."""
        self.wait(lambda: self._knows(dag_id), LONGEST_START)
        for _ in range(LOCKED_AT_MOST):
            code, said = self._ended("backfill", "create", "--dag-id", dag_id, *options)
            if "database is locked" not in said:
                break
            # Airflow reads before it writes, which SQLite refuses where another process has written in between. It
            # leaves a backfill without runs, which keeps others from being created.
            for (number,) in self.query("SELECT id FROM backfill WHERE dag_id = ? AND completed_at IS NULL", dag_id):
                self.api("PUT", f"backfills/{number}/cancel")
        assert code == 0, said

    def unpause(self, dag_id: str, runs: int) -> list[Run]:
        """Let a DAG run that was paused, wait until it has so many runs, and give them by their date."""
        self.wait(lambda: self._knows(dag_id), LONGEST_START)
        self.api("PATCH", f"dags/{dag_id}", is_paused=False)
        which = "SELECT run_id FROM dag_run WHERE dag_id = ? ORDER BY logical_date"
        found = self.wait(lambda: len(rows := self.query(which, dag_id)) == runs and rows)
        return [Run(self, dag_id, run_id) for (run_id,) in found]

    def query(self, sql: str, *values: object) -> list[Any]:
        """Ask Airflow's database."""
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db", timeout=30)) as database:
            return database.execute(sql, values).fetchall()

    def wait(self, until: Callable[[], Any], longest: float = LONGEST_WAIT) -> Any:
        """Wait until something is there, and give it."""
        end = time.monotonic() + longest
        while not (found := until()):
            assert all(process.poll() is None for process in self._processes), "a process has ended"
            assert time.monotonic() < end, "it has never come"
            time.sleep(0.1)
        return found

    def tables_with(self, text: str) -> set[str]:
        """Name the tables of Airflow's database that hold a text."""
        return self._search(text, self.home / "airflow.db")

    def _knows(self, dag_id: str) -> bool:
        return bool(self.query("SELECT 1 FROM serialized_dag WHERE dag_id = ?", dag_id))

    def _ended(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(self._line(words), env=self._environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    @staticmethod
    def _line(words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "airflow", *words]


@dataclass(frozen=True)
class Run:
    """A DAG's run; its task is `upload`, where no other is named."""

    airflow: Airflow
    dag_id: str
    run_id: str

    def state(self) -> str:
        """Give the run's state."""
        where = "run_id = ? AND dag_id = ?"
        ((state,),) = self.airflow.query(f"SELECT state FROM dag_run WHERE {where}", self.run_id, self.dag_id)
        return str(state)

    def span(self) -> tuple[str, str]:
        """Tell when the run began and ended, in a form that can be compared."""
        where = "run_id = ? AND dag_id = ?"
        ((start, end),) = self.airflow.query(
            f"SELECT start_date, end_date FROM dag_run WHERE {where}", self.run_id, self.dag_id
        )
        return str(start), str(end)

    def ends(self) -> str:
        """Wait until the run has ended, and give its state."""
        return str(self.airflow.wait(lambda: self.state() in {"success", "failed"} and self.state()))

    def task(self, task_id: str = "upload") -> dict[str, Any]:
        """Give a task's instance, as the API shows it."""
        return dict(self.airflow.api("GET", self._path(task_id)))

    def becomes(self, *states: str, task_id: str = "upload") -> None:
        """Wait until a task's instance is in a state."""
        self.airflow.wait(lambda: self.task(task_id)["state"] in states)

    def xcom(self, key: str = "return_value", task_id: str = "upload") -> dict[str, Any]:
        """Give what a task left: what it returned, or its XCom."""
        value = self.airflow.api("GET", f"{self._path(task_id)}/xcomEntries/{key}?deserialize=true")["value"]
        return dict(json.loads(value) if isinstance(value, str) else value)

    def stored(self, task_id: str = "upload") -> dict[str, str]:
        """Give what the state store holds of a task, as text, by key: what the UI shows."""
        entries = self.airflow.api("GET", f"{self._path(task_id)}/state-store")["task_state_store"]
        return {entry["key"]: json.dumps(entry["value"]) for entry in entries}

    def log(self, attempt: int = 1, task_id: str = "upload") -> str:
        """Give the messages of one attempt of a task, a line each."""
        return "\n".join(str(json.loads(line).get("event")) for line in self.log_file(attempt, task_id).splitlines())

    def log_file(self, attempt: int = 1, task_id: str = "upload") -> str:
        """Give the log of one attempt of a task as it was written."""
        folder = self.airflow.home / "logs" / f"dag_id={self.dag_id}" / f"run_id={self.run_id}" / f"task_id={task_id}"
        return (folder / f"attempt={attempt}.log").read_text()

    def clear(self, task_id: str = "upload") -> None:
        """Clear a task, as people do in the UI."""
        self.airflow.api(
            "POST",
            f"dags/{self.dag_id}/clearTaskInstances",
            dry_run=False,
            dag_run_id=self.run_id,
            task_ids=[task_id],
            only_failed=False,
        )

    def mark_failed(self, task_id: str = "upload") -> None:
        """Mark a task as failed, as people do in the UI."""
        self.airflow.api("PATCH", self._path(task_id), new_state="failed")

    def _path(self, task_id: str) -> str:
        return f"dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances/{task_id}"


def _environment(home: Path, url: str, more: dict[str, str]) -> dict[str, str]:
    """Settle what Airflow's processes share, with nothing of any other Airflow."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": "0",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # else a task's end is noticed 5 s late
        **more,
    }


def _monitoring(home: Path, metrics: Statsd, traces: Collector) -> dict[str, str]:
    """Let Airflow tell what it does: lineage of the DAGs alone that ask for it, since each event takes a process."""
    lineage = {"type": "file", "log_file_path": str(home / "lineage.jsonl"), "append": True}
    return {
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(metrics.port),
        "AIRFLOW__OPENLINEAGE__SELECTIVE_ENABLE": "True",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(lineage),
        "AIRFLOW__TRACES__OTEL_ON": "True",
        "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url,
        "OTEL_TRACES_EXPORTER": "otlp_proto_http",
    }


def _parts(port: str) -> Iterable[tuple[str, ...]]:
    yield "api-server", "--host", "127.0.0.1", "--port", port
    yield "scheduler", "--skip-serve-logs"
    yield ("dag-processor",)
    yield "triggerer", "--skip-serve-logs"


@pytest.fixture(scope="package")
def metrics() -> Iterator[Statsd]:
    """Receive the metrics of Airflow's processes."""
    with statsd() as server:
        yield server


@pytest.fixture(scope="package")
def traces() -> Iterator[Collector]:
    """Receive the spans of Airflow's processes."""
    with collector() as received:
        yield received


@pytest.fixture(scope="package")
def airflow_processes(
    metrics: Statsd,
    traces: Collector,
    airflow_home: Path,
    userdata_sandbox_server: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
    stored: Callable[..., set[str]],
) -> Iterator[Airflow]:
    """Start Airflow once for this folder: one connection is in its database, the others in its environment."""
    home = tmp_path_factory.mktemp("airflow")
    shutil.copy(airflow_home / "empty.db", home / "airflow.db")
    shutil.copytree(EXAMPLES, home / "dags")
    shutil.copytree(HERE / "dags", home / "dags", dirs_exist_ok=True)
    with socket.create_server(("127.0.0.1", 20_000 + secrets.randbelow(12_000))) as free:  # below the system's own
        port = str(free.getsockname()[1])
    connections = userdata_sandbox_server.connections()
    of_thymia = connections.pop("AIRFLOW_CONN_THYMIA_DEFAULT")
    url = f"http://127.0.0.1:{port}"
    airflow = Airflow(home, url, _environment(home, url, connections | _monitoring(home, metrics, traces)), stored)
    try:
        for words in _parts(port):
            airflow.start(*words)
        airflow.log_in()
        airflow.api("POST", "connections", connection_id="thymia_default", **json.loads(of_thymia))
        yield airflow
    finally:
        airflow.stop()


@pytest.fixture
def airflow(airflow_processes: Airflow, userdata_sandbox: Sandbox) -> Airflow:
    """Give Airflow's processes, and the vendors as if nothing had ever arrived."""
    return airflow_processes
