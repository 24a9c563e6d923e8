"""Names of DAGs, tasks and runs whose folders' names are longer than a file system takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.recording.folder_names import LONGEST_NAME
from airflow_provider_userdata.operators import output_paths
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

LONG = "利用者の気分を毎日アップロードする" * 14  # 238 characters of the 250 that Airflow takes
LETTERS = st.characters(exclude_categories=["Cs"])
NAMES = st.text(LETTERS, min_size=1, max_size=250) | st.builds(
    str.__add__, st.just(LONG), st.text(LETTERS, max_size=12)
)


def in_folder(ti: Any, dag_id: str, task_id: str, run_id: str) -> Any:
    """Give a task instance of other names."""
    return replace(ti, dag_id=dag_id, task_id=task_id, run_id=run_id)


@pytest.mark.parametrize("map_index", [-1, 12345])
def test_all_three_deliver_under_long_names(
    context: Any, sandbox: Sandbox, output: Path, map_index: int, people: Any, samples: Any, moods: Any
) -> None:
    """However long the names of DAG, task and run are; held samples and the retry after a failure find their files."""
    ti = replace(in_folder(context["ti"], LONG, LONG[::-1], f"manual__{LONG}"), map_index=map_index)
    context["ti"] = ti
    PtengineProfilesOperator(task_id="t", source=people(2)).execute(context)
    context["ti"] = replace(ti, run_id=f"{ti.run_id}2")
    ThymiaUploadOperator(task_id="t", upload_type="mood", source=moods(2)).execute(context)
    context["ti"] = replace(ti, run_id=f"{ti.run_id}3")
    held = GerosenseSamplesOperator(task_id="t", data_type="steps", source=samples(2)).execute(context)
    context["ti"] = replace(ti, run_id=f"{ti.run_id}4")
    sent = GerosenseSamplesOperator(task_id="t", data_type="steps", source=samples(2, 3)).execute(context)
    assert (held["held"], sent["delivered"]) == (2, 4)
    assert (sandbox.ptengine.counts.records, sandbox.thymia.counts.records) == (2, 2)
    assert len(list(output.rglob("receipts-*.jsonl"))) == 4
    assert json.loads(Path(sent["receipts"]).read_text().splitlines()[0])["count"] == 4


@given(NAMES, NAMES)
def test_every_name_has_a_folder_of_its_own(one: str, other: str) -> None:
    """It is no longer than a file system takes, and never that of another name."""
    first, second = (output_paths._below(PurePosixPath("/"), name) for name in (one, other))
    assert len(first.name.encode()) <= LONGEST_NAME
    assert first.name not in {"", ".", ".."}
    assert first.parent == PurePosixPath("/")
    assert (first == second) is (one == other)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("daily_moods", "daily_moods"),
        ("manual__2024-05-01T00:00:00+00:00", "manual__2024-05-01T00:00:00+00:00"),
        ("気分", "%E6%B0%97%E5%88%86"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        ("x" * 250, "x" * 250),
        ("é" * 42, "%C3%A9" * 42),
    ],
)
def test_names_that_fit_stay_as_they_were(name: str, folder: str) -> None:
    """So that runs which an earlier version began find their files."""
    assert output_paths._below(PurePosixPath("/"), name).name == folder
