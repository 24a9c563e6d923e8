"""An Airflow of the tests' own, a sandbox to deliver to, and a watch over what is printed and logged."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import logging
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.pytest_plugin import userdata_sandbox, userdata_sandbox_server
from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox

__all__ = ["userdata_sandbox", "userdata_sandbox_server"]

# Before anything imports Airflow, which reads its settings once. What the shell says of another Airflow, of a proxy or
# of certificates, must not reach this one.
_OTHERS = re.compile(r"AIRFLOW.*|.*_proxy|(requests|curl)_ca_bundle|netrc", re.IGNORECASE)
for _name in filter(_OTHERS.fullmatch, list(os.environ)):
    del os.environ[_name]
HOME = Path(tempfile.mkdtemp(prefix="userdata-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
(HOME / "dags").mkdir()
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(HOME / "dags"),
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
)
DATABASE = HOME / "airflow.db"
AIRFLOW_3 = not version("apache-airflow").startswith("2.")

MARKER = "zaphod-7f3a"
"""Stands in the records of these tests, and must not stand in what is printed, logged or stored."""


@pytest.fixture(autouse=True)
def masked() -> Iterator[None]:
    """Forget a test's secrets: Airflow 2 masks one of a single blank in all that later tests see."""
    if AIRFLOW_3:
        yield
        return
    from airflow.utils.log.secrets_masker import _secrets_masker  # type: ignore[import-not-found]  # of Airflow 2

    masker: Any = _secrets_masker()
    before = (set(masker.patterns), masker.replacer)
    yield
    masker.patterns, masker.replacer = before


@pytest.fixture(scope="session")
def marker() -> str:
    """Give the text that marks a record's content."""
    return MARKER


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out, on Airflow 2, what only Airflow 3 has, or does in this way."""
    if not AIRFLOW_3 and item.get_closest_marker("airflow_3"):
        pytest.skip("Airflow 3 only")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test whose output holds a record's content or a key (A6)."""
    report = yield
    shown = [line for name, text in report.sections if name.startswith("Captured") for line in text.splitlines()]
    for secret in (MARKER, *SANDBOX_KEYS.values()):
        # In `dag.test()`, Airflow 3.0 logs by itself what its supervisor is asked to mask.
        line = next((line for line in shown if secret in line and "msg=MaskSecret(" not in line), None)
        if report.passed and line is not None:
            report.outcome = "failed"
            report.longrepr = f"{call.when}: {secret!r} was printed or logged: {line}"
    return report


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make Airflow's database; where processes share the tests, one makes it for all."""
    shared = tmp_path_factory.getbasetemp()
    empty = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "empty.db"
    with empty.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not empty.exists():
            made = subprocess.run(
                [sys.executable, "-m", "airflow", "db", "migrate"], capture_output=True, text=True, check=False
            )
            assert made.returncode == 0, made.stderr
            shutil.copy(DATABASE, empty)
        fcntl.flock(lock, fcntl.LOCK_UN)
    for place in (DATABASE, HOME / "empty.db"):
        shutil.copy(empty, place)
    return HOME


@pytest.fixture
def sandbox(userdata_sandbox: Sandbox) -> Sandbox:
    """Give the three vendors, reset; Airflow's default connections lead there."""
    return userdata_sandbox


@pytest.fixture
def strike() -> Iterator[Callable[[int, Callable[[], bool]], None]]:
    """Send this process a signal as soon as something is so: ``strike(signal.SIGALRM, lambda: …)``."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def begin(number: int, is_so: Callable[[], bool]) -> None:
        def wait() -> None:
            while not is_so():
                if over.wait(0.005):
                    return
            os.kill(os.getpid(), number)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()

    yield begin
    over.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of receipts and rejects, by Airflow's setting."""
    folder = tmp_path / "userdata"
    monkeypatch.setenv("AIRFLOW__USERDATA__OUTPUT_PATH", str(folder))
    return folder


