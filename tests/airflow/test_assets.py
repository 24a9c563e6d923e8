"""Assets of uploads: their addresses, and what their events say."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.airflow_compat import Asset, find
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.upload_asset import create_asset

Records = Callable[[int], list[dict[str, Any]]]


@pytest.fixture
def extras(airflow_home: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Give what the events of a DAG's runs say, from Airflow's database: ``extras(dag_id)``."""

    def find(dag_id: str) -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(airflow_home / "airflow.db")) as database:
            rows = database.execute("SELECT extra FROM asset_event WHERE source_dag_id = ? ORDER BY id", [dag_id])
            return [json.loads(extra) for (extra,) in rows]

    return find


@pytest.mark.airflow_3
@pytest.mark.parametrize("allowed", [1, 0])
def test_the_event_of_an_upload_has_its_counts(
    new_dag: Any, run_dag: Any, people: Records, extras: Any, allowed: int
) -> None:
    """Counts, vendor and kind alone: no path, nothing of a record. A failed task has no event."""
    with new_dag(f"_{allowed}") as dag:
        source = [*people(3), {"plan": "free"}]
        outlets = [Asset("userdata://ptengine_default/"), Asset("s3://elsewhere/users")]
        PtengineProfilesOperator(task_id="upload", source=source, max_rejected=allowed, outlets=outlets)
    run_dag(dag)
    told = {"vendor": "ptengine", "kind": "", "read": 4, "delivered": 3, "rejected": 1, "invalid": 1, "refused": 0}
    told |= {"held": 0, "unchanged": 0, "unknown": 0, "valid": 0, "resent": 0}
    assert extras(dag.dag_id) == [told, told][: 2 * allowed]


@pytest.mark.airflow_3
def test_what_an_author_says_in_an_event_stays(new_dag: Any, run_dag: Any, people: Records, extras: Any) -> None:
    """Beside the counts, and before them."""
    asset = Asset("userdata://ptengine_default/")
    task: Any = find("task", ("airflow.sdk",))

    @task.ptengine_profiles(outlets=[asset])  # type: ignore[untyped-decorator]  # Airflow finds it by its name
    def upload(outlet_events: Any) -> list[dict[str, Any]]:
        outlet_events[asset].extra = {"file": "of today", "delivered": "all"}
        return people(3)

    with new_dag() as dag:
        upload()
    run_dag(dag)
    (extra,) = extras(dag.dag_id)
    assert (extra["file"], extra["delivered"], extra["read"]) == ("of today", "all", 3)


@pytest.mark.parametrize(
    "uri", ["userdata://thymia_default/mood", "userdata://ptengine_default/", "userdata://thymia_default/a%2Fb"]
)
def test_an_address_names_a_connection_and_a_kind(uri: str) -> None:
    """It stays as it is."""
    assert Asset(uri).uri == uri


@pytest.mark.airflow_3
@pytest.mark.parametrize(
    "uri", ["userdata:///steps", "userdata://a:1/steps", "userdata://a/b/c", "userdata://a/b?c=d", "userdata://u@a/b"]
)
def test_no_other_address_is_taken(uri: str) -> None:
    """A DAG file with one doesn't load."""
    with pytest.raises(ValueError, match="an asset userdata://"):
        Asset(uri)


def test_an_asset_is_made_of_its_parts() -> None:
    """A kind may hold any character."""
    assert create_asset(conn_id="thymia_default", kind="mood/2 v1").uri == "userdata://thymia_default/mood%2F2%20v1"
    assert create_asset(conn_id="ptengine_default").uri == "userdata://ptengine_default/"
