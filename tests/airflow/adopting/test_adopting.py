"""`ledger adopt --run`: what a run delivered without `incremental=True`, no later run with it sends again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import task as airflow_task

from airflow_provider_userdata.ledger import AdoptingLedger, adoption
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import replay
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource, SqlSource
from tests.doubles import Crash

Adopt = Callable[..., str]
Again = Callable[..., dict[str, Any]]
DAY = datetime(2024, 5, 1, tzinfo=UTC)


def counts(read: int, delivered: int, unchanged: int, rejected: int = 0) -> dict[str, int]:
    """Give a report's counts."""
    return {"read": read, "delivered": delivered, "unchanged": unchanged, "rejected": rejected}


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "users", "ptengine"])
def test_nothing_is_sent_again(
    vendor: str, upload: Any, new_dag: Any, run_dag: Any, adopted: Adopt, again: Again, home: Path, sandbox: Sandbox
) -> None:
    """All is unchanged in the first incremental run; adopted twice, it is there once."""
    with new_dag() as dag:
        upload(vendor)
    if vendor == "users":
        upload(vendor).user_id = "who"
    run_dag(dag)
    what = "users" if vendor == "ptengine" else "records"

    assert f"10 {what} would be entered into the stream {'gerosense' if vendor == 'users' else vendor} " in adopted(
        dag, "--dry-run"
    )
    assert not (home / "userdata" / "ledger.db").exists()
    assert "delivered 10 records, as its receipts prove. Its source is unchanged.\n" in adopted(dag)
    assert "10 of them were there already" in adopted(dag)
    assert again(dag) == counts(10, 0, 10)


@pytest.mark.airflow_3  # before, a run in tests has today's date
def test_rejects_are_sent_once_they_are_corrected(
    of_columns: Any, steps: Path, new_dag: Any, run_dag: Any, adopted: Adopt, again: Again, sandbox: Sandbox
) -> None:
    """And nothing else: a run with rejects can be adopted before that and after. Its day is in the path."""
    with new_dag() as dag:
        of_columns()
    assert run_dag(dag, logical_date=DAY).state == "failed"
    before = adopted(dag, "--dry-run")
    steps.write_text(steps.read_text().replace(",\n", ",99\n"))

    assert "delivered 9 records" in before
    assert "9 records are in the stream gerosense " in adopted(dag)
    assert again(dag, logical_date=DAY) == counts(12, 3, 9)
    assert sandbox.gerosense.counts.records == sandbox.gerosense.counts.distinct == 12


