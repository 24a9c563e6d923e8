"""The connection to GeroSense."""

from __future__ import annotations

import requests

from airflow_provider_userdata import registry
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.hooks.failures import answered, answered_without, decoded
from airflow_provider_userdata.vendors import gerosense

_NO_SAMPLES = {"data": list[object]()}
"""A request's body that can only be refused: no sample (G3), and not even their type (G2). It has nothing to store."""


class GerosenseHook(VendorHook):
    """Connects to a GeroSense API proxy with its bearer token.

    The connection's password is the token. Its host is the customer's own: there is no default (G1).

    :param gerosense_conn_id: the Airflow connection.
    """

    conn_name_attr = "gerosense_conn_id"
    default_conn_name = "gerosense_default"
    conn_type = "gerosense"
    hook_name = registry.registration("gerosense").title
    api_paths = (gerosense.SAMPLES_PATH, gerosense.STATUS_PATH)
    credential_name = "bearer token"

    def __init__(self, gerosense_conn_id: str = default_conn_name) -> None:
        super().__init__(gerosense_conn_id)

    def _try(self, session: requests.Session) -> tuple[bool, str]:
        """Ask for the service's status; unless it is in maintenance, try the token without samples (G13)."""
        response = session.get(self.get_url(gerosense.STATUS_PATH))
        if response.status_code != 200:
            return False, f"GeroSense {answered(response)}"
        status = decoded(response).get("status")
        if status == "Maintenance":
            return False, "GeroSense is in maintenance: uploads wait until it is over. The bearer token was not tried"
        if status != "Ok":
            return False, f"GeroSense {answered_without('a status that is known', response)}"
        return self._try_key(session, gerosense.SAMPLES_PATH, _NO_SAMPLES)
