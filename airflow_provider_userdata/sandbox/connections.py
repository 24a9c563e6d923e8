"""Leads Airflow's connections to the vendors to a sandbox, and nowhere else, for as long as a test runs."""

from __future__ import annotations

import json
import os
import sys

import pytest

from airflow_provider_userdata.sandbox.server import Sandbox

_PREFIX = "AIRFLOW_CONN_"
# Airflow asks a secrets backend before it asks the environment, and the environment before its database.
_BACKENDS = ("AIRFLOW__SECRETS__BACKEND", "AIRFLOW__WORKERS__SECRETS_BACKEND")


def lead_to(sandbox: Sandbox, changes: pytest.MonkeyPatch) -> None:
    """Set the default connections of the vendors, until the changes are undone.

    Connections of other names in the environment that lead to a vendor are led here, too. A secrets backend that
    Airflow is set up with isn't asked meanwhile, for any connection or variable.

    :param sandbox: where they lead.
    :param changes: the test's own, so that what it sets itself is put back in the right order.
    """
    defaults = sandbox.connections()
    for name, value in [item for item in os.environ.items() if item[0].startswith(_PREFIX)]:
        default = f"{_PREFIX}{_kind(value).upper()}_DEFAULT"
        if default in defaults:
            changes.setenv(name, defaults[default])
    for name, value in defaults.items():
        changes.setenv(name, value)
    for name in _BACKENDS:
        changes.setenv(name, "")
    _forget_backends(changes)


def _kind(value: str) -> str:
    """Return a connection's type: it is written as JSON, or as a URI."""
    text = value.strip()
    if not text.startswith("{"):
        return text.partition("://")[0]
    try:
        return str(json.loads(text).get("conn_type"))
    except ValueError:
        return ""


def _forget_backends(changes: pytest.MonkeyPatch) -> None:
    """Put aside the backends that an Airflow keeps which is loaded already; the core imports none."""
    for module in filter(None, map(sys.modules.get, ("airflow.configuration", "airflow.sdk.configuration"))):
        if "secrets_backend_list" in vars(module):
            changes.setattr(module, "secrets_backend_list", module.secrets_backend_list[-2:])  # its own two come last
        if "_secrets_backend_cache" in vars(module):  # from 3.3 on
            changes.setattr(module, "_secrets_backend_cache", {})
