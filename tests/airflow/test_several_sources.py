"""What several upstream tasks returned, in one list: `source=[a(), b()]`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import task

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import SqlSource

Records = Callable[[int], list[dict[str, Any]]]


def test_what_several_upstream_tasks_returned(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path, stored: Any, marker: str
) -> None:
    """Lists, a single record, a path, mapped results, a query and a function in one list: each in its turn."""
    pytest.importorskip("airflow.providers.sqlite")
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE shop (user_id TEXT)")
        connection.execute("INSERT INTO shop VALUES ('sql')")
    connection.close()

    mark = f"{marker}-of-several"  # the database holds other tests' records, too

    @task(show_return_value_in_logs=False)
    def many(count: int) -> list[dict[str, Any]]:
        return [{"user_id": f"{mark}-{number}"} for number in range(count)]

    @task(show_return_value_in_logs=False)
    def one() -> dict[str, str]:
        return {"user_id": "one"}

    @task
    def path() -> str:
        (tmp_path / "a.jsonl").write_text('{"user_id": "file"}\n')
        return str(tmp_path / "a.jsonl")

    @task(show_return_value_in_logs=False)
    def mapped(name: str) -> list[dict[str, str]]:
        return [{"user_id": name}]

    def called(ds: str) -> list[dict[str, str]]:
        return [{"user_id": f"called {len(ds)}"}]

    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "shop.db")}))
        with new_dag() as dag:
            query = SqlSource("SELECT * FROM shop WHERE '{{ ds }}' LIKE '20%'", "shop")
            parts: Any = mapped.expand(name=["m0", "m1"])
            more = many.override(task_id="more")
            source = [many(1500), one(), path(), parts, query, called, more(3)]
            PtengineProfilesOperator(task_id="upload", source=source)
            PtengineProfilesOperator.partial(task_id="again", source=[one(), many(2)]).expand(max_in_flight=[1])
        run = run_dag(dag)
    assert run.state == "success"
    report = run.xcom("upload")
    assert (report["read"], report["delivered"]) == (1509, 1509)
    assert run.xcom("again", map_index=0)["delivered"] == 3
    assert {"one", "file", "m0", "m1", "sql", "called 10"} < {one["user_id"] for one in sandbox.ptengine.arrived()}
    assert run.rendered("upload")["source"] == "<7 sources>"
    assert not stored(mark) & {"rendered_task_instance_fields", "serialized_dag", "task_state_store"}


def test_one_of_several_upstream_tasks_that_returned_no_records(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records, capfd: pytest.CaptureFixture[str]
) -> None:
    """Stops the task before its first request, under any `max_rejected`; the log says which of them it was."""

    @task(show_return_value_in_logs=False)
    def good() -> list[dict[str, Any]]:
        return people(5)

    @task
    def nothing() -> None:
        return None

    @task
    def cells() -> list[list[Any]]:
        return [["alice", 1], ["bob", 2]]

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="of_nothing", source=[good(), nothing()], max_rejected=100)
        PtengineProfilesOperator(task_id="of_cells", source=[cells(), good()], max_rejected=100)
        PtengineProfilesOperator(task_id="of_one", source=cells(), max_rejected=100)
    run = run_dag(dag)
    assert [run.states(f"of_{name}") for name in ("nothing", "cells", "one")] == [["failed"]] * 3
    assert sandbox.ptengine.counts.requests == 0
    said = "".join(capfd.readouterr())
    assert "the second of 2: it is None" in said
    assert "the first of 2 has a value of type list at position 0" in said


def test_a_retry_goes_on_in_the_middle_of_several_sources(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records
) -> None:
    """Positions run on, and the digest of what was settled is taken over all of them."""

    @task(show_return_value_in_logs=False)
    def part(first: int, last: int) -> list[dict[str, Any]]:
        return moods(9)[first:last]

    sandbox.thymia.script("ok x5", "503")
    with new_dag(default_args={"retries": 2, "retry_delay": timedelta(0)}) as dag:
        ThymiaUploadOperator(
            task_id="upload",
            upload_type="mood",
            source=[part(0, 4), part.override(task_id="more")(4, 9)],
            max_in_flight=1,
            max_attempts=1,
        )
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [2])
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == 9
    assert run.xcom("upload")["delivered"] == 9
