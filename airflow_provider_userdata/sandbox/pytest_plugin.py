"""The fixtures under the name that `pytest_plugins` had to give before pytest found them by itself."""

from __future__ import annotations

from airflow_provider_userdata.pytest_plugin import userdata_sandbox, userdata_sandbox_server

__all__ = ["userdata_sandbox", "userdata_sandbox_server"]
