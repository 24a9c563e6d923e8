"""`incremental=True`: what a task delivered, no later task of the same stream sends again."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, Asset, task

from airflow_provider_userdata.operators import asset_state
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

Records = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_home: Path) -> Path:
    """Give a ledger of the test's own, in the place of the default one."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    return tmp_path


def upload(vendor: str, records: Any, task_id: str = "upload", **options: Any) -> Any:
    """Make a task."""
    if vendor == "thymia":
        return ThymiaUploadOperator(task_id=task_id, upload_type="mood", source=records, **options)
    if vendor == "gerosense":
        return GerosenseSamplesOperator(task_id=task_id, data_type="steps", source=records, **options)
    return PtengineProfilesOperator(task_id=task_id, source=records, **options)


@pytest.fixture
def records(moods: Records, samples: Records, people: Records) -> dict[str, list[dict[str, Any]]]:
    """Give ten records of each vendor."""
    return {"thymia": moods(10), "gerosense": samples(10), "ptengine": people(10)}


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
def test_the_second_run_sends_nothing(
    vendor: str, records: Any, new_dag: Any, run_dag: Any, sandbox: Sandbox, home: Path, marker: str
) -> None:
    """By the default ledger, which no other user may read, and in which no record stands."""
    with new_dag() as dag:
        upload(vendor, records[vendor], incremental=True)
    assert run_dag(dag).xcom("upload")["delivered"] == 10
    report = run_dag(dag).xcom("upload")
    assert (report["read"], report["delivered"], report["unchanged"]) == (10, 0, 10)
    assert sandbox.vendors[vendor].counts.records == 10
    ledger = home / "userdata" / "ledger.db"
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
    assert marker.encode() not in ledger.read_bytes()


def test_tasks_of_other_names_share_a_stream(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records) -> None:
    """A stream belongs to the vendor's address and key, not to a DAG or a task."""
    with new_dag("1") as dag:
        upload("ptengine", people(10), incremental=True)
    run_dag(dag)
    with new_dag("2") as other:
        upload("ptengine", people(12), "renamed", incremental=True)
    report = run_dag(other).xcom("renamed")
    assert (report["delivered"], report["unchanged"]) == (2, 10)


def test_another_kind_is_another_stream(new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records) -> None:
    """What was uploaded as one type wasn't as another."""
    with new_dag() as dag:
        for kind in ("mood", "sleep"):
            ThymiaUploadOperator(task_id=kind, upload_type=kind, source=moods(3), incremental=True)
    run = run_dag(dag)
    assert [run.xcom(kind)["delivered"] for kind in ("mood", "sleep")] == [3, 3]


