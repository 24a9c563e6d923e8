"""What `check` says of a record is what the task does with it."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.cli.check import checked
from airflow_provider_userdata.cli.contracts import contract_of
from airflow_provider_userdata.cli.definition import parser
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

VALUES = ["", " ", "free", "x" * 129, 7, -1, 0.5, None, True, ["a"], {"a": 1}, "2024-05-01T08:00:00Z", "1984-02-30"]


def verdicts(files: list[Path]) -> dict[int, tuple[str, str, str, str]]:
    """Return what rejects files say of each position; others were delivered, or are valid."""
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    found = {line["position"]: (line["fate"], line["rule"], line["path"], line["reason"]) for line in lines}
    assert len(found) == len(lines)
    return found


def some_wrong(chance: random.Random, records: list[dict[str, Any]]) -> list[Any]:
    """Return records of which every second has another value, or a field more or less."""
    changed: list[Any] = []
    for record in records:
        name = chance.choice([*record, "extra"])
        match chance.randrange(6):
            case 0:
                changed.append({key: value for key, value in record.items() if key != name})
            case 1 | 2:
                changed.append({**record, name: chance.choice(VALUES)})
            case _:
                changed.append(record)
    return [*changed, chance.choice(VALUES)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("vendor", "kind", "options", "arguments"),
    [
        ("ptengine", "people", [], {}),
        ("ptengine", "people", ["--empty-values", "omit"], {"empty_values": "omit"}),
        ("thymia", "moods", [], {"upload_type": "mood"}),
        ("gerosense", "samples", ["--data-type", "steps"], {"data_type": "steps"}),
        (
            "gerosense",
            "samples",
            ["--data-type", "bpm", "--default-timezone", "Asia/Tokyo"],
            {"data_type": "bpm", "default_timezone": "Asia/Tokyo"},
        ),
    ],
)
def test_the_verdicts_are_the_tasks(
    request: pytest.FixtureRequest,
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    output: Path,
    tmp_path: Path,
    seed: int,
    vendor: str,
    kind: str,
    options: list[str],
    arguments: dict[str, Any],
) -> None:
    """Position by position, with rule, path and reason; and as many requests."""
    records: Callable[..., list[dict[str, Any]]] = request.getfixturevalue(kind)
    source = tmp_path / "records.jsonl"
    rows = some_wrong(random.Random(seed), records(300))
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    operators = {
        "ptengine": PtengineProfilesOperator,
        "thymia": ThymiaUploadOperator,
        "gerosense": GerosenseSamplesOperator,
    }
    with new_dag() as dag:
        operators[vendor](task_id="upload", source=str(source), max_rejected=1000, **arguments)
    report = run_dag(dag).xcom("upload")

    asked = parser().parse_args(["check", str(source), "--vendor", vendor, *options])
    ended = checked(contract_of(asked), str(source), tmp_path / "checked")

    assert ended.error is None
    assert (ended.report.valid, ended.report.rejected) == (report["delivered"], report["rejected"])
    assert 0 < ended.report.rejected < len(rows)
    assert ended.report.would_send == report["requests"]
    done = verdicts(list(output.rglob("rejects-*.jsonl")))
    assert verdicts(list((tmp_path / "checked").glob("rejects-*.jsonl"))) == done


def test_a_query_on_a_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is checked like a file; without lines, a record's number says where it is. A connection that isn't there is 2."""
    database = tmp_path / "crm.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE people (id TEXT, plan TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, 'free')", [("a",), (" ",), ("c",)])
        connection.commit()
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(database)}))
    query = ["SELECT id AS user_id, plan FROM people ORDER BY rowid", "--vendor", "ptengine", "--conn-id"]
    with pytest.raises(SystemExit) as ended:
        main(["check", *query, "crm"])
    text = capsys.readouterr().out
    assert ended.value.code == 1
    assert "3 records checked" in text
    assert "record 1" in text
    with pytest.raises(SystemExit) as ended:
        main(["check", *query, "nowhere"])
    assert ended.value.code == 2
    assert "there is no connection 'nowhere'" in capsys.readouterr().err
