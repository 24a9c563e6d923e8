"""Rejects are sent again by a task with `RejectsSource`, or by a command."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.airflow_compat import BaseOperator
from airflow_provider_userdata.decorators.ptengine import ptengine_profiles_task
from airflow_provider_userdata.errors import ArgumentError, SourceError
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import replay
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource, read

People = Callable[[int], list[dict[str, str]]]
FAULTY = (1, 5, 6)


def wrong(people: list[dict[str, str]]) -> list[Any]:
    """Spoil some people's records."""
    return [{"right": one} if place in FAULTY else one for place, one in enumerate(people)]


def right(record: Any) -> Any:
    """Correct them."""
    return record["right"]


@pytest.fixture
def first(new_dag: Any, run_dag: Any, people: People) -> Any:
    """Run an upload with rejects; give its operator and its run."""
    with new_dag("_first") as dag:
        upload = PtengineProfilesOperator(task_id="upload", source=wrong(people(10)), max_rejected=3)
    return upload, run_dag(dag)


@pytest.mark.parametrize(
    "source",
    [
        lambda run, output: RejectsSource(run=(run.dag_id, "upload"), fix=right),
        lambda run, output: RejectsSource(run=(run.dag_id, "{{ 'up' }}load", "{{ params.run }}"), fix=right),
        lambda run, output: RejectsSource(f"{output}/{run.dag_id}/{{{{ params.run }}}}/upload", fix=right),
        lambda run, output: [RejectsSource(run=(run.dag_id, "upload"), fix=right), [{"user_id": "another"}]],
    ],
)
def test_a_task_sends_them(source: Any, first: Any, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path) -> None:
    """By run, by path with a template, or as one of several sources; the next run of it sends none."""
    _, run = first
    with new_dag(params={"run": run.run_id}) as dag:
        PtengineProfilesOperator(task_id="again", source=source(run, output))

    reports = [run_dag(dag).xcom("again") for _ in range(2)]

    more = isinstance(source(run, output), list)
    assert [one["delivered"] for one in reports] == [3 + more, more]
    assert sandbox.ptengine.counts.records == 10 + 2 * more


def test_a_decorated_function_may_read_them(
    first: Any, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path
) -> None:
    """By the run of a task, too: where it writes, the settings say."""
    _, run = first
    with new_dag() as dag:

        @ptengine_profiles_task
        def again() -> Any:
            yield from map(right, read(RejectsSource(run=(run.dag_id, "upload"))))

        again()

    assert run_dag(dag).xcom("again")["delivered"] == 3


def test_a_command_sends_them(first: Any, sandbox: Sandbox, output: Path) -> None:
    """With the task's own operator, and first only as a trial; each once."""
    upload, run = first
    source = RejectsSource(run=(run.dag_id, "upload", run.run_id), fix=right)

    tried = replay(upload, source, dry_run=True)
    sent = replay(upload, source)
    again = replay(upload, source)

    assert (tried.error, sent.error, again.error) == (None, None, None)
    assert (tried.report.read, tried.report.delivered) == (3, 0)
    assert (sent.report.delivered, again.report.read) == (3, 0)
    assert Path(str(sent.report.receipts)).is_relative_to(output / run.dag_id)
    assert sandbox.ptengine.counts.records == 10
    assert upload.source is not source


def test_what_cannot_be_sent_again_by_a_command_is_said(new_dag: Any, sandbox: Sandbox) -> None:
    """A task of another operator, a template that needs a run, a run that wrote nothing."""
    source = RejectsSource(run=("d", "nothing"))
    with new_dag() as dag:
        other = BaseOperator(task_id="other")
        templated = PtengineProfilesOperator(task_id="templated", source=[], output_path="/{{ ds }}")
        upload = PtengineProfilesOperator(task_id="upload", source=[])
    assert dag is not None
    with pytest.raises(ArgumentError, match="'other' is no upload"):
        replay(other, source)
    with pytest.raises(ArgumentError, match="output_path: its template"):
        replay(templated, source)
    with pytest.raises(SourceError, match="nothing"):
        replay(upload, source)


def test_two_tasks_at_once_send_each_once(first: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """One waits for the other, and both end well."""
    monkeypatch.setattr("airflow_provider_userdata.delivery.opening.CLAIM_SECONDS", 0.01)
    upload, run = first
    sandbox.ptengine.latency = 0.2
    source = RejectsSource(run=(run.dag_id, "upload", run.run_id), fix=right)
    ended: list[Any] = []
    threads = [threading.Thread(target=lambda: ended.append(replay(upload, source))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(one.report.delivered for one in ended) == [0, 3]
    assert sandbox.ptengine.counts.records == 10


@pytest.mark.airflow_3
def test_the_example_delivers_all(run_dag: Any, sandbox: Sandbox, output: Path) -> None:
    """What its first task rejects, its second one corrects and sends; another run of both does the same."""
    path = Path(__file__).parents[2] / "example_dags" / "send_rejects_again.py"
    spec = importlib.util.spec_from_file_location("send_rejects_again", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    run = run_dag(module.dag)

    delivered = [run.xcom(name)["delivered"] for name in ("upload", "send_again")]
    assert (run.state, delivered, sandbox.ptengine.counts.distinct) == ("success", [15, 5], 20)


def test_airflow_stores_no_function(first: Any, new_dag: Any) -> None:
    """The serialized DAG shows the source by its arguments, the same in each process."""
    with new_dag() as dag:
        again = PtengineProfilesOperator(task_id="again", source=RejectsSource(run=("d", "t"), fix=right))

    assert "0x" not in json.dumps(repr(again.source))
    assert "right" in repr(again.source)
    assert dag.task_ids == ["again"]
