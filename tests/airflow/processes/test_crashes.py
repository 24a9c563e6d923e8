"""A task's process is killed, and Airflow starts another."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.upload_status import KEY, upload_status

RECORDS = 150
AT_ONCE = 4


def test_a_killed_task_goes_on_where_it_was(
    airflow: Any, userdata_sandbox: Sandbox, marker: str, tmp_path: Path
) -> None:
    """SIGKILL in the middle: the next attempt says where it goes on, and only what was in flight arrives twice.

    Meanwhile the UI shows the checkpoint and the upload: small, and without a record. The next attempt's upload shows
    how far this one had come.
    """
    thymia, pid_file = userdata_sandbox.thymia, tmp_path / "pid"
    thymia.latency = 0.1
    run = airflow.run("retried", count=RECORDS, pid_file=str(pid_file))
    airflow.wait(lambda: thymia.counts.records >= RECORDS // 3)
    shown = airflow.wait(lambda: (status := upload_status(run.xcom(KEY))) and status.delivered and status)
    assert (shown.state, shown.total, shown.label) == ("delivering", None, "")
    stored = run.stored()
    assert list(stored) == ["checkpoint"]
    for value in (stored["checkpoint"], json.dumps(shown.as_dict())):
        assert len(value) < 16 * 1024
        assert marker not in value
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    before = thymia.counts.records
    assert before < RECORDS - AT_ONCE
    assert run.ends() == "success"
    assert run.task()["try_number"] == 2
    went_on = re.search(r"Goes on where attempt 1-\w+ ended: (\d+) records have their fate", run.log(2))
    assert went_on
    assert before - AT_ONCE <= int(went_on[1]) <= before + AT_ONCE
    report, counts = run.xcom(), thymia.counts
    assert (report["read"], report["delivered"], counts.distinct) == (RECORDS, RECORDS, RECORDS)
    assert counts.records - RECORDS == counts.repeated <= report["resent"] <= AT_ONCE
    assert thymia.counts.requests <= RECORDS + AT_ONCE
    status = upload_status(run.xcom(KEY))
    assert status is not None
    assert (status.state, status.attempt, status.delivered) == ("done", 2, RECORDS)
    assert [(one.number, one.delivered) for one in status.attempts] == [(1, int(went_on[1]))]


def test_a_task_marked_as_failed_ends_and_can_go_on(airflow: Any, userdata_sandbox: Sandbox, tmp_path: Path) -> None:
    """Airflow ends its process: what was in flight is on record, so that nothing arrives twice after a clear."""
    thymia = userdata_sandbox.thymia
    thymia.latency = 0.1
    run = airflow.run("retried", count=RECORDS)
    airflow.wait(lambda: thymia.counts.records >= RECORDS // 5)
    run.mark_failed()
    airflow.wait(lambda: "Task killed!" in run.log())
    before = thymia.counts.records
    assert before < RECORDS - AT_ONCE
    assert f"{RECORDS} read, {before} delivered" in run.log()
    run.clear()
    assert run.ends() == "success"
    assert f"ended: {before} records have their fate" in run.log(2)
    assert (thymia.counts.records, thymia.counts.distinct) == (RECORDS, RECORDS)
    assert run.xcom()["delivered"] == RECORDS


def test_a_kill_after_the_last_record_sends_nothing_twice(airflow: Any, userdata_sandbox: Sandbox) -> None:
    """The next attempt gives the report of the one that was killed; a clear, though, sends all again."""
    run = airflow.run("killed_at_the_end", count=250)
    assert run.ends() == "success"
    task = run.task()
    assert (task["try_number"], task["max_tries"]) == (2, 2)
    counts = userdata_sandbox.ptengine.counts
    assert (counts.records, counts.requests) == (250, 3)
    assert "An earlier attempt had already finished: nothing was sent" in run.log(2)
    report = run.xcom()
    assert (report["delivered"], report["requests"]) == (250, 3)
    assert str(report["delivered"]) in run.log(1)

    run.clear()
    assert run.ends() == "success"
    task = run.task()
    assert (task["try_number"], task["max_tries"]) == (3, 4)
    counts = userdata_sandbox.ptengine.counts
    assert (counts.records, counts.repeated, counts.requests) == (500, 250, 6)
    assert "somebody cleared the task: all records are sent again" in run.log(3)
    assert run.xcom()["delivered"] == 250
