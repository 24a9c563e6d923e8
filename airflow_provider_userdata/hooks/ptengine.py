"""The connection to Ptengine."""

from __future__ import annotations

import requests

from airflow_provider_userdata import registry
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.hooks.failures import barred
from airflow_provider_userdata.vendors import ptengine


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
        """Reach the address and check its certificate, without the key: every known request changes data (P12)."""
        session.headers.pop("Authorization")
        response = session.get(self.get_url("/"), allow_redirects=False)
        if said := barred(response):
            return False, f"Ptengine {said}"
        return True, "Ptengine's address answers; the key was not tried, since Ptengine has no request without effect"
