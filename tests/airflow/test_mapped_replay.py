"""Rejects of a mapped task are sent again by a command: those of all its instances, or of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.decorators.ptengine import ptengine_profiles_task
from airflow_provider_userdata.errors import ArgumentError, SourceError
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.mapped import unmapped
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import replay, send_held
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import Corrections, RejectsSource


def people(count: int, name: str) -> list[dict[str, str]]:
    """Make people of whom the first has no id."""
    return [{"user_id": f"{name}{number}" if number else " ", "plan": name} for number in range(count)]


def named(person: dict[str, str]) -> dict[str, str]:
    """Give a person an id."""
    return {**person, "user_id": f"{person['plan']}0"}


def ids(sandbox: Sandbox) -> int:
    """Count the people who arrived."""
    return sandbox.ptengine.counts.distinct


def test_all_instances_or_one(new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path) -> None:
    """One by its index, then the others, then nobody; templates of the DAG are rendered."""
    with new_dag(user_defined_macros={"part": lambda: "a"}) as dag:
        task = PtengineProfilesOperator.partial(
            task_id="upload", max_rejected=1, output_path=f"{output}/{{{{ part() }}}}"
        ).expand(source=[people(3, "a"), people(4, "b"), people(5, "c")])
    run = run_dag(dag)
    assert ids(sandbox) == 9

    def again(index: int | None) -> int:
        source = RejectsSource(run=(dag.dag_id, "upload", run.run_id), map_index=index, fix=named)
        done = replay(task, source)
        assert done.error is None
        return done.report.delivered

    assert [again(1), again(1), again(None), again(None)] == [1, 0, 2, 0]
    assert ids(sandbox) == 12


def test_instances_that_differ_are_sent_one_by_one(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any, output: Path
) -> None:
    """Each with its own arguments; without an index, the command says in what they differ."""
    with new_dag() as dag:
        task = GerosenseSamplesOperator.partial(task_id="upload", max_rejected=3).expand_kwargs(
            [{"data_type": kind, "source": [{**one, "unit": "?"} for one in samples(3)]} for kind in ("steps", "bpm")]
        )
    run = run_dag(dag)
    place = (dag.dag_id, "upload", run.run_id)
    with pytest.raises(ArgumentError, match="differ in data_type: choose one by its map index"):
        replay(task, RejectsSource(run=place))
    with pytest.raises(ArgumentError, match="differ in data_type"):
        send_held(task)
    with pytest.raises(ArgumentError, match="no instance 2 any more: it has 2 now"):
        replay(task, RejectsSource(run=place, map_index=2))

    source = RejectsSource(run=place, map_index=1, fix=lambda one: {**one, "unit": "count/min"})
    assert replay(task, source).report.delivered == 3
    assert [json.loads(one.body)["data_type"] for one in sandbox.gerosense.requests] == ["bpm"]


@pytest.mark.parametrize(("index", "plan"), [(0, "a1"), (1, "a2"), (2, "b1"), (5, "c2")])
def test_combinations_of_arguments(index: int, plan: str, new_dag: Any) -> None:
    """The last argument varies first, as in Airflow."""
    with new_dag():
        task = PtengineProfilesOperator.partial(task_id="upload", source=[]).expand(
            output_path=["a", "b", "c"], ledger_stream=["1", "2"]
        )
    operator = unmapped(task, index)
    assert f"{operator.output_path}{operator.ledger_stream}" == plan


def test_what_only_a_run_knows(new_dag: Any) -> None:
    """Arguments that another task makes can't be known here: the way out is named."""
    with new_dag():
        made = PtengineProfilesOperator(task_id="made", source=[]).output
        one = PtengineProfilesOperator.partial(task_id="one").expand(output_path=["a"], source=made)
        two = PtengineProfilesOperator.partial(task_id="two").expand_kwargs(made)
        three = PtengineProfilesOperator.partial(task_id="three").expand_kwargs([{"output_path": made, "source": []}])
        four = PtengineProfilesOperator.partial(task_id="four").expand(source=made)
    for task in (one, two, three):
        with pytest.raises(ArgumentError, match=r"only a run knows\. .*RejectsSource"):
            unmapped(task, 0)
    assert unmapped(four, None).task_id == "four"


def test_a_decorated_function(new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path) -> None:
    """Its parameters make its source, which isn't needed."""
    with new_dag() as dag:

        @ptengine_profiles_task(max_rejected=1)
        def upload(name: str, count: int) -> Any:
            return people(count, name)

        upload.partial(count=3).expand(name=["a", "b"])
    run_dag(dag)
    done = replay(dag.get_task("upload"), RejectsSource(run=(dag.dag_id, "upload"), fix=named))
    assert (done.report.delivered, ids(sandbox)) == (2, 6)


def test_a_table_corrects_one_instance(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Positions begin anew in each: the table of one must not correct another's records."""
    with new_dag() as dag:
        task = PtengineProfilesOperator.partial(task_id="upload", max_rejected=1).expand(
            source=[people(3, "a"), people(4, "b")]
        )
    run = run_dag(dag)
    table = tmp_path / "fix.csv"
    main(["rejects", "export", dag.dag_id, "upload", "--run-id", run.run_id, "--map-index", "1", "--csv", str(table)])
    table.write_text(table.read_text(encoding="utf-8-sig").replace("\n ,", "\nb0,"))
    place = (dag.dag_id, "upload", run.run_id)
    with pytest.raises(SourceError, match="choose an instance with map_index"):
        replay(task, RejectsSource(run=place, fix=Corrections(table)))
    sent = replay(task, RejectsSource(run=place, fix=Corrections(table), map_index=1))
    assert (sent.report.delivered, ids(sandbox)) == (1, 6)


DAG = """
from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator

with find("DAG", ("airflow.sdk", "airflow.models.dag"))("mapped", schedule=None):
    PtengineProfilesOperator.partial(task_id="upload", max_rejected=1).expand(source=[[], []])
"""


@pytest.mark.parametrize("form", ["json", "table"])
def test_the_command(
    form: str, new_dag: Any, run_dag: Any, sandbox: Sandbox, output: Path, tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """For programs and for people, with nothing else in its output; it ends with 1, as the record is still wrong."""
    with new_dag() as dag:
        PtengineProfilesOperator.partial(task_id="upload", max_rejected=1).expand(
            source=[people(1, "a"), people(1, "b")]
        )
    dag.dag_id = "mapped"
    run_dag(dag)
    (tmp_path / "mapped.py").write_text(DAG)
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["replay", "mapped", "upload", "--map-index", "1", "--subdir", str(tmp_path / "mapped.py"), "-o", form])
    said = capfd.readouterr().out
    assert ended.value.code == 1
    if form == "table":
        assert said.startswith("1 record: 0 delivered, 1 rejected.\n\ncount  rule")
        return
    told = json.loads(said)
    assert (told["read"], told["delivered"], told["rejected"], told["error"]) == (1, 0, 1, None)
    assert [(one["rule"], one["count"]) for one in told["reasons"]] == [("P7", 1)]
    assert "/mapped/" in told["reasons"][0]["first"][0]["file"]
