"""`ledger adopt --run` refuses a run of which nothing proves what it delivered, and says why and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.sandbox import Sandbox

Adopt = Callable[..., str]
Again = Callable[..., dict[str, Any]]
DAY = datetime(2024, 5, 1, tzinfo=UTC)


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
