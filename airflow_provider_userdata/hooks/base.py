"""The base of all vendors' hooks: a `requests` session, an endpoint for deliveries, a connection test."""

from __future__ import annotations

from typing import Any, ClassVar

import requests

from airflow_provider_userdata.airflow_compat import AirflowNotFoundException, BaseHook
from airflow_provider_userdata.delivery.sending import Endpoint
from airflow_provider_userdata.errors import ConnectionSettingsError, UserdataError
from airflow_provider_userdata.hooks import address, certificates, extras, forms
from airflow_provider_userdata.hooks.credential import credential
from airflow_provider_userdata.hooks.failures import explained
from airflow_provider_userdata.hooks.key_trial import try_key
from airflow_provider_userdata.hooks.remarks import remarks
from airflow_provider_userdata.hooks.session import proxy_of, session_of


class VendorHook(BaseHook):
    """Reads a vendor's address and credential from an Airflow connection.

    :param conn_id: the Airflow connection.
    """

    conn_name_attr: ClassVar[str]
    default_conn_name: ClassVar[str]
    conn_type: ClassVar[str]
    hook_name: ClassVar[str]
    default_url: ClassVar[str | None] = None
    api_paths: ClassVar[tuple[str, ...]] = ()
    credential_name: ClassVar[str] = "API key"

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self._conn_id = conn_id

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Copy the two methods below into each hook: Airflow before 3.2 doesn't look for them in base classes."""
        super().__init_subclass__(**kwargs)
        for name in ("get_ui_field_behaviour", "get_connection_form_widgets"):
            setattr(cls, name, VendorHook.__dict__[name])

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how the form shows its standard fields, for Airflow before 3.2."""
        return forms.field_behaviour(cls.conn_type)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's extra fields, for Airflow before 3.2."""
        return forms.form_widgets(cls.conn_type)

    def auth_headers(self, credential: str) -> dict[str, str]:
        """Return the headers that carry the credential."""
        return {"Authorization": f"Bearer {credential}"}

    def get_conn(self) -> requests.Session:
        """Return a session with the credential and the connection's settings.

        Its requests have the connection's timeout. A redirect is an error: it would carry the credential elsewhere.

        :raises ConnectionSettingsError: if the connection lacks a setting, or has one that can't work.
        """
        return self._session(self._connection())

    def get_url(self, path: str = "") -> str:
        """Return the connection's address, or a path below it.

        :param path: the path, with a slash at its beginning.
        :raises ConnectionSettingsError: if the connection has no host, or one that can't be used.
        """
        return self._base_url(self._connection()) + path

    def endpoint(self) -> Endpoint:
        """Return the address, credential and settings for a delivery, the same as those of `get_conn()`.

        :raises ConnectionSettingsError: if the connection lacks a setting, or has one that can't work.
        """
        connection = self._connection()
        url = self._base_url(connection)
        with self._session(connection) as session:
            settings = session.merge_environment_settings(url, {}, None, None, None)
        proxy = proxy_of(url, settings["proxies"], self._conn_id)
        tls = any(place is not None and place.startswith("https:") for place in (url, proxy))
        own = isinstance(session.verify, str)  # read even without TLS, so that a mistake in it shows early
        for remark in [*self._twice(url), *self._remarks(connection)]:
            self.log.warning("connection %r: %s", self._conn_id, remark)
        return Endpoint(
            url=url,
            headers=self._headers(connection),
            timeout=extras.timeout(connection),
            tls=certificates.trusted(settings, self._conn_id, own=own) if tls or own else True,
            proxy=proxy,
            connection=self._conn_id,
            login=self._login(connection),
        )

    def test_connection(self) -> tuple[bool, str]:
        """Try address and key without sending data; return whether they work, and the text that Airflow shows."""
        try:
            works, said = self._tested()
        except UserdataError as error:
            works, said = False, str(error)
        # In Airflow's form, the connection under test has a random id.
        return works, said.replace(f"connection {self._conn_id!r}", "this connection")

    def _tested(self) -> tuple[bool, str]:
        """Try the connection; return whether it works, and a text that names it.

        :raises ConnectionSettingsError: if the connection lacks a setting, or has one that can't work.
        """
        connection, endpoint = self._connection(), self.endpoint()
        notes = self._remarks(connection)
        try:
            with self.get_conn() as session:
                works, said = self._try(session)
        except requests.RequestException as error:
            return False, "; ".join([f"{self.hook_name} {explained(error, endpoint)}", *notes])
        if not works:
            return False, f"{said} ({'; '.join([endpoint.way, *self._twice(endpoint.url), *notes])})"
        if endpoint.secure and extras.verify(connection) is False:
            notes = ["its certificate is not checked, because 'verify' in the extra is false", *notes]
        return True, "; ".join([said, *notes])

    def _try(self, session: requests.Session) -> tuple[bool, str]:
        """Send what the test of this vendor's connection sends; return whether all works, and a sentence about it."""
        raise NotImplementedError

    def _try_key(self, session: requests.Session, path: str, body: object) -> tuple[bool, str]:
        """Try the key by a request that can only be refused.

        :param body: lacks what the vendor requires, and names nothing that it could store or change.
        """
        return try_key(session, self.get_url(path), body, title=self.hook_name, credential=self.credential_name)

    def _twice(self, url: str) -> list[str]:
        """Return a hint if the host's path ends as the API's paths begin."""
        part = address.maybe_twice(url, self.api_paths)
        return [f"the host ends with {part!r}, and the API's paths begin with it: is it meant twice?"] if part else []

    def _session(self, connection: Any) -> requests.Session:
        return session_of(connection, self._headers(connection))

    def _base_url(self, connection: Any) -> str:
        return address.base_url(connection, self.default_url, self.api_paths)

    def _headers(self, connection: Any) -> dict[str, str]:
        """Return the headers that carry the credential; none if requests don't all have the same one."""
        return self.auth_headers(credential(connection, self.credential_name))

    def _login(self, connection: Any) -> tuple[str, str] | None:  # noqa: ARG002  # for vendors that have one
        """Return the name and password of an account, if a login gives the credential."""
        return None

    def _remarks(self, connection: Any) -> list[str]:
        return remarks(connection, self.conn_type, uses_login=self._login(connection) is not None)

    def _connection(self) -> Any:
        try:
            return self.get_connection(self._conn_id)
        except AirflowNotFoundException:
            raise ConnectionSettingsError(
                f"connection {self._conn_id!r} is not defined ({self.conn_name_attr}); its type is {self.conn_type!r}. "
                f"Define it in Airflow, or set AIRFLOW_CONN_{self._conn_id.upper()}"
            ) from None
