"""The sandbox as a pytest fixture.

Opt in with ``pytest_plugins = ["airflow_provider_userdata.sandbox.pytest_plugin"]`` in the top ``conftest.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_userdata.sandbox.connections import lead_to
from airflow_provider_userdata.sandbox.server import Sandbox


@pytest.fixture(scope="session")
def userdata_sandbox_server() -> Iterator[Sandbox]:
    """One sandbox for all tests, that keeps all that arrives."""
    with Sandbox(keep=None) as sandbox:
        yield sandbox


@pytest.fixture
def userdata_sandbox(userdata_sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Give a test the three vendors, as if nothing had ever arrived; Airflow's connections lead there.

    Whatever the shell, a secrets backend or Airflow's database know of the real vendors, the three default connections
    lead to the sandbox while the test runs, and so do connections in the environment that have other names.
    """
    userdata_sandbox_server.reset()
    lead_to(userdata_sandbox_server, monkeypatch)
    yield userdata_sandbox_server
    userdata_sandbox_server.reset()
