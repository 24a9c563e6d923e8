"""``python -m airflow_provider_userdata.sandbox`` says what one needs to know, and ends when it is told to."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from airflow_provider_userdata.sandbox import SANDBOX_KEYS
from airflow_provider_userdata.sandbox.__main__ import main

COMMAND = [sys.executable, "-m", "airflow_provider_userdata.sandbox"]


@pytest.fixture
def running(tmp_path: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run the command, until its ready file is there."""
    ready = tmp_path / "ready.json"
    options = ["--ready-file", str(ready), "--fault", "ptengine=429 retry-after=2", "--fault", "ptengine=503"]
    with subprocess.Popen([*COMMAND, *options], env=environment, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not ready.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_it_is_told_to_end(
    running: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    """The ready file tells address and process, the output all the rest, and both signals end it with 0."""
    ready = json.loads((tmp_path / "ready.json").read_text())
    assert ready["pid"] == running.pid
    headers = {"Authorization": f"Bearer {SANDBOX_KEYS['ptengine']}"}
    statuses = [
        requests.post(f"{ready['url']}/v1/user/profiles", headers=headers, json={}, timeout=5).status_code
        for _ in range(3)
    ]
    assert statuses == [429, 503, 400]

    running.send_signal(number)
    output, _ = running.communicate(timeout=60)

    assert running.returncode == 0
    assert f"{ready['url']}/sandbox\n" in output
    exports = [shlex.split(line)[1].split("=", 1) for line in output.splitlines() if "export" in line]
    assert [json.loads(value)["password"] for _, value in exports[:3]] == list(SANDBOX_KEYS.values())
    ((name, direct),) = exports[3:]
    assert (name, json.loads(direct)["login"] in output.partition("export " + name)[0]) == (
        "AIRFLOW_CONN_GEROSENSE_DIRECT",
        True,
    )
    assert all(f"  {name} " in output for name in SANDBOX_KEYS)
    assert not (tmp_path / "ready.json").exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "loopback"),
        (["--fault", "503"], "VENDOR=TEXT"),
        (["--fault", "nobody=503"], "VENDOR=TEXT"),
        (["--fault", "thymia=odd"], "no fault"),
        (["--latency", "-1"], "seconds"),
        (["--latency", "soon"], "soon"),
    ],
)
def test_a_wrong_argument_is_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 2 and says why, before it listens."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_port_out_of_range_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """What keeps it from listening is said in one line, and its status is 1."""
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        assert main(["--port", "70000"]) == 1
    finally:
        signal.signal(signal.SIGINT, handlers[0])
        signal.signal(signal.SIGTERM, handlers[1])
    assert "cannot start" in capsys.readouterr().err
