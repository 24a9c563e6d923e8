"""Tasks whose files lie in S3, reached through Airflow's own way to object stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.delivery.carry_over.claims import Claimant, Claims
from airflow_provider_userdata.operators import output_paths
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator

_ERASED = {"rejects": 2, "originals": 2, "held records": 1}


def test_held_samples_wait_in_s3_and_go_out_once(
    s3_folder: Any, new_dag: Any, run_dag: Callable[..., Any], samples: Any, sandbox: Any
) -> None:
    """Two runs hold, a third that was killed has claimed some, the fourth sends all, and the accounts are there."""
    made: list[Any] = samples(1)
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=lambda: made, output_path=str(s3_folder))
    assert run_dag(dag).xcom("upload")["held"] == 1
    made = [*samples(1, first=5), {"unit": "count"}]
    dag.get_task("upload").max_rejected = 1
    report = run_dag(dag).xcom("upload")
    assert (report["held"], report["rejected"]) == (2, 1)
    folder = output_paths.output_root(str(s3_folder)) / dag.dag_id / "upload" / "held"
    names = [path.name for path in folder.iterdir() if path.name.endswith(".jsonl")]
    for name in names:
        assert Claims(folder).take(name, 1, Claimant("killed", "", host="elsewhere", renewed=0.0))

    made = samples(3, first=10)
    run = run_dag(dag)

    report = run.xcom("upload")
    assert (run.state, report["read"], report["delivered"]) == ("success", 5, 5)
    assert (sandbox.gerosense.counts.records, sandbox.gerosense.counts.distinct) == (5, 5)
    assert [path.name for path in folder.iterdir()] == [".identity"]
    root = output_paths.output_root(str(s3_folder)) / dag.dag_id / run.run_id / "upload"
    (receipts,) = [path for path in root.iterdir() if path.name.startswith("receipts-")]
    with receipts.open("rb") as file:
        assert [json.loads(line)["ranges"] for line in file.read().splitlines()] == [[[0, 5]]]


def test_a_user_is_erased_in_s3(
    s3_folder: Any, new_dag: Any, run_dag: Callable[..., Any], samples: Any, sandbox: Any, capsys: Any
) -> None:
    """Objects are written anew, as long as before; the others' records are there, and go out."""
    made: list[Any] = [
        *({**one, "device_name": name} for one, name in zip(samples(2), ("u-4711", "other"), strict=True)),
        *({"unit": name} for name in ("u-4711", "other")),
    ]
    with new_dag() as dag:
        GerosenseSamplesOperator(
            task_id="upload",
            data_type="steps",
            source=lambda: made,
            output_path=str(s3_folder),
            max_rejected=2,
        )
    run = run_dag(dag)
    root = output_paths.output_root(str(s3_folder))
    folder = root / dag.dag_id / run.run_id / "upload"

    def contents(of: Any) -> dict[str, bytes]:
        found = {}
        for path in of.iterdir():
            with path.open("rb") as file:
                found[path.name] = file.read()
        return found

    before = contents(folder)
    assert any(b"u-4711" in text for text in before.values())
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["erase", "--user", "u-4711", "--yes", "-o", "json", "--output-path", str(s3_folder)])

    told = json.loads(capsys.readouterr().out)
    assert (ended.value.code, told["erased"], told["left"]) == (0, _ERASED, [])
    after = contents(folder)
    assert {name: len(text) for name, text in after.items()} == {name: len(text) for name, text in before.items()}
    held = root / dag.dag_id / "upload" / "held"
    assert not any(b"u-4711" in text for text in (*after.values(), *contents(held).values()))
    made = samples(2, first=10)
    report = run_dag(dag).xcom("upload")
    assert (report["read"], report["delivered"]) == (3, 3)
