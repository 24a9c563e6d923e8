"""What a task can be given as its source: XComs, mapped XComs, paths, queries, callables."""

from __future__ import annotations

import functools
import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath, task

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import FileSource, SqlSource

Records = Callable[[int], list[dict[str, Any]]]


def users(sandbox: Sandbox) -> list[str]:
    """Name the users that arrived, without the mark of the tests' records."""
    return sorted(record["user_id"].rpartition("-")[2] for record in sandbox.ptengine.arrived())


def test_what_an_upstream_task_returned(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records) -> None:
    """A list, part of a dictionary, and paths come through XCom."""

    @task(show_return_value_in_logs=False)
    def extract() -> list[dict[str, Any]]:
        return people(3)

    @task(multiple_outputs=True)
    def extract_two() -> dict[str, Any]:
        return {"users": [{"user_id": "a"}], "others": 1}

    both: Any = extract_two

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="whole", source=extract())
        PtengineProfilesOperator(task_id="part", source=both()["users"])
    assert run_dag(dag).state == "success"
    assert users(sandbox) == ["0", "1", "2", "a"]


@pytest.mark.airflow_3
def test_what_mapped_tasks_returned_is_fetched_at_once(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists of all map indexes are joined, with one call to Airflow instead of one for each."""
    from airflow.sdk.execution_time.lazy_sequence import LazyXComSequence

    walked: list[object] = []
    monkeypatch.setattr(LazyXComSequence, "__iter__", walked.append)  # to walk it ends the test, too

    @task(show_return_value_in_logs=False)
    def extract(part: int) -> list[dict[str, Any]]:
        return people(6)[part * 2 : part * 2 + 2]

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=extract.expand(part=[0, 1, 2]))
    run = run_dag(dag)
    assert (run.state, run.xcom("upload")["read"]) == ("success", 6)
    assert users(sandbox) == ["0", "1", "2", "3", "4", "5"]
    assert not walked


def test_an_upload_for_each_of_what_was_returned(new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """`.partial().expand(source=…)` over an upstream task's paths, and over what each of its mapped tasks returned."""

    @task
    def extract() -> list[str]:
        for name in ("a", "b"):
            (tmp_path / f"{name}.jsonl").write_text(f'{{"user_id": "{name}"}}\n')
        return [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]

    @task
    def extract_part(name: str) -> list[dict[str, str]]:
        return [{"user_id": name}]

    with new_dag() as dag:
        PtengineProfilesOperator.partial(task_id="files").expand(source=extract())
        PtengineProfilesOperator.partial(task_id="parts").expand(source=extract_part.expand(name=["c", "d"]))
        PtengineProfilesOperator.partial(task_id="both").expand_kwargs(
            [{"source": [{"user_id": "e"}]}, {"source": [{"user_id": "f"}], "max_in_flight": 1}]
        )
    run = run_dag(dag)
    assert run.states("files") == run.states("parts") == run.states("both") == ["success", "success"]
    assert users(sandbox) == ["a", "b", "c", "d", "e", "f"]


def test_paths_are_templates(new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """JSON Lines, CSV, packed ones, a glob and a path in an object store, each with a template in its name."""
    (tmp_path / "run.jsonl").write_text('{"user_id": "0"}\n\n{"user_id": "1"}\n')
    (tmp_path / "run.csv").write_text("user_id,plan\n2,free\n")
    (tmp_path / "run.csv.gz").write_bytes(gzip.compress(b"user_id\n3\n"))
    (tmp_path / "part-run-1.jsonl").write_text('{"user_id": "4"}\n')
    (tmp_path / "part-run-2.jsonl.gz").write_bytes(gzip.compress(b'{"user_id": "5"}\n'))
    (tmp_path / "run.json").write_text(json.dumps([{"user_id": "6"}]))
    name = "{{ dag.dag_id[-3:] }}"
    with new_dag("_run") as dag:
        PtengineProfilesOperator(task_id="lines", source=f"{tmp_path}/{name}.jsonl")
        PtengineProfilesOperator(task_id="list", source=[f"{tmp_path}/{name}.csv", f"{tmp_path}/{name}.csv.gz"])
        PtengineProfilesOperator(task_id="glob", source=f"{tmp_path}/part-{name}-*.jsonl*")
        PtengineProfilesOperator(task_id="stored", source=ObjectStoragePath(f"file://{tmp_path}/{name}.json"))
    assert run_dag(dag).state == "success"
    assert users(sandbox) == ["0", "1", "2", "3", "4", "5", "6"]


def test_files_that_their_names_do_not_describe(new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """Their path is a template, alone, in a list, in an object store, and where an upload is mapped."""
    (tmp_path / "run.txt").write_text("名;user_id\n日本;0\n", encoding="cp932")
    for number in range(1, 6):
        (tmp_path / f"run-{number}.json").write_text(json.dumps({"data": [{"user_id": str(number)}]}))
    name = "{{ dag.dag_id[-3:] }}"

    def envelope(number: int) -> FileSource:
        return FileSource(f"{tmp_path}/{name}-{number}.json", records="data")

    excel = FileSource(tmp_path / f"{name}.txt", format="csv", encoding="cp932", delimiter=";")
    stored = FileSource(ObjectStoragePath(f"file://{tmp_path}/{name}-5.json"), records="data")
    with new_dag("_run") as dag:
        PtengineProfilesOperator(task_id="alone", source=excel, fields={"user_id": "user_id"})
        PtengineProfilesOperator(task_id="list", source=[envelope(1), stored])
        PtengineProfilesOperator.partial(task_id="partial", source=envelope(2)).expand(max_in_flight=[1])
        PtengineProfilesOperator.partial(task_id="expand").expand(source=[envelope(3), envelope(4)])
    run = run_dag(dag)
    assert run.state == "success"
    assert users(sandbox) == ["0", "1", "2", "3", "4", "5"]
    shown = f"FileSource('{tmp_path}/run.txt', format='csv', encoding='cp932', delimiter=';')"
    assert run.rendered("alone")["source"] == shown


def test_a_query_on_a_connection(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQL and parameters are templates; the columns are what `fields` takes."""
    pytest.importorskip("airflow.providers.sqlite")
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE shop (id INTEGER, plan TEXT, secret TEXT)")
        connection.executemany("INSERT INTO shop VALUES (?, 'free', 'x')", [(number,) for number in range(2500)])
    connection.close()
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    query = SqlSource("SELECT * FROM {{ dag.dag_id[-4:] }} WHERE id < ? ORDER BY id", "shop", ["{{ 1500 + 1 }}"])
    with new_dag("_shop") as dag:
        PtengineProfilesOperator(task_id="upload", source=query, fields={"user_id": "id", "plan": "plan"})
    run = run_dag(dag)
    assert run.xcom("upload")["delivered"] == 1501
    assert sandbox.ptengine.arrived()[0] == {"user_id": "0", "plan": "free"}


def test_callables_get_what_they_name(new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records) -> None:
    """A function, a partial, a generator and an object with `__call__` get context by name, or all of it."""
    got: dict[str, Any] = {}

    def function(ds: str, ti: Any, unknown: int = 5) -> list[dict[str, Any]]:
        got["function"] = (ds, ti.task_id, unknown)
        return samples(3)

    def generator(run_id: str, **context: Any) -> Iterator[dict[str, Any]]:
        got["generator"] = (run_id, context["ti"].run_id)
        yield from samples(3)

    def bound(kind: str, *, params: Any) -> list[dict[str, Any]]:
        got["partial"] = (kind, dict(params))
        return samples(3)

    with new_dag(params={"size": 3}) as dag:
        for name, source in (
            ("function", function),
            ("generator", generator),
            ("partial", functools.partial(bound, "k")),
            ("lambda", lambda: samples(3)),
        ):
            GerosenseSamplesOperator(task_id=name, data_type="steps", source=source)
    run = run_dag(dag)
    assert run.state == "success"
    assert got["function"][1:] == ("function", 5)
    assert len(got["function"][0]) == len("2024-05-01")
    assert got["generator"] == (run.run_id, run.run_id)
    assert got["partial"] == ("k", {"size": 3})
    assert sandbox.gerosense.counts.records == 12


def test_an_upstream_task_that_returned_nothing(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """An empty list is no records and green; nothing at all is a mistake and red, without a retry."""

    @task
    def empty() -> list[Any]:
        return []

    @task
    def nothing() -> None:
        return None

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="of_empty", source=empty())
        PtengineProfilesOperator(task_id="of_nothing", source=nothing(), retries=2)
    run = run_dag(dag)
    assert (run.states("of_empty"), run.xcom("of_empty")["read"]) == (["success"], 0)
    assert (run.states("of_nothing"), run.tries("of_nothing")) == (["failed"], [1])
    assert sandbox.ptengine.counts.requests == 0


def test_xcoms_that_are_changed_on_their_way(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """`.map()` and `.concat()` of Airflow's, on a plain task and a mapped one."""

    @task
    def ids() -> list[str]:
        return ["a", "b"]

    @task
    def part(name: str) -> list[dict[str, str]]:
        return [{"user_id": name}]

    def as_user(name: str) -> dict[str, str]:
        return {"user_id": f"{name}-m"}

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="map", source=ids().map(as_user))
        parts = part.override(task_id="one").expand(name=["c"])
        PtengineProfilesOperator(task_id="concat", source=parts.concat(part.override(task_id="two").expand(name=["d"])))
    assert run_dag(dag).state == "success"
    assert sorted(record["user_id"] for record in sandbox.ptengine.arrived()) == ["a-m", "b-m", "c", "d"]


def test_a_template_that_gives_records(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """With `render_template_as_native_obj` a template may be an XCom's records; without it, it is refused as text."""

    @task
    def extract() -> list[dict[str, str]]:
        return [{"user_id": "{{ 7 * 7 }}"}]

    for native in (True, False):
        with new_dag(f"_{native}", render_template_as_native_obj=native) as dag:
            source = "{{ ti.xcom_pull(task_ids='extract') }}"
            extract() >> PtengineProfilesOperator(task_id="upload", source=source)
        assert run_dag(dag).states("upload") == ["success" if native else "failed"]
    assert sandbox.ptengine.arrived() == [{"user_id": "{{ 7 * 7 }}"}]


def test_default_args_reach_the_operators(new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """A DAG says once what all its uploads share."""
    defaults = {"max_rejected": 1, "output_path": f"{tmp_path}/shared"}
    with new_dag(default_args=defaults) as dag:
        PtengineProfilesOperator(task_id="upload", source=[{"user_id": "a"}, {}])
    run = run_dag(dag)
    assert run.state == "success"
    assert run.xcom("upload")["receipts"].startswith(f"{tmp_path}/shared/")
