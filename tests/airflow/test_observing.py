"""What a task shows of its upload: the XCom `userdata_upload`, its log, and the labels of mapped tasks."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, TaskDeferred

from airflow_provider_userdata.airflow_compat import airflow_version
from airflow_provider_userdata.decorators.thymia import thymia_upload_task
from airflow_provider_userdata.delivery import engine
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.observing.log import LogObserver
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.upload_status import KEY, UploadStatus, upload_status
from tests.airflow.conftest import AIRFLOW_3, DATABASE, TaskInstance

Records = Callable[[int], list[dict[str, Any]]]
SOON: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(0)}


class Pushed(TaskInstance):
    """A task instance that keeps all values of the XCom, as statuses."""

    all: list[UploadStatus] = []  # noqa: RUF012  # emptied by the fixture

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep a value."""
        super().xcom_push(key, value)
        if key == KEY:
            status = upload_status(json.loads(json.dumps(value)))
            assert status is not None
            self.all.append(status)


@pytest.fixture
def ti(context: dict[str, Any]) -> Pushed:
    """Give a task instance that keeps what is pushed, in the context."""
    Pushed.all.clear()
    context["ti"] = pushed = Pushed()
    return pushed


@pytest.mark.parametrize("mapped", [False, True])
def test_a_task_shows_its_upload(
    mapped: bool, new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records, marker: str, output: Path
) -> None:
    """Counts, names and rules: no record and no path."""
    sandbox.gerosense.script("ok", "422")
    records = [*samples(5), {"device_name": marker}]
    options: dict[str, Any] = {"task_id": "upload", "data_type": "steps", "max_rejected": 9}
    with new_dag() as dag:
        if mapped:
            GerosenseSamplesOperator.partial(**options).expand(source=[records])
        else:
            GerosenseSamplesOperator(source=records, **options)

    run = run_dag(dag)

    value = run.xcom("upload", KEY, 0 if mapped else -1)
    status = upload_status(value)
    assert status is not None
    assert (status.vendor, status.kind, status.conn_id) == ("gerosense", "steps", "gerosense_default")
    assert (status.label, status.state, status.error, status.attempt) == ("6 records", "done", "", 1)
    assert (status.read, status.total, status.delivered, status.invalid, status.refused) == (6, 6, 5, 1, 0)
    assert (status.rejected, status.requests, status.in_flight) == (1, {"2xx": 1}, 0)
    assert list(status.reasons.values()) == [1]
    assert list(status.faults.values()) == [1]
    assert status.started <= status.updated
    assert status.rate[-1][1] == 5
    text = json.dumps(value)
    assert marker not in text
    assert str(output) not in text
    assert run.xcom("upload", map_index=0 if mapped else -1)["invalid"] == 1


