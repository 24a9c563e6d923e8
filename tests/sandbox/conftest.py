"""A sandbox, and a client that is as plain as can be."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import airflow_provider_userdata
from airflow_provider_userdata.pytest_plugin import userdata_sandbox, userdata_sandbox_server
from airflow_provider_userdata.sandbox import Sandbox

__all__ = ["userdata_sandbox", "userdata_sandbox_server"]

PATHS = {"thymia": "/v1/user-data/mood", "gerosense": "/api/v1.1/samples", "ptengine": "/v1/user/profiles"}


@pytest.fixture
def sandbox(userdata_sandbox: Sandbox) -> Sandbox:
    """Give the three vendors, reset."""
    return userdata_sandbox


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    """One client for all tests."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def send(sandbox: Sandbox, session: requests.Session) -> Callable[..., requests.Response]:
    """Post a value, as JSON and with the key, to a vendor: ``send("thymia", value)``."""

    def post(vendor: str, value: Any, *, path: str = "", **headers: str | None) -> requests.Response:
        key = sandbox.vendors[vendor].key
        own = {"x-api-key": key} if vendor == "thymia" else {"Authorization": f"Bearer {key}"}
        sent = {"Content-Type": "application/json", **own, **{k.replace("_", "-"): v for k, v in headers.items()}}
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        kept = {name: text for name, text in sent.items() if text is not None}
        address = sandbox.url + (path or PATHS[vendor])
        return session.post(address, data=body, headers=kept, timeout=5, allow_redirects=False)

    return post


@pytest.fixture
def valid() -> Callable[[str], dict[str, Any]]:
    """Make a body that a vendor accepts, fresh every time: ``valid("gerosense")``."""

    def body(vendor: str) -> dict[str, Any]:
        if vendor == "thymia":
            return {"user": {"userLabel": "user-12345"}, "data": {"score": 7}}
        if vendor == "ptengine":
            return {"field_name": ["user_id", "plan"], "values": [["u1", "free"], ["u2", ""]]}
        day = "2023-11-01T08:04:5"
        return {
            "data_type": "steps",
            "data": [
                {
                    "device_name": "iPhone",
                    "device_version": "17.0.3",
                    "start_date": f"{day}{second}.000+04:00",
                    "end_date": f"{day}9.000+04:00",
                    "value": 14,
                    "unit": "count",
                }
                for second in range(4)
            ],
        }

    return body


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Give an environment whose Python finds the package, installed or not."""
    root = Path(airflow_provider_userdata.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(root)}
