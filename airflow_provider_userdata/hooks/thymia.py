"""The connection to Thymia."""

from __future__ import annotations

import requests

from airflow_provider_userdata import registry
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.hooks.failures import answered, answered_without, decoded
from airflow_provider_userdata.vendors import thymia


class ThymiaHook(VendorHook):
    """Connects to Thymia with an API activation key.

    The connection's password is the key. Its host defaults to `https://api.thymia.ai`; other regions have their own
    hosts (T3).

    :param thymia_conn_id: the Airflow connection.
    """

    conn_name_attr = "thymia_conn_id"
    default_conn_name = "thymia_default"
    conn_type = "thymia"
    hook_name = registry.registration("thymia").title
    api_paths = (thymia.UPLOAD_PATH, thymia.ACCOUNT_PATH)
    default_url = registry.registration("thymia").url
    credential_name = "API activation key"

    def __init__(self, thymia_conn_id: str = default_conn_name) -> None:
        super().__init__(thymia_conn_id)

    def auth_headers(self, credential: str) -> dict[str, str]:
        """Return the header that carries the key (T2)."""
        return {"x-api-key": credential}

    def _try(self, session: requests.Session) -> tuple[bool, str]:
        """Ask for the key's account, which sends no data and needs the key (T12)."""
        response = session.get(self.get_url(thymia.ACCOUNT_PATH))
        if response.status_code != 200:
            return False, f"Thymia {answered(response)}"
        if "id" not in decoded(response):
            return False, f"Thymia {answered_without('an account', response)}"
        return True, "Thymia accepts the API activation key"
