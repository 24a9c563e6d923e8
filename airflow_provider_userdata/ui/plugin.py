"""Puts the page *User data* and the tab *Upload* into Airflow's UI.

Every task's process imports this module and creates the plugin, whatever the task: nothing is imported or built here
before Airflow's API server asks for it.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_userdata import registry
from airflow_provider_userdata.airflow_compat import AirflowPlugin
from airflow_provider_userdata.ui.support import has_pages, scopes_tabs

PREFIX = "/userdata"
"""The path below which Airflow serves the endpoints."""
PAGE = "User data"
TAB = "Upload"
"""The bundle defines a React component under each of these names; Airflow shows them as labels, too."""
BUNDLE = Path(__file__).parent / "static" / "main.js"

_log = logging.getLogger(__name__)


class UserdataPlugin(AirflowPlugin):
    """Registers the page, the tab and the endpoints. Airflow before 3.1.1 gets none of them."""

    name = "userdata"

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # a class attribute there
        """The endpoints."""
        return _fastapi_apps()

    @property
    def react_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The page, and the tab where it is shown."""
        return _react_apps()


# Cached: Airflow removes entries from these lists if their route is another plugin's, and expects to find them changed.
@functools.cache
def _fastapi_apps() -> list[dict[str, Any]]:
    if not has_pages():
        return []
    try:
        from airflow_provider_userdata.ui.api import app
    except Exception as error:  # noqa: BLE001  # an Airflow whose internals have moved must start even so
        _log.warning("The page %s can't be shown by this Airflow: %s: %s", PAGE, type(error).__name__, error)
        return []
    return [{"app": app, "url_prefix": PREFIX, "name": PAGE}]


@functools.cache
def _react_apps() -> list[dict[str, Any]]:
    if not _fastapi_apps() or not BUNDLE.exists():
        return []
    from airflow_provider_userdata.settings import setting

    bundle = _bundle_url()
    page = {"name": PAGE, "bundle_url": bundle, "destination": "nav", "category": "browse", "url_route": "userdata"}
    if not scopes_tabs() and (setting("tab_on_all_tasks") or "").lower() not in {"true", "t", "1"}:
        return [page]
    tab = {
        "name": TAB,
        "bundle_url": bundle,
        "destination": "task_instance",
        "url_route": "userdata-upload",
        "applies_to": {"operator_names": _operator_names()},
    }
    return [page, tab]


def _bundle_url() -> str:
    """Return where browsers get the bundle. The URL changes with its content, so that none of them shows an old one."""
    from airflow_provider_userdata.airflow_compat import conf

    base = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    return f"{base}{PREFIX}/static/{BUNDLE.name}?v={digest_of(BUNDLE.read_bytes())}"


def digest_of(bundle: bytes) -> str:
    """Return the part of the bundle's URL that changes with its content."""
    return hashlib.blake2b(bundle, digest_size=8).hexdigest()


def _operator_names() -> list[str]:
    """Return the names under which Airflow knows the tasks that upload: operators, and decorators."""
    operators = [vendor.operator.rpartition(".")[2] for vendor in registry.VENDORS]
    return [*operators, *(f"@task.{vendor.task}" for vendor in registry.VENDORS)]
