"""The examples on the vendors' own pages work against the sandbox, once host and key are replaced."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from airflow_provider_userdata.sandbox import Sandbox

EXAMPLES = Path(__file__).parent / "examples"
CONAN = {"user_id": "abcd456", "watch_conan": "yes", "watch_attack_on_titan": "yes"}


def example(name: str, sandbox: Sandbox, *changes: tuple[str, str]) -> str:
    """Read an example, with the sandbox's address and key in it."""
    text = (EXAMPLES / f"{name}.txt").read_text()
    vendor = name.split("_", maxsplit=1)[0]
    places = (
        ("https://api.ptengine.com", sandbox.url),
        ("https://api.example.com", sandbox.url),
        ("https://<api-proxy-hostname>", sandbox.url),
    )
    keys = [(blank, sandbox.vendors[vendor].key) for blank in ("<API_KEY>", "<apiKey>", "<token>")]
    assert all(old in text for old, _ in changes)
    for old, new in (*places, *keys, *changes):
        text = text.replace(old, new)
    return text


def node(script: str, *arguments: str) -> str:
    """Run a script with Node, where that is installed."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed")
    done = subprocess.run([program, *arguments, "-"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ptengines_python_example_works(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints Success, and the three users have arrived."""
    exec(example("ptengine_python", sandbox), {})

    assert "'msg': 'Success'" in capsys.readouterr().out
    assert CONAN in sandbox.ptengine.arrived()
    assert sandbox.ptengine.counts.records == 3


def test_ptengines_node_example_works(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints Success, and the three users have arrived; axios is replaced by the few lines that it needs."""
    (tmp_path / "axios.js").write_text((EXAMPLES / "axios.txt").read_text())
    monkeypatch.setenv("NODE_PATH", str(tmp_path))

    assert "msg: 'Success'" in node(example("ptengine_node", sandbox))
    assert CONAN in sandbox.ptengine.arrived()
    assert sandbox.ptengine.counts.records == 3


def test_thymias_python_example_works_once_it_is_complete(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The example leaves out ``data``, which its own page requires: with it, it prints an upload's id."""
    exec(example("thymia_python", sandbox, ('"user-12345" }', '"user-12345" }, "data": { "score": 7 }')), {})

    assert "uploadId" in capsys.readouterr().out
    assert sandbox.thymia.arrived() == [{"user": {"userLabel": "user-12345"}, "data": {"score": 7}}]


def test_thymias_python_example_as_it_stands_is_refused(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Without ``data`` it is told what it lacks."""
    exec(example("thymia_python", sandbox), {})

    assert "'loc': ['body', 'data']" in capsys.readouterr().out
    assert sandbox.thymia.arrived() == []


def test_thymias_node_example_works_once_it_is_complete(sandbox: Sandbox) -> None:
    """The same in JavaScript."""
    script = example("thymia_node", sandbox, ('"user-12345"}', '"user-12345"},"data":{}'))

    assert "uploadId" in node(script, "--input-type=module")
    assert sandbox.thymia.arrived() == [{"user": {"userLabel": "user-12345"}, "data": {}}]


def test_gerosenses_curl_example_works_once_it_is_complete(sandbox: Sandbox) -> None:
    """The example stops at two samples and three dots: with a third sample, it is accepted."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    third = '{"device_name": "iPhone", "start_date": "2023-11-01T10:00:00Z", "value": 3, "unit": "count"}'
    command = example("gerosense_curl", sandbox, ("...\n", f"{third}\n"), ("curl -X", "curl -sS --fail -X"))

    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, env={**os.environ, "no_proxy": "127.0.0.1"}
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert [sample["value"] for sample in sandbox.gerosense.arrived()] == [14, 24, 3]