def test_the_upload_is_shown_from_its_start_and_while_it_runs(
    context: Any, ti: Pushed, sandbox: Sandbox, moods: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is there before the first request, and the counts rise."""
    monkeypatch.setattr(engine, "PROGRESS_SECONDS", 0.02)
    sandbox.thymia.latency = 0.02

    ThymiaUploadOperator(task_id="t", upload_type="mood", source=moods(60), max_in_flight=3).execute(context)

    states = [status.state for status in ti.all]
    delivered = [status.delivered for status in ti.all]
    assert (states[0], set(states[1:-1]), states[-1]) == ("delivering", {"delivering"}, "done")
    assert (delivered[0], delivered[-1]) == (0, 60)
    assert all(left <= right for left, right in itertools.pairwise(delivered))
    assert any(0 < count < 60 for count in delivered)
    assert any(status.in_flight for status in ti.all)
    assert {status.max_in_flight for status in ti.all} == {3}


@pytest.mark.parametrize(
    ("script", "given", "state", "error"),
    [
        ("401", {}, "failed", "RefusedError"),
        ("503 x9", {"max_attempts": 1}, "failed", "VendorDownError"),
        ("422 x9", {}, "rejected", "RejectsError"),
        ("429 retry-after=600", {"deferrable": True}, "deferred", ""),
    ],
)
def test_the_end_is_shown(
    script: str,
    given: dict[str, Any],
    state: str,
    error: str,
    context: Any,
    ti: Pushed,
    sandbox: Sandbox,
    moods: Records,
) -> None:
    """With the name of the error, and nothing of its text; of a wait without a worker slot, until when."""
    sandbox.thymia.script(script)
    operator = ThymiaUploadOperator(task_id="t", upload_type="mood", source=moods(2), max_in_flight=1, **given)

    with pytest.raises((AirflowException, TaskDeferred)):
        operator.execute(context)

    last = ti.all[-1]
    assert (last.state, last.error) == (state, error)
    assert (last.waiting is not None) == (state == "deferred")
    assert last.seconds_left is None
    assert last.refused == (2 if state == "rejected" else 0)


@pytest.mark.parametrize("given", [{"max_attempts": 0}, {"thymia_conn_id": "nowhere"}, {"source": "/nowhere/*.csv"}])
def test_an_upload_that_cannot_begin_is_shown(
    given: dict[str, Any], new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records
) -> None:
    """Somebody who looks for it finds it, red, with the error's name."""
    options = {"source": moods(1), **given}
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", **options)

    status = upload_status(run_dag(dag).xcom("upload", KEY))

    assert status is not None
    assert (status.vendor, status.kind, status.state, status.read) == ("thymia", "mood", "failed", 0)
    assert status.error in {"ArgumentError", "ConnectionSettingsError", "SourceError"}
    assert status.conn_id == given.get("thymia_conn_id", "thymia_default")


def test_an_upload_that_cannot_go_on_after_a_wait_keeps_its_counts(context: Any, ti: Pushed, people: Records) -> None:
    """What it delivered before the wait is not shown as nothing: Airflow says that the task failed."""
    operator = PtengineProfilesOperator(task_id="t", source=people(5), ptengine_conn_id="nowhere")

    with pytest.raises(AirflowException):
        operator.execute_complete(context)

    assert ti.all == []


def test_a_kill_is_shown(context: Any, ti: Pushed, sandbox: Sandbox, people: Records) -> None:
    """As stopped, with what became of each record."""
    sandbox.ptengine.script("ok", "hang x9")
    operator = PtengineProfilesOperator(task_id="t", source=people(500), max_in_flight=2, max_attempts=1)
    counts = sandbox.ptengine.counts

    def kill() -> None:
        while sandbox.ptengine.counts.records < 100 or sandbox.ptengine.counts.in_flight < 2:
            threading.Event().wait(0.01)
        assert operator._delivery is not None
        operator._delivery._grace = 0.0
        operator.on_kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(AirflowException, match="the task was killed"):
        operator.execute(context)
    killer.join()

    last = ti.all[-1]
    assert counts is not None
    assert (last.state, last.error, last.delivered, last.unknown, last.held) == (
        "stopped",
        "StoppedError",
        100,
        200,
        200,
    )
    assert last.requests == {"2xx": 1, "none": 2}


def test_an_attempt_shows_those_before_it(new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records) -> None:
    """Airflow removes an attempt's XComs when the next one begins: the checkpoint keeps how far it had come."""
    sandbox.thymia.script("ok x2", "503")
    with new_dag() as dag:
        ThymiaUploadOperator(
            task_id="upload", upload_type="mood", source=moods(5), max_in_flight=1, max_attempts=1, **SOON
        )

    run = run_dag(dag)

    status = upload_status(run.xcom("upload", KEY))
    assert status is not None
    assert run.tries("upload") == [2]
    assert (status.attempt, status.delivered, status.requests) == (2, 5, {"2xx": 5, "5xx": 1})
    assert [(one.number, one.delivered) for one in status.attempts] == [(1, 2)]
    assert status.rate[0] == (0.0, 2)


def labels(run: Any) -> list[Any]:
    """Return what Airflow shows in place of the map indexes of a run's task."""
    return [row[0] for row in run._rows("SELECT rendered_map_index FROM task_instance", "upload")]


@pytest.fixture
def renders_labels() -> None:
    """Skip on 3.0.0, which never renders a label."""
    if AIRFLOW_3:
        task_runner = pytest.importorskip("airflow.sdk.execution_time.task_runner")
        if not hasattr(task_runner, "_render_map_index"):
            pytest.skip("this Airflow renders no labels")


@pytest.mark.usefixtures("renders_labels")
def test_mapped_tasks_are_labelled_by_what_they_upload(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records, tmp_path: Path, marker: str
) -> None:
    """The number of records, or a file's name without its folder."""
    path = tmp_path / "day-1.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in moods(3)))
    with new_dag() as dag:
        upload = ThymiaUploadOperator.partial(task_id="upload", upload_type="mood")
        upload.expand(source=[moods(1), moods(1200), str(path), [str(path)], str(tmp_path / "day-*.jsonl")])

    run = run_dag(dag)

    expected = ["1 record", "1,200 records", "day-1.jsonl", "day-1.jsonl", "day-*.jsonl"]
    assert labels(run) == expected
    shown = [upload_status(run.xcom("upload", KEY, index)) for index in range(5)]
    assert [status.label for status in shown if status is not None] == expected


@pytest.mark.skipif(airflow_version() < (3, 2), reason="this Airflow labels a task when it ends")
def test_a_mapped_task_has_its_label_while_it_runs(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks for the upload of a file needn't wait for its end."""
    with new_dag() as dag:
        ThymiaUploadOperator.partial(task_id="upload", upload_type="mood").expand(source=[moods(7)])
    seen: list[Any] = []

    def look(*_: object) -> None:
        with contextlib.closing(sqlite3.connect(DATABASE)) as database:
            query = "SELECT rendered_map_index FROM task_instance WHERE dag_id = ?"
            seen.extend(database.execute(query, (dag.dag_id,)).fetchall())

    monkeypatch.setattr(LogObserver, "started", look)

    run_dag(dag)

    assert seen == [("7 records",)]


@pytest.mark.usefixtures("renders_labels")
def test_mapped_functions_are_labelled_by_their_argument(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records, tmp_path: Path
) -> None:
    """A list of records, or a file by its ending; another text may be somebody's name, and the index stays."""
    with new_dag() as dag:

        @thymia_upload_task(task_id="upload", upload_type="mood")
        def upload(given: Any) -> list[dict[str, Any]]:
            return moods(2)

        upload.expand(given=[moods(2), "/somewhere/day-1.csv.gz", "alice"])

    run = run_dag(dag)

    assert labels(run) == ["2 records", "day-1.csv.gz", None]


@pytest.mark.usefixtures("renders_labels")
def test_an_authors_own_label_stays(new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records) -> None:
    """Given to the operator, or to the function's decorator."""
    with new_dag() as dag:
        upload = ThymiaUploadOperator.partial(task_id="upload", upload_type="mood", map_index_template="mine")
        upload.expand(source=[moods(1)])
    with new_dag("2") as other:

        @thymia_upload_task(task_id="upload", upload_type="mood", map_index_template="my own")
        def function(given: Any) -> Any:
            return given

        function.expand(given=[moods(1)])
    with new_dag("3", default_args={"map_index_template": "by default"}) as third:
        ThymiaUploadOperator.partial(task_id="upload", upload_type="mood").expand(source=[moods(1)])

    assert [labels(run_dag(one)) for one in (dag, other, third)] == [["mine"], ["my own"], ["by default"]]


def test_the_log_says_what_goes_where_and_how_it_ended(
    new_dag: Any,
    run_dag: Any,
    sandbox: Sandbox,
    moods: Records,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: Any,
) -> None:
    """One line at the start, and one summary at the end, which says what to look at."""
    for day in (1, 2):
        text = "".join(json.dumps(record) + "\n" for record in moods(3)) + '{"bad": 1}\n' * (day == 2)
        (tmp_path / f"day-{day}.jsonl").write_text(text)
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="upload", upload_type="mood", source=str(tmp_path / "*.jsonl"), max_rejected=1)

    run_dag(dag)

    said = "".join(capfd.readouterr())
    start = f"Uploads 2 files matching {tmp_path}/*.jsonl to Thymia (mood) at {sandbox.url}, with connection "
    for text in (start, "Done: 7 read, 6 delivered, 1 invalid; 6 requests in"):
        # Airflow 2 may print a line by two handlers: there, the records are counted that they get.
        assert (
            said.count(text) == 1
            if AIRFLOW_3
            else [text in one.getMessage() for one in caplog.records].count(True) == 1
        )
    for line in ("By rule: T5, ", "Invalid: T5 ", "Rejected, held and unknown records", "Receipts: "):
        assert said.index("Done: 7 read") < said.index(line)
    assert not re.search(r"\[error|\bERROR\b", said)
