"""Leads Airflow's connections to the vendors to a sandbox, and nowhere else, for as long as a test runs."""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_userdata.sandbox.server import Sandbox

_PREFIX = "AIRFLOW_CONN_"
# Airflow asks a secrets backend before it asks the environment, and the environment before its database.
_BACKENDS = ("AIRFLOW__SECRETS__BACKEND", "AIRFLOW__WORKERS__SECRETS_BACKEND")


def lead_to(sandbox: Sandbox, changes: pytest.MonkeyPatch) -> None:
    """Set the sandbox's connections to the vendors, until the changes are undone.

    Connections of any name in the environment that lead to a vendor are led here, too: to GeroSense's direct API where
    they name it. A secrets backend that Airflow is set up with isn't asked meanwhile, for any connection or variable.

    :param sandbox: where they lead.
    :param changes: the test's own, so that what it sets itself is put back in the right order.
    """
    ours = sandbox.connections()
    theirs = {name: ours.get(_counterpart(value)) for name, value in os.environ.items() if name.startswith(_PREFIX)}
    for name, value in {**ours, **theirs}.items():
        if value is not None:
            changes.setenv(name, value)
    for name in _BACKENDS:
        changes.setenv(name, "")
    _forget_backends(changes)


def _counterpart(value: str) -> str:
    """Return the name of the sandbox's connection that a connection becomes: it is written as JSON, or as a URI."""
    kind, extra = _described(value.strip())
    is_direct = str(extra.get("api")).strip().lower() == "direct"
    return f"{_PREFIX}{kind.upper()}_{'DIRECT' if is_direct else 'DEFAULT'}"


def _described(text: str) -> tuple[str, dict[str, Any]]:
    """Return a connection's type and extra; neither if it can't be read."""
    try:
        if text.startswith("{"):
            fields = json.loads(text)
            return str(fields.get("conn_type")), _extra(fields.get("extra"))
        query = dict(parse_qsl(urlsplit(text).query))
        return text.partition("://")[0], {**query, **_extra(query.get("__extra__"))}
    except (ValueError, AttributeError):
        return "", {}


def _extra(value: Any) -> dict[str, Any]:
    found = json.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}


def _forget_backends(changes: pytest.MonkeyPatch) -> None:
    """Put aside the backends that an Airflow keeps which is loaded already; the core imports none."""
    for module in filter(None, map(sys.modules.get, ("airflow.configuration", "airflow.sdk.configuration"))):
        if "secrets_backend_list" in vars(module):
            changes.setattr(module, "secrets_backend_list", module.secrets_backend_list[-2:])  # its own two come last
        if "_secrets_backend_cache" in vars(module):  # from 3.3 on
            changes.setattr(module, "_secrets_backend_cache", {})
