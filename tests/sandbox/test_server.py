"""The sandbox starts, listens to this machine only, and ends."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox

Send = Callable[..., requests.Response]
Valid = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    """Whoever reaches the sandbox sees what was sent to it, so nobody else does."""
    with pytest.raises(ValueError, match="loopback"):
        Sandbox(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_any_loopback_address_will_do(host: str) -> None:
    """By name, or in IPv6."""
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with Sandbox(host=host) as sandbox:
            assert requests.get(f"{sandbox.url}/api/status", timeout=5).status_code == 200
    except OSError as error:
        if ":" not in host or isinstance(error, requests.RequestException):
            raise
        pytest.skip("no IPv6 here")


def test_a_port_that_is_taken_is_an_error_where_it_starts(sandbox: Sandbox) -> None:
    """The thread's error is the caller's."""
    port = int(sandbox.url.rpartition(":")[2])

    with pytest.raises(OSError, match="address already in use"):
        Sandbox(port=port).start()


def test_a_port_that_cannot_be_is_an_error_too() -> None:
    """Whatever goes wrong, nobody waits for ever."""
    with pytest.raises(OverflowError):
        Sandbox(port=70000).start()


@pytest.mark.alone
def test_a_hanging_request_does_not_keep_it_from_ending(valid: Valid, caplog: pytest.LogCaptureFixture) -> None:
    """Hung, slow and idle connections are closed at once."""
    errors: list[Exception] = []

    def post(url: str) -> None:
        try:
            requests.post(f"{url}/v1/user-data/mood", json=valid("thymia"), timeout=30)
        except requests.RequestException as error:
            errors.append(error)

    with Sandbox() as sandbox:
        sandbox.thymia.script("hang", "ok latency=60")
        threads = [threading.Thread(target=post, args=(sandbox.url,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        while sandbox.thymia.counts.in_flight < 2:
            time.sleep(0.002)
        started = time.monotonic()

    assert time.monotonic() - started < 2
    for thread in threads:
        thread.join(5)
    assert len(errors) == 2
    assert caplog.records == []
    assert sandbox.thymia.counts.records == 0


def test_it_has_no_address_once_it_has_ended() -> None:
    """What doesn't run has no URL; to end twice does no harm."""
    sandbox = Sandbox()
    with sandbox:
        assert sandbox.page == f"{sandbox.url}/sandbox"
    sandbox.stop()

    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    with pytest.raises(RuntimeError, match="once"):
        sandbox.start()


@pytest.mark.parametrize(
    ("method", "path", "status", "key"),
    [
        ("POST", "/v1/user-data", 404, "detail"),
        ("POST", "/v1/user/nothing", 404, "msg"),
        ("POST", "/api/v9.9/samples", 404, "message"),
        ("GET", "/", 404, "detail"),
        ("GET", "/v1/user-data/mood", 405, "detail"),
        ("PUT", "/api/v1.1/samples", 405, "message"),
        ("PATCH", "/v1/user/profiles", 405, "msg"),
    ],
)
def test_wrong_paths_and_methods_are_refused_in_the_vendors_words(
    sandbox: Sandbox, session: requests.Session, method: str, path: str, status: int, key: str
) -> None:
    """404 and 405 are JSON, and count as no upload."""
    answer = session.request(method, sandbox.url + path, timeout=5)

    assert answer.status_code == status
    assert answer.json()[key]
    assert answer.headers.get("Allow") == ("POST" if status == 405 else None)
    assert all(vendor.counts.requests == 0 for vendor in sandbox.vendors.values())


def test_connections_lead_airflow_here(sandbox: Sandbox) -> None:
    """One environment variable a vendor, as Airflow reads connections, and one for GeroSense's direct API."""
    connections = sandbox.connections()

    direct = "AIRFLOW_CONN_GEROSENSE_DIRECT"
    assert connections.keys() == {direct, *(f"AIRFLOW_CONN_{name.upper()}_DEFAULT" for name in SANDBOX_KEYS)}
    assert json.loads(connections[direct]) == {
        "conn_type": "gerosense",
        "host": sandbox.url,
        "login": "sandbox-gerosense-account",
        "password": SANDBOX_KEYS["gerosense"],
        "extra": {"api": "direct"},
    }
    assert json.loads(connections["AIRFLOW_CONN_THYMIA_DEFAULT"]) == {
        "conn_type": "thymia",
        "host": sandbox.url,
        "password": SANDBOX_KEYS["thymia"],
    }


def test_it_is_independent_and_light(environment: dict[str, str]) -> None:
    """It imports neither Airflow nor the side that it is the other side of."""
    script = "import sys, airflow_provider_userdata.sandbox.__main__; print(*sys.modules)"

    modules = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "airflow" not in modules
    assert "msgspec" not in modules
    assert not [name for name in modules if name.startswith("airflow_provider_userdata.vendors")]


def test_the_fixture_can_be_opted_in_to(tmp_path: Path, environment: dict[str, str]) -> None:
    """One line in a conftest gives a test the vendors, and the next test finds them reset."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["airflow_provider_userdata.sandbox.pytest_plugin"]\n')
    (tmp_path / "test_it.py").write_text(
        "import pytest, requests\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_it(userdata_sandbox, n):\n"
        "    assert userdata_sandbox.ptengine.counts.requests == 0\n"
        "    requests.post(userdata_sandbox.url + '/v1/user/profiles', timeout=5)\n"
        "    assert userdata_sandbox.ptengine.counts.by_status == {401: 1}\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        env={**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "2 passed" in done.stdout, done.stdout
