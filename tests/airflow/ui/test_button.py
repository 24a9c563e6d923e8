"""The button *Upload* of a task instance."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox

PAGE = "plugin/userdata"


def links(ask: Callable[..., Any], run: Any, task_id: str, index: int = -1) -> dict[str, Any]:
    """Ask Airflow for a task instance's buttons."""
    path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/links?map_index={index}"
    found: dict[str, Any] = ask(path).json()["extra_links"]
    return found


@pytest.mark.parametrize("index", [-1, 1])
def test_it_opens_the_upload(new_dag: Any, run_dag: Any, sandbox: Sandbox, ask: Callable[..., Any], index: int) -> None:
    """Of an operator, and of a mapped one: the page, with this task instance in its address."""
    with new_dag() as dag:
        if index < 0:
            PtengineProfilesOperator(task_id="upload", source=[{"user_id": "a"}])
        else:
            PtengineProfilesOperator.partial(task_id="upload").expand(source=[[{"user_id": "a"}], [{"user_id": "b"}]])
    run = run_dag(dag)
    url = urlsplit(links(ask, run, "upload", index)["Upload"])
    assert (url.scheme, url.netloc, url.path) == ("", "", PAGE)
    asked = {"dag_id": [run.dag_id], "run_id": [run.run_id], "task_id": ["upload"], "map_index": [str(index)]}
    assert parse_qs(url.query) == asked


def test_it_works_while_the_task_runs(new_dag: Any, run_dag: Any, sandbox: Sandbox, airflow_home: Path) -> None:
    """Airflow writes links only when a task ends."""
    seen: list[Any] = []

    def source(ti: Any) -> Iterator[dict[str, str]]:
        yield from ({"user_id": str(number)} for number in range(100))
        with contextlib.closing(sqlite3.connect(airflow_home / "airflow.db")) as database:
            question = "SELECT value FROM xcom WHERE run_id = ? AND dag_id = ? AND key = '_link_UploadLink'"
            seen.extend(database.execute(question, (ti.run_id, ti.dag_id)).fetchall())

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=source)
    run_dag(dag)
    assert PAGE in str(seen)
