"""Airflow as people run it, with a filled database, and the sandbox beside it.

``python -m tests.ui.running FILE`` starts it by hand and writes to FILE where it listens; with the variable
USERDATA_TEST_UI=FILE, tests use it, so that whoever writes one needn't wait for Airflow each time.
"""

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
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from tests.ui import filling, uploads

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TASK_INSTANCES = 200_000
LONGEST_START = 400.0
LONGEST_END = 5.0
USERS = ("admin", "viewer")


@dataclass(frozen=True)
class Running:
    """Where all of it is.

    :param home: Airflow's home.
    :param url: an `airflow standalone`.
    :param hiding_url: an API server on the same database, below a path, which hides DAGs from the viewer.
    :param sandbox: the sandbox.
    """

    home: str
    url: str
    hiding_url: str
    sandbox: str

    @property
    def database(self) -> Path:
        """Return the file of Airflow's database."""
        return Path(self.home) / "airflow.db"

    @staticmethod
    def password(user: str) -> str:
        """Return a user's password."""
        return f"password of {user}"

    def query(self, sql: str, *values: object) -> list[Any]:
        """Ask Airflow's database."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=30)) as database:
            return database.execute(sql, values).fetchall()

    def api(self, method: str, path: str, **body: Any) -> requests.Response:
        """Call Airflow's public API, as the admin."""
        with _direct() as session:
            asked = {"username": "admin", "password": self.password("admin")}
            token = session.post(f"{self.url}/auth/token", json=asked).json()["access_token"]
            session.headers["Authorization"] = f"Bearer {token}"
            return session.request(method, f"{self.url}/api/v2/{path}", json=body or None)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the sandbox something, or tell it what to do."""
        with _direct() as session:
            answer = session.request(method, f"{self.sandbox}/sandbox/{path}", json=body)
            answer.raise_for_status()
            return answer.json()


def wait(until: Callable[[], Any], longest: float = 60.0) -> Any:
    """Wait until something is there, and return it."""
    end = time.monotonic() + longest
    while not (found := until()):
        assert time.monotonic() < end, "it has never come"
        time.sleep(0.25)
    return found


@contextlib.contextmanager
def running() -> Iterator[Running]:
    """Start all, and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="userdata-ui-") as folder, contextlib.ExitStack() as stack:
        home = Path(folder)
        one, other, sandbox = (f"http://127.0.0.1:{port}" for port in _free_ports(3))
        place = Running(folder, one, f"{other}/af", sandbox)
        environment = _environment(place)
        shutil.copytree(HERE / "dags", home / "dags")
        passwords = {user: place.password(user) for user in USERS}
        (home / "simple_auth_manager_passwords.json.generated").write_text(json.dumps(passwords))
        subprocess.run(_airflow("db", "migrate"), env=environment, check=True, capture_output=True)
        filling.fill(
            place.database, uploads.uploads(datetime.now(UTC)), TASK_INSTANCES - uploads.ALL, uploads.DISPLAY_NAMES
        )
        port = sandbox.rpartition(":")[2]
        stack.enter_context(
            _started(home, "sandbox", [sys.executable, "-m", "airflow_provider_userdata.sandbox", "--port", port])
        )
        stack.enter_context(_started(home, "standalone", _airflow("standalone"), environment))
        hiding = {
            **environment,
            "AIRFLOW__API__BASE_URL": place.hiding_url,
            "AIRFLOW__CORE__AUTH_MANAGER": "tests.ui.hide_auth.HidingAuthManager",
        }
        port = other.rpartition(":")[2]
        stack.enter_context(_started(home, "hiding", _airflow("api-server", "--port", port), hiding))
        _await(place)
        yield place


def _environment(place: Running) -> dict[str, str]:
    """Settle what Airflow's processes share, with nothing of any other Airflow."""
    home, port = Path(place.home), place.url.rpartition(":")[2]
    ports = [str(port) for port in _free_ports(2)]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # standalone starts `airflow` by its name
        "PYTHONPATH": str(ROOT),  # the DAGs and the auth manager are the tests'
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{place.url}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": ports[0],
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": ports[1],
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # else a task's end is noticed 5 s late
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def _airflow(*words: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *words]


@contextlib.contextmanager
def _started(home: Path, name: str, command: list[str], environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a process and all that it starts; its output goes to a file."""
    with (home / f"{name}.out").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        yield
    finally:
        # Each is a process group of its own, its id the group's. Standalone leaves its parts behind on SIGTERM.
        os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LONGEST_END)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(place: Running) -> None:
    """Wait until every part of Airflow is healthy and knows the DAGs."""

    def healthy() -> bool:
        with contextlib.suppress(requests.ConnectionError), _direct() as session:
            parts = session.get(f"{place.url}/api/v2/monitor/health").json()
            assert not (broken := place.query("SELECT stacktrace FROM import_error")), broken
            known = place.query("SELECT 1 FROM serialized_dag WHERE dag_id IN ('live', ?)", filling.CROWD)
            ready = all(part["status"] in ("healthy", None) for part in parts.values()) and len(known) == 2
            return ready and session.get(f"{place.hiding_url}/api/v2/monitor/health").ok
        return False

    try:
        wait(healthy, LONGEST_START)
    except AssertionError as error:
        said = [f"{out.name}:\n{out.read_text()[-3000:]}" for out in Path(place.home).glob("*.out")]
        raise AssertionError(f"Airflow didn't start: {error}\n" + "\n".join(said)) from None


def _direct() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, below those that the system gives to others."""
    with contextlib.ExitStack() as stack:
        found = [
            stack.enter_context(socket.create_server(("127.0.0.1", 20_000 + secrets.randbelow(12_000))))
            for _ in range(count)
        ]
        return [int(one.getsockname()[1]) for one in found]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with running() as found:
        Path(sys.argv[1]).write_text(json.dumps(asdict(found)))
        signal.pause()
