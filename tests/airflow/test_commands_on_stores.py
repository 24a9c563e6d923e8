"""The commands look into an object store as into a folder of this machine, and with few requests."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.cli.run_folders import RunFolder
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.replaying import replay
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource

Call = Callable[..., str]
RUN = "scheduled__2026-11-30T00:00:00+00:00"
RUNS = 120


@pytest.fixture
def requests(s3_folder: Any) -> Iterator[Counter[str]]:
    """Count the requests to the store: lists, and others by their method."""
    found: Counter[str] = Counter()

    def count(request: Any, **_: object) -> None:
        found["LIST" if "list-type=" in request.url else request.method] += 1

    events = s3_folder.fs.s3.meta.events
    events.register("before-send.s3", count)
    yield found
    events.unregister("before-send.s3", count)


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest, output: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give where tasks write, by Airflow's setting."""
    place = str(output) if request.param == "local" else str(request.getfixturevalue("s3_folder"))
    monkeypatch.setenv("AIRFLOW__USERDATA__OUTPUT_PATH", place)
    return place


@pytest.mark.slow
def test_they_say_the_same(
    root: str, call: Call, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Any, marker: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What runs left is listed, counted, shown, exported, found, sent again, dropped and removed."""
    people = [{"user_id": f"{marker}-{number}"} for number in range(5)]
    with new_dag() as dag:
        upload = PtengineProfilesOperator(
            task_id="upload", source=[*people, {"user_id": " ", "plan": "free"}, {"user_id": "x", "plan": [1]}],
            max_rejected=2,
        )  # fmt: skip
        GerosenseSamplesOperator(task_id="few", data_type="bpm", source=samples(2))
    run = run_dag(dag)
    asked = (dag.dag_id, "upload", "--run-id", run.run_id)

    rows = json.loads(call("runs", dag.dag_id, "-o", "json"))
    assert {(row["task"], row["run"], row["delivered"], row["rejected"], row["held"]) for row in rows} == {
        ("upload", run.run_id, 5, 2, 0), ("few", run.run_id, 0, 0, 2),
    }  # fmt: skip
    assert all(row["last written"].startswith("20") for row in rows)
    told = json.loads(call("report", *asked, "-o", "json"))
    assert (told["delivered"], told["reasons"]) == (5, {"P6": 1, "P7": 1})
    assert told["folder"] == f"{root}/{dag.dag_id}/{run.run_id}/upload"
    reasons = json.loads(call("rejects", "show", *asked, "-o", "json"))["reasons"]
    assert sorted((one["rule"], one["first"][0]["position"]) for one in reasons) == [("P6", 6), ("P7", 5)]
    table = list(csv.DictReader(io.StringIO(call("rejects", "export", *asked, "--csv", "-"))))
    assert [(row["user_id"], row["userdata: rule"]) for row in table] == [(" ", "P7"), ("x", "P6")]
    assert [(one["task"], one["records"]) for one in json.loads(call("held", "list", "-o", "json"))] == [("few", 2)]
    with pytest.raises(SystemExit, match="0"):
        call("find", dag.dag_id, "--user", "x")
    with pytest.raises(SystemExit, match=r"Did you mean 'manual__20"):
        call("report", dag.dag_id, "upload", "--run-id", f"{run.run_id}0")

    def fix(person: dict[str, Any]) -> dict[str, Any]:
        return {"user_id": "y", "plan": "free"} if person["user_id"] == " " else person

    tried = replay(upload, RejectsSource(run=(dag.dag_id, "upload"), fix=fix), dry_run=True)
    assert (tried.report.valid, tried.report.rejected) == (1, 1)
    assert len(json.loads(call("runs", "-o", "json"))) == 2  # a trial leaves nothing
    again = replay(upload, RejectsSource(run=(dag.dag_id, "upload"), fix=fix))
    assert (again.report.delivered, again.report.rejected) == (1, 1)
    assert json.loads(call("report", *asked, "-o", "json"))["reasons"] == {"P6": 1}
    assert "Dropped 2 records" in call("held", "drop", "--yes")
    monkeypatch.setattr(RunFolder, "changed", lambda _: datetime(2020, 1, 1, tzinfo=UTC))
    assert "Removed the files of 3 runs" in call("clean", dag.dag_id, "--older-than", "30", "--yes")
    assert json.loads(call("runs", "-o", "json")) == []


@pytest.mark.slow
def test_few_requests(s3_folder: Any, requests: Counter[str], call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs are found by one listing, and each file that counts is read once."""
    monkeypatch.setenv("AIRFLOW__USERDATA__OUTPUT_PATH", str(s3_folder))
    receipt = b'{"ranges":[[0,100]],"count":100,"status":200,"at":"2026-11-30T00:00:00+00:00"}\n'
    reject = '{"position":100,"fate":"rejected","rule":"P7","record":{"user_id":"u%d"}}\n'
    top = str(s3_folder).removeprefix("s3://")
    files = {f"{top}/dag/{RUN}/task_{number}": number for number in range(RUNS)}
    s3_folder.fs.pipe({f"{folder}/receipts-1-{number:08x}-00001.jsonl": receipt for folder, number in files.items()})
    s3_folder.fs.pipe(
        {f"{folder}/rejects-1-{number:08x}-00001.jsonl": (reject % number).encode() for folder, number in files.items()}
    )

    def taken(*arguments: str) -> dict[str, int]:
        requests.clear()
        with suppress(SystemExit):  # of `find`
            call(*arguments)
        return dict(requests)

    asked = ("dag", "task_7", "--run-id", RUN)
    assert taken("runs", "-o", "json") == {"LIST": 1, "GET": 2 * RUNS}
    assert taken("runs", "dag", "task_7") == taken("runs", "--limit", "1") == {"LIST": 1, "GET": 2}
    assert taken("find", "--user", "u3") == {"LIST": 1, "GET": 2 * RUNS + 1}
    assert taken("held", "list") == taken("clean", "--older-than", "1") == {"LIST": 1}
    assert taken("report", *asked) == taken("rejects", "show", *asked) == {"LIST": 1, "GET": 2}
    assert taken("rejects", "export", *asked, "--csv", "-") == {"LIST": 1, "GET": 4}


def test_a_store_that_cannot_be_read(
    s3_folder: Any, s3: dict[str, Any], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that isn't there, a server that isn't there, a scheme that Airflow doesn't know: each in one line."""
    with pytest.raises(SystemExit, match=r"^userdata: s3://no-such-bucket/ can't be read: it isn't there$"):
        call("runs", "--output-path", "s3://no-such-bucket")
    with pytest.raises(SystemExit, match=r"'gs://bucket' can't be opened: .* is the provider of its file system"):
        call("runs", "--output-path", "gs://bucket")
    broken = ConnectionError("of no standard kind")

    def find(*_: object, **__: object) -> None:
        raise type("EndpointConnectionError", (Exception,), {})(broken)

    monkeypatch.setattr(type(s3_folder.fs), "find", find)
    for arguments in (("runs",), ("report", "d", "t", "--run-id", "r"), ("find", "--user", "u"), ("held", "list")):
        with pytest.raises(SystemExit, match=r"can't be read: EndpointConnectionError: is the store's connection"):
            call(*arguments, "--output-path", str(s3_folder))
