"""Files as a task's source: nothing is sent of one that isn't what it is called, and each is read once."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

LENIENT: dict[str, Any] = {"max_rejected": 100, "retries": 2, "retry_delay": timedelta(0)}
USERS = [{"user_id": f"u{number}", "plan": "pro"} for number in range(2000)]
ROWS = "".join(f"u{number}\tfine\n" for number in range(250))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.jsonl", gzip.compress(json.dumps(USERS).encode(), mtime=0)),
        ("x.json", json.dumps({"data": USERS}).encode()),
        ("x.csv", "user_id\tplan\nu1\tpro\n".encode("utf-16")),
        ("x.tsv", f'user_id\tplan\nu\t"Big\n{ROWS}v\t"Tall\n{ROWS}w\tMike" x\n'.encode()),
    ],
    ids=["packed", "envelope", "utf-16", "quotes"],
)
def test_a_file_at_fault_is_red_at_once(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path, name: str, data: bytes
) -> None:
    """However many rejects the task allows: nobody knows how many records it holds. A retry doesn't help."""
    (tmp_path / name).write_bytes(data)
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=str(tmp_path / name), **LENIENT)
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["failed"], [1])
    assert sandbox.ptengine.arrived() == []


@pytest.mark.parametrize("vendor", ["ptengine", "thymia"])
def test_only_the_columns_that_are_taken_need_a_name(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path, vendor: str
) -> None:
    """With `fields`, a sheet may have what it likes beside them; rows that nobody filled in are no records."""
    (tmp_path / "x.csv").write_text("id,,note,note,score\n1,a,b,c,7\n,,,,\n2,,,,8\n")
    with new_dag() as dag:
        if vendor == "ptengine":
            fields = {"user_id": "id", "score": "score"}
            PtengineProfilesOperator(task_id="upload", source=str(tmp_path / "x.csv"), fields=fields)
        else:
            ThymiaUploadOperator(
                task_id="upload",
                upload_type="mood",
                source=str(tmp_path / "x.csv"),
                user_label="id",
                fields={"score": "score"},
            )
    assert run_dag(dag).xcom("upload")["delivered"] == 2


def test_a_file_that_links_lead_to_is_delivered_once(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path
) -> None:
    """By a link to its folder, by one to the folder above, and by a hard one."""
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / "x.jsonl").write_text('{"user_id": "u1"}\n')
    (tmp_path / "2026" / "y.jsonl").hardlink_to(tmp_path / "2026" / "x.jsonl")
    (tmp_path / "latest").symlink_to("2026")
    (tmp_path / "2026" / "all").symlink_to(tmp_path)
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=f"{tmp_path}/**/*.jsonl")
    report = run_dag(dag).xcom("upload")
    assert (report["read"], report["delivered"]) == (1, 1)
