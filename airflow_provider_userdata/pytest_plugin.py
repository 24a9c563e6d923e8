"""The sandbox as pytest fixtures, for the tests of anybody's DAGs. pytest finds them by itself.

pytest imports this in every run, so what the fixtures need is imported when one is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_userdata.sandbox import Sandbox


@pytest.fixture(scope="session")
def userdata_sandbox_server() -> Iterator[Sandbox]:
    """One sandbox for all tests, that keeps all that arrives."""
    from airflow_provider_userdata.sandbox import Sandbox

    with Sandbox(keep=None) as sandbox:
        yield sandbox


@pytest.fixture
def userdata_sandbox(userdata_sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Return the vendors, reset; Airflow's connections lead there.

    Whatever the shell, a secrets backend or Airflow's database know of the real vendors, the three default connections
    and `gerosense_direct` lead to the sandbox while the test runs, and so do connections in the environment that have
    other names.
    """
    from airflow_provider_userdata.sandbox.connections import lead_to

    userdata_sandbox_server.reset()
    lead_to(userdata_sandbox_server, monkeypatch)
    yield userdata_sandbox_server
    userdata_sandbox_server.reset()
