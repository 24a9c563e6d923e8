"""The connection to GeroSense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from airflow_provider_userdata import registry
from airflow_provider_userdata.errors import ConnectionSettingsError, VendorDownError
from airflow_provider_userdata.hooks import address, extras
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.hooks.failures import answered, answered_without, decoded
from airflow_provider_userdata.vendors import Answer, Stop, gerosense, gerosense_direct
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_direct import GeroSenseDirect

_NO_SAMPLES = {"data": list[object]()}
"""A request's body that can only be refused: no sample (G3), and not even their type (G2). It has nothing to store."""

_DIRECT = GeroSenseDirect(GeroSense("steps"))
"""What logs in, whatever kind of samples there are."""


class GerosenseHook(VendorHook):
    """Connects to a GeroSense API proxy with its bearer token, or to the direct API with a login (G14).

    With a proxy, the connection's password is the token, and its host is the customer's own: there is no default (G1).
    With `"api": "direct"` in its extra, login and password are the account's.

    :param gerosense_conn_id: the Airflow connection.
    :param user_tokens: whether each user has a token of its own, so that the connection needs none.
    """

    conn_name_attr = "gerosense_conn_id"
    default_conn_name = "gerosense_default"
    conn_type = "gerosense"
    hook_name = registry.registration("gerosense").title
    api_paths = (
        gerosense.SAMPLES_PATH,
        gerosense.STATUS_PATH,
        gerosense_direct.SAMPLES_PATH,
        gerosense_direct.LOGIN_PATH,
    )
    credential_name = "bearer token"

    def __init__(self, gerosense_conn_id: str = default_conn_name, *, user_tokens: bool = False) -> None:
        super().__init__(gerosense_conn_id)
        self._user_tokens = user_tokens

    def is_direct(self) -> bool:
        """Return whether the connection leads to the direct API.

        :raises ConnectionSettingsError: if its extra says neither.
        """
        return _is_direct(self._connection())

    def get_conn(self) -> requests.Session:
        """Return a session with the credential and the connection's settings; with the direct API, log in.

        :raises ConnectionSettingsError: if the connection lacks a setting, or has one that can't work.
        :raises VendorDownError: if the login is not answered as it should be.
        """
        session = super().get_conn()
        login = self._login(self._connection())
        if login is not None:
            session.headers.update(self._token(session, *login))
        return session

    def _token(self, session: requests.Session, name: str, password: str) -> Mapping[str, str]:
        request = _DIRECT.login(name, password)
        response = session.post(
            self.get_url(request.path), data=request.body, headers={"Content-Type": request.content_type}
        )
        found = _DIRECT.token(Answer(response.status_code, response.headers, response.content))
        if isinstance(found, Mapping):
            return found
        kind = ConnectionSettingsError if isinstance(found, Stop) else VendorDownError
        raise kind(f"connection {self._conn_id!r}: GeroSense {getattr(found, 'reason', 'gave no token')}")

    def _base_url(self, connection: Any) -> str:
        default = gerosense_direct.URL if _is_direct(connection) else None
        return address.base_url(connection, default, self.api_paths)

    def _headers(self, connection: Any) -> dict[str, str]:
        return {} if self._user_tokens or _is_direct(connection) else super()._headers(connection)

    def _login(self, connection: Any) -> tuple[str, str] | None:
        if not _is_direct(connection):
            return None
        name, password = (connection.login or "").strip(), connection.password or ""
        if not name or not password.strip():
            raise extras.wrong(connection, "the direct API needs the login and the password that GeroSense gave you")
        return name, password

    def _tested(self) -> tuple[bool, str]:
        """Try the connection. Without a password, try its address alone: the operator may have a token for each user.

        That is no success all the same: most connections without a password are mistakes, and a task would fail.
        """
        connection = self._connection()
        if self._user_tokens or _is_direct(connection) or (connection.password or "").strip():
            return super()._tested()
        _, said = GerosenseHook(self._conn_id, user_tokens=True)._tested()
        return False, (
            f"connection {self._conn_id!r} has no password: it is the vendor's {self.credential_name}, which a task "
            f"needs unless it has `token`, one for each user. Without it, only the address was tried: {said}"
        )

    def _try(self, session: requests.Session) -> tuple[bool, str]:
        """Ask for the service's status; unless it is in maintenance, try the token without samples (G13).

        The direct API has no status, and the login has tried the account.
        """
        if self.is_direct():
            return True, "GeroSense accepts the login"
        response = session.get(self.get_url(gerosense.STATUS_PATH))
        if response.status_code != 200:
            return False, f"GeroSense {answered(response)}"
        status = decoded(response).get("status")
        if status == "Maintenance":
            return False, "GeroSense is in maintenance: uploads wait until it is over. The bearer token was not tried"
        if status != "Ok":
            return False, f"GeroSense {answered_without('a status that is known', response)}"
        if self._user_tokens:
            return True, "GeroSense takes requests there"
        return self._try_key(session, gerosense.SAMPLES_PATH, _NO_SAMPLES)


def _is_direct(connection: Any) -> bool:
    wanted = "'proxy' or 'direct'"
    return extras.extra_text(connection, "api", {"proxy", "direct"}.__contains__, wanted) == "direct"
