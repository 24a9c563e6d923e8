"""An auth manager that hides DAGs from the viewer: Airflow's simple one knows roles alone."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager


class HidingAuthManager(SimpleAuthManager):
    """The viewer may not see DAGs whose name begins with `hidden_`."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **asked: Any) -> bool:
        """Return whether a user may do something with a DAG."""
        if user.username == "viewer" and details and details.id and details.id.startswith("hidden_"):
            return False
        return bool(super().is_authorized_dag(user=user, details=details, **asked))
