"""What this Airflow's UI can show."""

from __future__ import annotations

from airflow_provider_userdata.airflow_compat import airflow_version


def has_pages() -> bool:
    """Return whether this Airflow shows a package's own pages, and knows who asks their endpoints."""
    return airflow_version() >= (3, 1, 1)


def scopes_tabs() -> bool:
    """Return whether this Airflow shows a tab only on the tasks that it is for. Before 3.4, it is on all tasks."""
    return airflow_version() >= (3, 4)
