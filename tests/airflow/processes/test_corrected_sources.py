"""Somebody corrects the source of a task that was red for its rejects, and clears it: what every Airflow user does."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from airflow_provider_userdata.sandbox import Sandbox

COUNT, FAULTY = 6_000, 12


def samples(path: Path, name: str, *, count: int = COUNT, faulty: int = 0, value: int = 1) -> str:
    """Write samples, each one different, some of which GeroSense would refuse."""
    step = count // faulty if faulty else count + 1
    with path.open("w") as file:
        for number in range(1, count + 1):
            sample = {
                "device_name": name,
                "start_date": f"2024-05-{1 + number // 1440 % 28:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
                "unit": "count",
                "value": 0 if number % step == 0 else value,
            }
            file.write(json.dumps(sample) + "\n")
    return str(path)


def moods(path: Path, count: int, faulty: int) -> str:
    """Write moods, the first of which Thymia would refuse."""
    with path.open("w") as file:
        for number in range(count):
            data = {} if number < faulty else {"score": number}
            file.write(json.dumps({"user": {"userLabel": f"u{number}"}, "data": data}) + "\n")
    return str(path)


def of(report: dict[str, Any]) -> tuple[int, int, int]:
    """Give how many were read, delivered and rejected."""
    return report["read"], report["delivered"], report["rejected"]


def test_only_what_was_rejected_is_sent(airflow: Any, userdata_sandbox: Sandbox, tmp_path: Path) -> None:
    """Plain, incremental and mapped: 12 of 6,000 go out, green, with the counts of the whole run."""
    plain, incremental, first, second = (tmp_path / f"{name}.jsonl" for name in ("plain", "ledger", "one", "two"))

    def written(faulty: int) -> list[str]:
        return [samples(path, path.stem, faulty=faulty) for path in (plain, incremental, first, second)]

    paths = written(FAULTY)
    runs = [
        airflow.run("corrected", path=paths[0]),
        airflow.run("corrected_incremental", path=paths[1]),
        airflow.run("corrected_mapped", paths=paths[2:]),
    ]
    assert [run.ends() for run in runs] == ["failed"] * 3
    assert [of(run.xcom("report")) for run in runs[:2]] == [(COUNT, COUNT - FAULTY, FAULTY)] * 2
    assert "Correct them in the source, each in its place, and clear the task" in runs[0].log_file()
    before = userdata_sandbox.gerosense.counts
    assert before.records == 4 * (COUNT - FAULTY)

    written(0)
    for run in runs:
        run.clear()

    assert [run.ends() for run in runs] == ["success"] * 3
    assert [of(run.xcom()) for run in runs[:2]] == [(COUNT, COUNT, 0)] * 2
    counts = userdata_sandbox.gerosense.counts
    assert (counts.records, counts.distinct, counts.requests - before.requests) == (4 * COUNT, 4 * COUNT, 4)


def test_a_delivered_row_that_changed_is_refused(airflow: Any, userdata_sandbox: Sandbox, tmp_path: Path) -> None:
    """The way out is named, nothing is sent; put right, with rows added, it sends what is missing."""
    path = samples(tmp_path / "source.jsonl", "watch", count=60, faulty=12)
    run = airflow.run("corrected", path=path)
    assert run.ends() == "failed"
    before = userdata_sandbox.gerosense.counts

    samples(tmp_path / "source.jsonl", "watch", count=60, value=2)
    run.clear()
    assert run.ends() == "failed"
    assert (
        "Correct only what was rejected, each in its place, take no row out, and add new records at the end"
        in run.log_file(2)
    )
    assert userdata_sandbox.gerosense.counts == before

    samples(tmp_path / "source.jsonl", "watch", count=65)
    run.clear()
    assert run.ends() == "success"
    assert of(run.xcom()) == (65, 65, 0)
    assert userdata_sandbox.gerosense.counts.records == 65


def test_a_kill_in_the_middle_loses_none(airflow: Any, userdata_sandbox: Sandbox, tmp_path: Path) -> None:
    """The process is killed after a part of what was corrected has arrived: the next attempt sends the rest."""
    thymia, pid = userdata_sandbox.thymia, tmp_path / "pid"
    run = airflow.run("corrected_slowly", path=moods(tmp_path / "source.jsonl", 60, 40), pid_file=str(pid))
    assert run.ends() == "failed"
    assert thymia.counts.records == 20

    moods(tmp_path / "source.jsonl", 60, 0)
    thymia.latency = 0.1
    run.clear()
    airflow.wait(lambda: thymia.counts.records >= 30)
    os.kill(int(pid.read_text()), signal.SIGKILL)

    assert run.ends() == "success"
    assert of(run.xcom()) == (60, 60, 0)
    assert thymia.counts.distinct == 60
    assert thymia.counts.repeated <= 1
