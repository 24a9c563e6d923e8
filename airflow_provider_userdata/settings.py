"""The settings of Airflow's section `[userdata]`, and the folder below AIRFLOW_HOME that is used without them."""

from __future__ import annotations

import os
from pathlib import Path

from airflow_provider_userdata.airflow_compat import ProvidersManager, conf

SECTION = "userdata"


def home() -> Path:
    """Return the folder `userdata` below AIRFLOW_HOME."""
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser().absolute() / "userdata"


def setting(name: str) -> str | None:
    """Return a setting as text, or None if it is not set or empty.

    A setting that provider_info.py marks as sensitive may also come from its `_cmd` or `_secret`, like Airflow's own.
    """
    if not getattr(conf, "providers_configuration_loaded", True):
        # Before 3.2, a task's process doesn't know which provider settings are sensitive.
        ProvidersManager().initialize_providers_configuration()  # type: ignore[no-untyped-call]
    value = conf.get(SECTION, name, fallback=None)
    return str(value).strip() or None if value is not None else None
