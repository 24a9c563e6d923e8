"""`ledger adopt --run`: what a run delivered without `incremental=True`, no later run with it sends again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import task as airflow_task

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.cli import adopt
from airflow_provider_userdata.ledger import AdoptingLedger, adoption
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import replay
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN
from airflow_provider_userdata.sources import Constant, RejectsSource, SqlSource, Timestamp
from tests.doubles import Crash

Adopt = Callable[..., str]
Again = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_home: Path) -> Path:
    """Give a ledger of the test's own, in the place of the default one."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def adopted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Adopt:
    """Adopt a run of a DAG's task, and give what is said: ``adopted(dag, "--dry-run")``."""

    def run(dag: Any, *arguments: str, task_id: str = "upload") -> str:
        monkeypatch.setattr(adopt, "task_of", lambda _: dag.get_task(task_id))
        capsys.readouterr()
        main(["ledger", "adopt", "--run", dag.dag_id, task_id, "--yes", *arguments])
        return capsys.readouterr().out

    return run


@pytest.fixture
def again(run_dag: Any) -> Again:
    """Run a DAG's task with `incremental=True`, and give its report, also of one that fails."""

    def run(dag: Any, **options: Any) -> dict[str, Any]:
        dag.get_task("upload").incremental = True
        ended = run_dag(dag, **options)
        report: dict[str, Any] = ended.xcom("upload") or ended.xcom("upload", "report")
        return {name: report[name] for name in ("read", "delivered", "unchanged", "rejected")}

    return run


def counts(read: int, delivered: int, unchanged: int, rejected: int = 0) -> dict[str, int]:
    """Give a report's counts."""
    return {"read": read, "delivered": delivered, "unchanged": unchanged, "rejected": rejected}


@pytest.fixture
def upload(
    moods: Any, samples: Any, people: Any, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> Callable[..., Any]:
    """Make a vendor's task of ten records: ``upload("thymia")``; `users` is GeroSense for many users."""

    def make(vendor: str, records: Any = None, **options: Any) -> Any:
        if vendor == "thymia":
            return ThymiaUploadOperator(task_id="upload", upload_type="mood", source=records or moods(10), **options)
        if vendor == "ptengine":
            return PtengineProfilesOperator(task_id="upload", source=records or people(10), **options)
        if vendor == "users":
            extra = {"api": "direct"}
            direct = {"conn_type": "gerosense", "host": sandbox.url, "login": LOGIN, "extra": extra}
            key = {"password": SANDBOX_KEYS["gerosense"]}
            monkeypatch.setenv("AIRFLOW_CONN_GEROSENSE_DEFAULT", json.dumps({**direct, **key}))
            user = {number: f"{number % 2:08x}-user" for number in range(10)}
            records = records or [{**sample, "who": user[place]} for place, sample in enumerate(samples(10))]
            options |= {"user_id": "who"}
        records = records or samples(10)
        return GerosenseSamplesOperator(task_id="upload", data_type="steps", source=records, **options)

    return make


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


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Give a CSV of twelve samples, of which three have no number."""
    path = tmp_path / "2024-05-01.csv"
    cells = [f"ring,2024-05-01 08:00:{number:02},{'' if number in (3, 6, 9) else number + 1}" for number in range(12)]
    path.write_text("\n".join(["dev,at,n", *cells]))
    return path


@pytest.fixture
def of_columns(steps: Path) -> Callable[..., Any]:
    """Make the task that uploads it, by the day of its run."""
    fields = {
        "device_name": "dev",
        "start_date": Timestamp("at", "%Y-%m-%d %H:%M:%S", "Asia/Tokyo"),
        "unit": Constant("count"),
        "value": "n",
    }
    path = str(steps.parent / "{{ ds }}.csv")
    return lambda **options: GerosenseSamplesOperator(
        task_id="upload", data_type="steps", source=path, fields=fields, **options
    )


DAY = datetime(2024, 5, 1, tzinfo=UTC)


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


@pytest.mark.airflow_3  # before, a run in tests has today's date
def test_a_changed_source_is_refused(
    of_columns: Any,
    steps: Path,
    new_dag: Any,
    run_dag: Any,
    adopted: Adopt,
    home: Path,
) -> None:
    """Nothing is entered, and the way out is said."""
    with new_dag() as dag:
        of_columns(max_rejected=3)
    run_dag(dag, logical_date=DAY)
    steps.write_text(steps.read_text().replace("08:00:05", "08:00:55"))

    with pytest.raises(SystemExit, match=r"are not those that the run read.*Nothing was entered: adopt a") as error:
        adopted(dag)
    assert "ring" not in str(error.value)
    assert (home / "userdata" / "ledger.db").stat().st_size == 0


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


@pytest.mark.parametrize("what", ["removed", "not finished", "unknown", "another key", "another address"])
def test_what_nothing_proves_is_refused(
    what: str,
    upload: Any,
    new_dag: Any,
    run_dag: Any,
    adopted: Adopt,
    output: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what is the matter, and the way out."""
    said = {
        "removed": "receipts in .* were removed",
        "not finished": "is not finished: clear its task",
        "unknown": "Airflow doesn't know a run 'nope'",
        "another key": "with another key than the connection has now",
        "another address": "to another address than the task's connection has now",
    }[what]
    with new_dag() as dag:
        upload("thymia", max_attempts=1)
    if what == "not finished":
        sandbox.thymia.script("ok", "503 x99")
    run = run_dag(dag)
    connection = {"conn_type": "thymia", "host": sandbox.url, "password": "another-key"}
    if what == "removed":
        for path in output.rglob("receipts-*"):
            path.unlink()
    elif what == "another key":
        monkeypatch.setenv("AIRFLOW_CONN_THYMIA_DEFAULT", json.dumps(connection))
    elif what == "another address":
        connection["host"] = "http://localhost:1"
        monkeypatch.setenv("AIRFLOW_CONN_THYMIA_DEFAULT", json.dumps(connection))

    with pytest.raises(SystemExit, match=said):
        adopted(dag, "--run-id", "nope" if what == "unknown" else run.run_id)


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stream", "1"], "say --run DAG TASK, or --stream NUMBER --name TEXT"),
        (["--run", "d", "t", "--name", "x"], "takes neither --stream nor --name"),
        (["--run", "nope", "t"], "there is no DAG 'nope'"),
    ],
)
def test_calls_that_cannot_be(arguments: list[str], said: str, output: Path) -> None:
    """Are explained in a line."""
    with pytest.raises(SystemExit, match=said):
        main(["ledger", "adopt", *arguments])
