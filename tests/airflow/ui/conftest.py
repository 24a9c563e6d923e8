"""Airflow's real API server in this process, on a database that holds what a test puts there, and people to ask it."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.ui import support
from airflow_provider_userdata.upload_status import KEY, UploadStatus

HIDDEN = "hidden_"
"""What the names of DAGs begin with that the viewer may not see."""
DAG = {
    "bundle_name": "dags-folder",
    "fileloc": "x.py",
    "max_active_tasks": 16,
    "max_consecutive_failed_dag_runs": 0,
    "has_task_concurrency_limits": False,
}
"""The columns of a DAG that must be there."""
ROLES = {"anna": "ADMIN", "uma": "USER", "viktor": "VIEWER"}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out, before Airflow 3.1.1, what needs its pages."""
    if not support.has_pages():
        pytest.skip("this Airflow has no pages of plugins")


def shown(**fields: Any) -> dict[str, Any]:
    """Give what a task shows of its upload."""
    now = datetime.now(UTC)
    known: dict[str, Any] = {
        "vendor": "gerosense",
        "kind": "steps",
        "conn_id": "gerosense_default",
        "state": "done",
        "started": now - timedelta(minutes=1),
        "updated": now,
        "read": 10,
        "delivered": 8,
        "rejected": 2,
        "invalid": 2,
        "reasons": {"G8": 2},
        "faults": {"G8 $.unit is missing": 2},
        "rate": [(0.0, 0), (5.0, 8)],
    }
    return UploadStatus(**(known | fields)).as_dict()


@dataclass
class Metadata:
    """Airflow's database, by its own tables. A DAG and a run are made when they are first named."""

    session: Any
    runs: dict[tuple[str, str], int] = field(default_factory=dict)

    def put(
        self,
        dag_id: str = "moods",
        run_id: str = "r",
        task_id: str = "upload",
        map_index: int = -1,
        *,
        value: object = None,
        key: str | None = KEY,
        ago: timedelta = timedelta(0),
        now: datetime | None = None,
        **columns: Any,
    ) -> None:
        """Add a task instance, and what it shows.

        :param value: the XCom's value; None for an upload.
        :param key: the XCom's key; None for no XCom.
        :param ago: since when.
        :param now: when that is; None for this moment.
        :param columns: of the task instance.
        """
        when = (now or datetime.now(UTC)) - ago
        run = self.run(dag_id, run_id)
        own = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": map_index}
        self.add("taskinstance.TaskInstance", [{**self.instance(when), **own, **columns}])
        if key is not None:
            value = shown() if value is None else value
            self.add("xcom.XComModel", [{"key": key, "value": value, "timestamp": when, "dag_run_id": run, **own}])
        self.session.commit()

    def instance(self, when: datetime) -> dict[str, Any]:
        """Give the columns of a task instance that must be there."""
        return {
            "state": "success",
            "start_date": when,
            "end_date": when,
            "try_number": 1,
            "max_tries": 0,
            "operator": "GerosenseSamplesOperator",
            "pool": "default_pool",
            "pool_slots": 1,
        }

    def run(self, dag_id: str, run_id: str) -> int:
        """Give the number of a run; make it, and its DAG, if they aren't there."""
        if (dag_id, run_id) not in self.runs:
            if dag_id not in {dag for dag, _ in self.runs}:
                self.add("dag.DagModel", [{"dag_id": dag_id, **DAG}])
            number = len(self.runs) + 1_000_000
            now = datetime.now(UTC)
            run = {"id": number, "dag_id": dag_id, "run_id": run_id, "run_type": "manual", "run_after": now}
            self.add("dagrun.DagRun", [{**run, "state": "success", "queued_at": now}])
            self.runs[dag_id, run_id] = number
        return self.runs[dag_id, run_id]

    def add(self, model: str, rows: list[dict[str, Any]]) -> None:
        """Add rows to a model's table."""
        from sqlalchemy import insert

        self.session.execute(insert(_model(model)), rows)

    def clear(self) -> None:
        """Remove all uploads, and what this has made."""
        from sqlalchemy import delete

        xcom = _model("xcom.XComModel")
        self.session.execute(delete(xcom).where(xcom.key == KEY))
        for model in ("xcom.XComModel", "taskinstance.TaskInstance", "dagrun.DagRun", "dag.DagModel"):
            table = _model(model)
            self.session.execute(delete(table).where(table.dag_id.in_({dag for dag, _ in self.runs})))
        self.session.commit()


def _model(path: str) -> Any:
    from airflow_provider_userdata.airflow_compat import find

    module, _, name = path.partition(".")
    return find(name, (f"airflow.models.{module}",))


@pytest.fixture
def metadata(airflow_home: Path) -> Iterator[Metadata]:
    """Give Airflow's database without any upload."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.utils.session import create_session

    DagBundlesManager().sync_bundles_to_db()  # type: ignore[no-untyped-call]
    with create_session(scoped=False) as session:
        found = Metadata(session)
        found.clear()
        yield found
        found.clear()


@pytest.fixture(scope="session")
def application(airflow_home: Path) -> Iterator[Any]:
    """Start Airflow's API server, with an auth manager that hides DAGs."""
    from airflow.api_fastapi import app as server
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    class Hiding(SimpleAuthManager):
        def is_authorized_dag(self, *, user: Any, details: Any = None, **others: Any) -> bool:
            hidden = details is not None and (details.id or "").startswith(HIDDEN) and user.role == "VIEWER"
            return not hidden and super().is_authorized_dag(user=user, details=details, **others)

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sys.modules, "hiding", types.SimpleNamespace(Hiding=Hiding))
        patched.setenv("AIRFLOW__CORE__AUTH_MANAGER", "hiding.Hiding")
        patched.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "secret-of-the-tests " * 5)
        server.purge_cached_app()
        yield server.create_app(apps="core")
        server.purge_cached_app()


Ask = Callable[..., Any]


@pytest.fixture
def ask(application: Any, metadata: Metadata) -> Ask:
    """Ask as somebody, or as nobody: ``ask("/userdata/api/uploads", "viktor")``."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    client = TestClient(application, raise_server_exceptions=False)

    def get(path: str, name: str | None = "anna", method: str = "GET", **options: Any) -> Any:
        headers = {}
        if name is not None:
            user = SimpleAuthManagerUser(username=name, role=ROLES[name])
            headers = {"Authorization": f"Bearer {get_auth_manager().generate_jwt(user)}"}
        return client.request(method, path, headers=headers, **options)

    return get


@pytest.fixture(name="shown")
def give_shown() -> Callable[..., dict[str, Any]]:
    """Give what a task shows of its upload: ``shown(delivered=3)``."""
    return shown
