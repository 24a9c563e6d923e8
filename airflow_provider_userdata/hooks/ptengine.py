"""The connection to Ptengine."""

from __future__ import annotations

import requests

from airflow_provider_userdata import registry
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.vendors import ptengine

_NO_USERS = {"field_name": list[str](), "values": list[object]()}
"""A request's body that can only be refused: no `user_id` (P10). It names no attribute, and no user to store."""


class PtengineHook(VendorHook):
    """Connects to Ptengine with the API key of a project.

    The connection's password is the key; each project has its own (P1). Its host defaults to
    `https://api.ptengine.com`.

    :param ptengine_conn_id: the Airflow connection.
    """

    conn_name_attr = "ptengine_conn_id"
    default_conn_name = "ptengine_default"
    conn_type = "ptengine"
    hook_name = registry.registration("ptengine").title
    api_paths = (ptengine.PROFILES_PATH,)
    default_url = registry.registration("ptengine").url

    def __init__(self, ptengine_conn_id: str = default_conn_name) -> None:
        super().__init__(ptengine_conn_id)

    def _try(self, session: requests.Session) -> tuple[bool, str]:
        """Try the key without data: Ptengine has no request for a connection's test (P12)."""
        return self._try_key(session, ptengine.PROFILES_PATH, _NO_USERS)