@dataclass(frozen=True)
class Run:
    """A DAG's run, as Airflow's database has it."""

    dag_id: str
    run_id: str
    state: str

    def states(self, task_id: str) -> list[str]:
        """Give the states of a task's instances, by map index."""
        return [row[0] for row in self._rows("SELECT state FROM task_instance", task_id)]

    def tries(self, task_id: str) -> list[int]:
        """Give the number of the last attempt of a task's instances, by map index."""
        return [row[0] for row in self._rows("SELECT try_number FROM task_instance", task_id)]

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Give a task's XCom, or None."""
        rows = self._rows("SELECT value, map_index FROM xcom", task_id, "AND key = ?", key)
        found = [value for value, index in rows if index == map_index]
        value = json.loads(found[0]) if found else None
        return json.loads(value) if isinstance(value, str) and value[:1] in "{[" else value

    def rendered(self, task_id: str) -> dict[str, Any]:
        """Give what Airflow stores and shows of a task's template fields."""
        ((fields,),) = self._rows("SELECT rendered_fields FROM rendered_task_instance_fields", task_id)
        return dict(json.loads(fields))

    def lines(self, output: Path, task_id: str, kind: str, map_index: int | None = None) -> list[dict[str, Any]]:
        """Give the lines of a task's receipts or rejects."""
        folder = output / self.dag_id / self.run_id / task_id
        folder = folder if map_index is None else folder / str(map_index)
        files = sorted(folder.glob(f"{kind}-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def _rows(self, select: str, task_id: str, more: str = "", *values: object) -> list[Any]:
        with contextlib.closing(sqlite3.connect(DATABASE)) as database:
            where = "WHERE dag_id = ? AND run_id = ? AND task_id = ?"
            query = f"{select} {where} {more} ORDER BY map_index"
            return database.execute(query, (self.dag_id, self.run_id, task_id, *values)).fetchall()


@pytest.fixture
def new_dag(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Make a DAG that is named for the test, to be filled in a ``with`` block."""
    from airflow_provider_userdata.airflow_compat import find

    kind = find("DAG", ("airflow.sdk", "airflow.models.dag"))
    if not hasattr(kind, "test"):
        kind = find("DAG", ("airflow.models.dag",))  # the SDK's can't in 3.0.0

    def make(name: str = "", **options: Any) -> Any:
        own = re.sub(r"\W+", "_", request.node.name).strip("_")
        return kind(f"{own[:180]}{name}", schedule=None, **options)

    return make


def _register(dag: Any) -> None:
    """Make a DAG known to Airflow's database, which 3.1 asks before it runs one."""
    from airflow_provider_userdata.airflow_compat import find

    places = ("airflow.dag_processing.dagbag", "airflow.models.dagbag")
    try:
        sync_bag_to_db = find("sync_bag_to_db", places)
    except ImportError:
        return  # 3.0 doesn't ask
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    DagBundlesManager().sync_bundles_to_db()  # type: ignore[no-untyped-call]
    bag = find("DagBag", places)(dag_folder="/nonexistent")
    bag.bag_dag(dag)
    sync_bag_to_db(bag, "dags-folder", None)


@pytest.fixture
def run_dag(airflow_home: Path, sandbox: Sandbox, output: Path) -> Callable[..., Run]:
    """Run a DAG in this process: ``run_dag(dag)``; its tasks may fail."""

    def run(dag: Any, **options: Any) -> Run:
        if AIRFLOW_3:
            _register(dag)
        with _own_handlers():
            dag_run = dag.test(**options)
        return Run(dag.dag_id, dag_run.run_id, str(dag_run.state))

    return run


@contextlib.contextmanager
def _own_handlers() -> Iterator[None]:
    """Remove the log handler that `dag.test()` leaves in Airflow 2: it writes to what was this test's output."""
    logger = logging.getLogger("airflow.task")
    before = list(logger.handlers)
    try:
        yield
    finally:
        logger.handlers[:] = before


@dataclass(frozen=True)
class TaskInstance:
    """A task's instance without an Airflow around it; keeps what is pushed."""

    dag_id: str = "d"
    task_id: str = "t"
    run_id: str = "r"
    map_index: int = -1
    try_number: int = 1
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_pull(self, **_: object) -> None:
        """Give what no earlier run has left."""

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep a value."""
        self.pushed[key] = value


@pytest.fixture
def context(output: Path) -> dict[str, Any]:
    """Give a context to call `execute` with, where no Airflow is needed around it."""
    return {"ti": TaskInstance(), "ds": "2024-05-01"}


@pytest.fixture(scope="session")
def stored() -> Callable[..., set[str]]:
    """Name the tables of Airflow's database that hold a text, XComs by task and key: ``stored("alice")``."""

    def search(text: str, path: Path = DATABASE) -> set[str]:
        found = set()
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in names:
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    if any(text in _readable(value) for value in row):
                        found.add(f"xcom {row['task_id']} {row['key']}" if table == "xcom" else table)
        return found

    return search


def _readable(value: object) -> str:
    """Show a column as text, also one that Airflow compressed."""
    if isinstance(value, bytes):
        with contextlib.suppress(zlib.error):
            value = zlib.decompress(value)
        return value.decode("utf-8", "replace")
    return str(value)


@pytest.fixture
def people(marker: str) -> Callable[[int], list[dict[str, str]]]:
    """Make Ptengine's records, as many as asked for."""
    return lambda count: [{"user_id": f"{marker}-{number}", "plan": "free"} for number in range(count)]


@pytest.fixture
def samples(marker: str) -> Callable[[int], list[dict[str, Any]]]:
    """Make GeroSense's samples, as many as asked for; their values count from 1."""

    def make(count: int, first: int = 1) -> list[dict[str, Any]]:
        return [
            {"device_name": marker, "start_date": "2024-05-01T08:00:00Z", "unit": "count", "value": number}
            for number in range(first, first + count)
        ]

    return make


@pytest.fixture
def moods(marker: str) -> Callable[[int], list[dict[str, Any]]]:
    """Make Thymia's records, as many as asked for."""
    return lambda count: [
        {"user": {"userLabel": f"u{number}"}, "data": {"score": number, "note": marker}} for number in range(count)
    ]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """See to it that a delivery's thread ends with it."""
    yield
    for thread in threading.enumerate():
        if thread.name == "userdata-delivery":
            thread.join(2)
            assert not thread.is_alive()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command of ours, and give what it prints: ``call("runs", "-o", "json")``."""
    from airflow_provider_userdata.__main__ import main

    def run(*arguments: str) -> str:
        capsys.readouterr()
        main(arguments)
        return capsys.readouterr().out

    return run
