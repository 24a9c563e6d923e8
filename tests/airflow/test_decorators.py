"""`@task.thymia_upload`, `@task.gerosense_samples` and `@task.ptengine_profiles` as an author writes them."""

# mypy: disable-error-code=untyped-decorator

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import task

from airflow_provider_userdata.sandbox import Sandbox

Records = Callable[[int], list[dict[str, Any]]]


@pytest.mark.airflow_3
def test_functions_that_return_or_yield(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records, samples: Records, people: Records
) -> None:
    """All three deliver what their function gives, return the report, and are found by Airflow under their names."""
    tasks: Any = task

    @tasks.thymia_upload(upload_type="mood")
    def moods_of_the_day(ds: str) -> list[dict[str, Any]]:
        assert len(ds) == 10
        return moods(2)

    @tasks.gerosense_samples(data_type="steps")
    def steps(ti: Any, count: int) -> Iterator[dict[str, Any]]:
        assert ti.task_id == "steps"
        yield from samples(count)

    @tasks.ptengine_profiles(max_rejected=1)
    def profiles() -> Iterator[dict[str, Any]]:
        yield from people(2)
        yield {"plan": "free"}

    @task
    def how_many() -> int:
        return 4

    with new_dag() as dag:
        moods_of_the_day()
        steps(count=how_many())
        profiles()
    run = run_dag(dag)
    assert run.state == "success"
    assert (sandbox.thymia.counts.records, sandbox.gerosense.counts.records) == (2, 4)
    assert sandbox.ptengine.arrived() == people(2)
    assert run.xcom("steps")["delivered"] == 4
    assert run.xcom("profiles")["rejected"] == 1
    assert run.xcom("moods_of_the_day")["requests"] == 2


def test_a_task_is_named_for_its_vendor(new_dag: Any) -> None:
    """Airflow names a task's class in its logs and in the DAG that it stores: by the vendor's module."""
    tasks: Any = task

    @tasks.thymia_upload(upload_type="mood")
    def moods_of_the_day() -> list[dict[str, Any]]:
        return []

    with new_dag() as dag:
        moods_of_the_day()

    (operator,) = dag.tasks
    assert type(operator).__module__ == "airflow_provider_userdata.decorators.thymia"


@pytest.mark.airflow_3
def test_arguments_are_templates_and_records_are_not(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """A function's arguments and the operator's own are rendered, what the function returns is not."""
    tasks: Any = task

    @tasks.thymia_upload(upload_type="{{ dag.dag_id[-4:] }}", user_label="who")
    def upload(text: str, conf: dict[str, str], days: list[str], numbers: tuple[int, ...]) -> list[dict[str, Any]]:
        assert (conf, days, numbers) == ({"day": "42"}, ["43"], (1, 2))
        return [{"who": "u", "given": text, "raw": "{{ 7 * 7 }}"}]

    with new_dag("_mood") as dag:
        upload("{{ 6 * 7 }}", {"day": "{{ 6 * 7 }}"}, days=["{{ 6 * 7 + 1 }}"], numbers=(1, 2))
    assert run_dag(dag).state == "success"
    assert sandbox.thymia.requests[0].path == "/v1/user-data/mood"
    assert sandbox.thymia.arrived() == [{"user": {"userLabel": "u"}, "data": {"given": "42", "raw": "{{ 7 * 7 }}"}}]


def test_a_decorated_function_is_mapped(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """`.expand()` over a list or an upstream task, with `.partial()` and `.override()`, runs it once for each."""
    tasks: Any = task

    @tasks.ptengine_profiles
    def upload(shop: str, day: str) -> list[dict[str, Any]]:
        return [{"user_id": f"{shop}{day}"}]

    @task
    def shops() -> list[str]:
        return ["c", "d"]

    with new_dag() as dag:
        upload.partial(day="1").expand(shop=["a", "b"])
        upload.override(task_id="again", max_in_flight=1).partial(day="2").expand(shop=shops())
    run = run_dag(dag)
    assert run.states("upload") == run.states("again") == ["success", "success"]
    assert sorted(record["user_id"] for record in sandbox.ptengine.arrived()) == ["a1", "b1", "c2", "d2"]


def test_a_bare_decorator_takes_no_arguments(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """A decorator without parentheses works where the operator needs no argument, and the function stays callable."""
    tasks: Any = task

    @tasks.ptengine_profiles
    def upload() -> list[dict[str, Any]]:
        return [{"user_id": "a"}]

    with new_dag() as dag:
        upload()
    assert upload.function() == [{"user_id": "a"}]
    assert run_dag(dag).state == "success"
    assert sandbox.ptengine.counts.records == 1
