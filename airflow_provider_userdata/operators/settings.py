"""The settings of Airflow's section `[userdata]`."""

from __future__ import annotations

from airflow_provider_userdata.airflow_compat import ProvidersManager, conf

SECTION = "userdata"


def setting(name: str) -> str | None:
    """Return a setting as text, or None where it is not set or empty.

    One that provider_info.py marks as sensitive is also taken from its `_cmd` and its `_secret`, as Airflow takes its
    own.

    :param name: the setting's.
    """
    if not getattr(conf, "providers_configuration_loaded", True):
        # Before 3.2, a task's process doesn't know which settings of providers are sensitive.
        ProvidersManager().initialize_providers_configuration()  # type: ignore[no-untyped-call]
    value = conf.get(SECTION, name, fallback=None)
    return str(value).strip() or None if value is not None else None