@pytest.mark.parametrize(("name", "sent"), [(None, 5), ("crm", 0)])
def test_another_key_is_another_stream(
    name: str | None,
    sent: int,
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    people: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One address serves many projects; a stream with a name of its own outlives a key that is changed."""
    with new_dag() as dag:
        upload("ptengine", people(5), incremental=True, ledger_stream=name)
    run_dag(dag)
    monkeypatch.setattr(sandbox.ptengine, "key", "rotated-key-of-the-tests")
    connection = json.loads(sandbox.connections()["AIRFLOW_CONN_PTENGINE_DEFAULT"])
    monkeypatch.setenv("AIRFLOW_CONN_PTENGINE_DEFAULT", json.dumps({**connection, "password": sandbox.ptengine.key}))
    assert run_dag(dag).xcom("upload")["delivered"] == sent


@pytest.mark.airflow_3
def test_a_catch_up_over_overlapping_windows(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records, tmp_path: Path
) -> None:
    """Each day's run reads three days, in any order: each sample arrives once."""
    begin = datetime(2024, 5, 1, tzinfo=UTC)
    days = [begin + timedelta(days=number) for number in range(6)]
    for number, day in enumerate(days):
        lines = "".join(json.dumps(one) + "\n" for one in samples(50, first=1 + 50 * number))
        (tmp_path / f"{day:%Y-%m-%d}.jsonl").write_text(lines)
    window = [str(tmp_path / f"{{{{ macros.ds_add(ds, {-back}) }}}}.jsonl") for back in range(3)]
    with new_dag() as dag:
        upload("gerosense", window, incremental=True)
    delivered = []
    for day in (days[4], days[2], days[5], days[3], days[2]):
        run = run_dag(dag, logical_date=day)
        assert run.state == "success"
        delivered.append(run.xcom("upload")["delivered"])
    assert delivered == [150, 100, 50, 0, 0]
    counts = sandbox.gerosense.counts
    assert (counts.records, counts.distinct) == (300, 300)


def test_only_checked(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records, home: Path) -> None:
    """With validate_only no ledger is looked into, nor begun."""
    with new_dag() as dag:
        upload("ptengine", people(5), incremental=True, validate_only=True)
    assert run_dag(dag).xcom("upload")["valid"] == 5
    assert not (home / "userdata" / "ledger.db").exists()


@pytest.mark.parametrize("name", ["", "  ", 7, "x" * 201, ["a"]])
def test_a_stream_that_has_no_name(name: Any, context: Any, sandbox: Sandbox, people: Records) -> None:
    """Is said before anything is sent."""
    operator = upload("ptengine", people(5), incremental=True, ledger_stream=name)
    with pytest.raises(AirflowFailException, match="ledger_stream: must be a name"):
        operator.execute(context)
    assert sandbox.ptengine.counts.requests == 0


def test_the_decorators_take_it_too(new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records) -> None:
    """As all other arguments."""
    users = people(4)
    with new_dag() as dag:

        @task.ptengine_profiles(incremental=True, ledger_stream="of {{ dag.dag_id[:4] }}")
        def upload_them() -> list[dict[str, Any]]:
            return users

        upload_them()
    assert run_dag(dag).xcom("upload_them")["delivered"] == 4
    assert run_dag(dag).xcom("upload_them")["unchanged"] == 4


@pytest.mark.airflow_3
def test_the_asset_shows_each_devices_most_recent_sample(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, stored: Callable[..., set[str]]
) -> None:
    """The most recent instant wins across runs, whatever order they come in (G9)."""

    def taken(device: str, *times: str) -> list[dict[str, Any]]:
        return [{"device_name": device, "start_date": time, "unit": "count", "value": 1} for time in times]

    asset = Asset("steps-of-people")
    late = taken("ring-a", "2024-05-02T08:00:00Z", "2024-05-02T07:00:00Z", "2024-05-02T12:00:00+09:00")
    early = [
        *taken("ring-a", "2024-05-01T08:00:00Z"),
        *taken("watch-b", "2024-05-01T09:00:00Z", "2024-05-01T08:00:00Z"),
    ]
    for number, records in enumerate((late, early)):
        with new_dag(f"{number}") as dag:
            upload("gerosense", records, incremental=True, outlets=[asset])
        assert run_dag(dag).state == "success"
    assert json.loads(_state(asset.name)) == {"ring-a": "2024-05-02T08:00:00Z", "watch-b": "2024-05-01T09:00:00Z"}


def _state(asset: str) -> str:
    from airflow.settings import engine

    assert engine is not None
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT value FROM asset_state_store WHERE key = 'most_recent_steps'"
        ).fetchall()
    assert len(rows) == 1, asset
    return str(rows[0][0])


class Failing:
    """A state store that can't be reached."""

    def __getitem__(self, _: object) -> Failing:
        return self

    def get(self, _: str) -> object:
        """Fail."""
        raise RuntimeError("unreachable")


def test_an_asset_that_cannot_be_written_is_no_failure(
    context: Any, sandbox: Sandbox, samples: Records, caplog: pytest.LogCaptureFixture
) -> None:
    """It is for people to see: a warning is all."""
    operator = upload("gerosense", samples(5), incremental=True, outlets=[Asset("a")])
    assert operator.execute({**context, "asset_state_store": Failing()})["delivered"] == 5


def test_the_devices_shown_are_bounded() -> None:
    """Those with the most recent samples are kept; what is no timestamp, or too long a name, is dropped."""
    many = {f"d{number}": f"2024-05-01T{number // 60:02}:{number % 60:02}:00Z" for number in range(1_000)}
    found = asset_state.merged({"x": "soon", "y" * 201: "2025-01-01T00:00:00Z"}, many)
    assert list(found) == [f"d{number}" for number in range(999, 799, -1)]


@pytest.mark.parametrize(
    ("given", "defaults", "limit"),
    [({}, {}, 1), ({}, {"max_active_tis_per_dag": 4}, 4), ({"max_active_tis_per_dag": 2}, {}, 2)]
    + [({"max_active_tis_per_dag": value}, {"max_active_tis_per_dag": 4}, value) for value in (None, 3)],
)
def test_runs_take_turns_unless_somebody_says_otherwise(
    new_dag: Any, given: dict[str, Any], defaults: dict[str, Any], limit: int | None
) -> None:
    """A number of the task's or of the DAG's `default_args` stands."""
    with new_dag(default_args=defaults):
        task = PtengineProfilesOperator(task_id="upload", source=[], incremental=True, **given)
    assert task.max_active_tis_per_dag == limit