@pytest.mark.parametrize("step", [1, 2, 3])
def test_after_a_kill_it_is_called_again(
    step: int, upload: Any, new_dag: Any, run_dag: Any, adopted: Adopt, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some is entered, and all of it was proven; what is left is entered then."""
    monkeypatch.setattr(adoption, "STEP", 4)
    with new_dag() as dag:
        upload("thymia")
    run_dag(dag)
    enter, left = AdoptingLedger.enter, [step]

    def killed(ledger: AdoptingLedger, entries: Any) -> int:
        left[0] -= 1
        if not left[0]:
            raise Crash
        return enter(ledger, entries)

    with monkeypatch.context() as patch:
        patch.setattr(AdoptingLedger, "enter", killed)
        with pytest.raises(Crash):
            adopted(dag)

    assert f"{4 * (step - 1)} of them were there already" in adopted(dag)
    assert again(dag) == counts(10, 0, 10)


def test_the_last_state_of_a_user_counts(
    people: Any, upload: Any, new_dag: Any, run_dag: Any, adopted: Adopt, again: Again
) -> None:
    """So an older run isn't adopted once a later one has sent users."""
    with new_dag() as dag:
        task = upload("ptengine")
    first = run_dag(dag)
    task.source = [{**person, "plan": "pro"} for person in people(10)]
    run_dag(dag)

    with pytest.raises(SystemExit, match="delivered users after run"):
        adopted(dag, "--run-id", first.run_id)
    assert "10 users are in the stream" in adopted(dag)
    assert again(dag) == counts(10, 0, 10)
    task.source = people(10)
    assert again(dag) == counts(10, 10, 0)


def test_what_a_replay_sent_unchanged_counts(
    moods: Any, upload: Any, new_dag: Any, run_dag: Any, adopted: Adopt, again: Again, sandbox: Sandbox
) -> None:
    """What it corrected is sent once more if it is corrected in the source, too: the command says so."""
    wrong = [{"user": {"userLabel": ""}, "data": {"score": 1}}]
    with new_dag() as dag:
        task = upload("thymia", [*moods(9), *wrong], max_in_flight=1)
    sandbox.thymia.script("422")
    run = run_dag(dag)
    source = RejectsSource(
        run=(dag.dag_id, "upload", run.run_id),
        fix=lambda record: record if record["user"]["userLabel"] else {**record, "user": {"userLabel": "late"}},
    )
    assert replay(task, source).report.delivered == 2

    said = adopted(dag)
    assert "delivered 9 records" in said
    assert "1 records were delivered by a replay, corrected" in said
    task.source = [*moods(9), {"user": {"userLabel": "late"}, "data": {"score": 1}}]
    assert again(dag) == counts(10, 1, 9)


def test_all_instances_of_a_mapped_task(
    people: Any, new_dag: Any, run_dag: Any, adopted: Adopt, sandbox: Sandbox
) -> None:
    """In one call, or one of them."""
    with new_dag() as dag:
        PtengineProfilesOperator.partial(task_id="upload").expand(source=[people(4), people(9)[4:]])
    run_dag(dag)

    assert "delivered 5 records" in adopted(dag, "--map-index", "1", "--dry-run")
    assert "9 users are in the stream" in adopted(dag)


def test_what_an_upstream_task_returned(
    people: Any, upload: Any, new_dag: Any, run_dag: Any, adopted: Adopt, again: Again
) -> None:
    """Is looked up as the run had it."""
    with new_dag() as dag:

        @airflow_task(show_return_value_in_logs=False)
        def extract() -> Any:
            return people(10)

        upload("ptengine", extract())
    run_dag(dag)

    assert "10 users are in the stream" in adopted(dag)


@pytest.mark.airflow_3  # before, a run in tests has today's date
def test_a_decorated_function_and_a_query(
    people: Any, new_dag: Any, run_dag: Any, adopted: Adopt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are called and asked again, with the run's dates."""
    from airflow_provider_userdata.decorators.ptengine import ptengine_profiles_task

    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "crm.db")}))
    query = "SELECT 'u1' AS user_id, '{{ ds }}' AS day UNION ALL SELECT 'u2', '{{ params.plan }}'"
    with new_dag(params={"plan": "pro"}) as dag:

        @ptengine_profiles_task(task_id="upload")
        def profiles(ds: str, count: int) -> list[dict[str, str]]:
            return [{**person, "day": ds} for person in people(count)]

        profiles(count=3)  # type: ignore[call-arg, misc]  # Airflow fills in the other one
        PtengineProfilesOperator(task_id="asked", source=SqlSource(query, "crm"))
    run_dag(dag, logical_date=DAY)

    assert "delivered 3 records" in adopted(dag)
    assert "delivered 2 records" in adopted(dag, task_id="asked")


def test_a_name_that_the_stream_gets_now(
    upload: Any, new_dag: Any, run_dag: Any, adopted: Adopt, again: Again, sandbox: Sandbox, monkeypatch: Any
) -> None:
    """Stands for the account: so a run before it can be adopted, also after the key was renewed."""
    with new_dag() as dag:
        task = upload("thymia")
    run_dag(dag)
    task.ledger_stream = "the {{ dag.dag_id }}"
    monkeypatch.setattr(sandbox.thymia, "key", "a-renewed-key")
    renewed = {"conn_type": "thymia", "host": sandbox.url, "password": "a-renewed-key"}
    monkeypatch.setenv("AIRFLOW_CONN_THYMIA_DEFAULT", json.dumps(renewed))

    assert f"10 records are in the stream thymia 'the {dag.dag_id}'" in adopted(dag)
    assert again(dag) == counts(10, 0, 10)
