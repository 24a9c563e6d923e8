"""Records are neither templates nor anything that Airflow stores."""

# mypy: disable-error-code=untyped-decorator

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import task

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

MANY = 20_000
TEMPLATES = ["{{ 7 * 7 }}", "{% raw %}", "{{ undefined_name.x }}", "notes.sql", "{# gone #}"]


def odd() -> list[dict[str, str]]:
    """Make records that a template engine would change, refuse, or take for the names of files."""
    return [{"user_id": f"u{number}", "note": text} for number, text in enumerate(TEMPLATES)]


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Count what Airflow renders."""
    from airflow.sdk.definitions._internal.templater import Templater

    rendered: list[object] = []
    original: Any = Templater.render_template

    def render_template(self: Any, content: Any, *arguments: Any, **options: Any) -> Any:
        rendered.append(type(content))
        return original(self, content, *arguments, **options)

    monkeypatch.setattr(Templater, "render_template", render_template)
    return rendered


def test_templates_in_records_arrive_as_they_are(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """From a literal list, an XCom, mapped tasks, callables and decorated functions."""
    tasks: Any = task

    @task
    def extract() -> list[dict[str, str]]:
        return odd()

    @task
    def extract_part(number: int) -> list[dict[str, str]]:
        return [odd()[number]]

    @tasks.ptengine_profiles
    def decorated() -> Iterator[dict[str, str]]:
        yield from odd()

    with new_dag() as dag:
        PtengineProfilesOperator(task_id="literal", source=odd())
        PtengineProfilesOperator(task_id="xcom", source=extract())
        PtengineProfilesOperator(task_id="parts", source=extract_part.expand(number=list(range(5))))
        PtengineProfilesOperator.partial(task_id="mapped").expand(source=extract_part.expand(number=list(range(5))))
        PtengineProfilesOperator.partial(task_id="lists").expand(source=[odd()])
        PtengineProfilesOperator.partial(task_id="partial", source=odd()).expand(max_in_flight=[1])
        PtengineProfilesOperator(task_id="callable", source=odd)
        decorated()
    run = run_dag(dag)
    assert run.state == "success"
    assert sandbox.ptengine.counts.records == 8 * len(TEMPLATES)
    assert sorted({record["note"] for record in sandbox.ptengine.arrived()}) == sorted(TEMPLATES)


def test_nested_records_arrive_as_they_are(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """No depth of a record is a template."""
    record = {"user": {"userLabel": "{{ ds }}"}, "data": {"{{ ds }}": [{"deep": "{{ 7 * 7 }}"}]}}
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=[record])
    assert run_dag(dag).state == "success"
    assert sandbox.thymia.arrived() == [record]


@pytest.mark.airflow_3
def test_many_records_cost_no_rendering_and_are_stored_nowhere(
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    marker: str,
    renderings: list[object],
    stored: Callable[[str], set[str]],
) -> None:
    """Twenty thousand records pass the renderer as one object, and Airflow's database holds none of them.

    What this package can't keep out, and this test therefore leaves out or expects: the XComs that an author's own
    tasks push (and the line `Returned value was` in their logs, unless `show_return_value_in_logs=False`); the
    source text of a DAG file, which Airflow stores; literal arguments of `.partial()` and `.expand()`, which are a part
    of the serialized DAG; dictionaries and text that are given to a decorated function as its arguments.
    """
    mark = f"{marker}-many"
    tasks: Any = task

    def records() -> list[dict[str, str]]:
        return [{"user_id": f"{mark}-{number}", "note": "{{ 7 * 7 }}"} for number in range(MANY)]

    @task(show_return_value_in_logs=False)
    def extract() -> list[dict[str, str]]:
        return records()

    @task(show_return_value_in_logs=False)
    def extract_few(count: int) -> list[dict[str, str]]:
        return records()[:count]

    @tasks.ptengine_profiles(validate_only=True)
    def decorated() -> list[dict[str, str]]:
        return records()

    @tasks.ptengine_profiles(validate_only=True)
    def given(rows: list[dict[str, str]], more: list[dict[str, str]]) -> list[dict[str, str]]:
        return rows + more

    check_only = functools.partial(PtengineProfilesOperator, validate_only=True)
    with new_dag() as dag:
        check_only(task_id="literal", source=records())
        check_only(task_id="xcom", source=extract())
        check_only(task_id="callable", source=records)
        decorated()
        given(extract(), more=extract())
        given.override(task_id="each").partial(more=[]).expand(rows=extract_few.expand(count=[3]))
        PtengineProfilesOperator.partial(task_id="mapped").expand(source=extract_few.expand(count=[5, 5]))
        GerosenseSamplesOperator(task_id="rejected", data_type="steps", source=records()[:5])
    run = run_dag(dag)
    for task_id in ("literal", "xcom", "callable", "decorated"):
        assert run.xcom(task_id)["read"] == MANY
    assert (run.xcom("given")["read"], run.xcom("each", map_index=0)["read"]) == (2 * MANY, 3)
    assert sandbox.ptengine.counts.records == 10
    assert run.states("rejected") == ["failed"]
    assert len(renderings) < 200
    assert {place for place in stored(mark) if not place.startswith("xcom extract")} == set()


def test_held_samples_are_in_no_xcom(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, marker: str, stored: Callable[[str], set[str]]
) -> None:
    """The signpost `held` and the report have counts and paths, and the state store has nothing of a record."""
    mark = f"{marker}-held"
    sample = {"device_name": mark, "start_date": "2024-05-01T08:00:00Z", "unit": "count", "value": 1}
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=[sample, {"device_name": mark}])
    run = run_dag(dag)
    assert run.xcom("upload", "held")["count"] == 1
    assert stored(mark) == set()


@pytest.mark.airflow_3
def test_what_is_shown_of_a_source(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, stored: Callable[[str], set[str]]
) -> None:
    """Airflow shows how many records there are, or the callable's name, and the rendered path or query."""
    shown = {"records": "<5 records>", "callable": "<callable odd>", "path": "/nowhere/shown-upload.csv"}
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="records", source=odd())
        PtengineProfilesOperator(task_id="callable", source=odd)
        PtengineProfilesOperator(task_id="path", source="/nowhere/{{ 'shown' }}-upload.csv")
    run = run_dag(dag)
    for task_id, text in shown.items():
        assert text in run.rendered(task_id)["source"]
    assert "/nowhere/shown-upload.csv" in run.rendered("path")["source"]
