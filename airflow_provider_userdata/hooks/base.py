"""What the vendors' hooks share: a session for people, an endpoint for deliveries, a connection test."""

from __future__ import annotations

import ssl
from typing import Any, ClassVar
from urllib.parse import urlsplit

import certifi
import requests
from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook
from requests.adapters import HTTPAdapter
from requests.utils import prepend_scheme_if_needed, select_proxy

from airflow_provider_userdata.delivery.transport import Endpoint
from airflow_provider_userdata.errors import ConnectionSettingsError, UserdataError
from airflow_provider_userdata.hooks import address, forms


class VendorHook(BaseHook):
    """Holds a vendor's address and credential.

    :param conn_id: the Airflow connection.
    """

    conn_name_attr: ClassVar[str]
    default_conn_name: ClassVar[str]
    conn_type: ClassVar[str]
    hook_name: ClassVar[str]
    default_url: ClassVar[str | None] = None
    credential_name: ClassVar[str] = "API key"

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self._conn_id = conn_id

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give each hook the two methods below as its own: Airflow before 3 asks no parent class for them."""
        super().__init_subclass__(**kwargs)
        for name in ("get_ui_field_behaviour", "get_connection_form_widgets"):
            setattr(cls, name, VendorHook.__dict__[name])

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Describe the form's standard fields, for Airflow before 3."""
        return forms.field_behaviour(cls.conn_type)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Build the form's extra fields, for Airflow before 3."""
        return forms.form_widgets()

    def auth_headers(self, credential: str) -> dict[str, str]:
        """Give the headers that carry the credential."""
        return {"Authorization": f"Bearer {credential}"}

    def get_conn(self) -> requests.Session:
        """Give a session that carries the credential and the connection's settings.

        Its requests have the connection's timeout. A redirect is an error: it would carry the credential elsewhere.

        :raises ConnectionSettingsError: if the connection lacks something or holds what can't work.
        """
        return self._session(self._connection())

    def get_url(self, path: str = "") -> str:
        """Give the connection's address, or a path below it.

        :param path: with a slash at its beginning.
        :raises ConnectionSettingsError: if the connection has no host, or one that can't be used.
        """
        return address.base_url(self._connection(), self.default_url) + path

    def endpoint(self) -> Endpoint:
        """Resolve the connection once, for a delivery: the same settings as `get_conn()` has.

        :raises ConnectionSettingsError: if the connection lacks something or holds what can't work.
        """
        connection = self._connection()
        url = address.base_url(connection, self.default_url)
        with self._session(connection) as session:
            settings = session.merge_environment_settings(url, {}, None, None, None)
        proxy = _proxy(url, settings["proxies"], self._conn_id)
        tls = any(place is not None and place.startswith("https:") for place in (url, proxy))
        own = isinstance(session.verify, str)  # read in any case: a mistake in it shows before it is needed
        unknown = sorted(set(connection.extra_dejson) - forms.EXTRA_NAMES)
        if unknown:
            self.log.warning("connection %r: its extra holds what is not used here: %s", self._conn_id, unknown)
        return Endpoint(
            url=url,
            headers=self.auth_headers(address.credential(connection, self.credential_name)),
            timeout=address.timeout(connection),
            tls=_certificates(settings["verify"], self._conn_id, own=own) if tls or own else True,
            proxy=proxy,
        )

    def test_connection(self) -> tuple[bool, str]:
        """Try the connection without sending data; Airflow shows what it says."""
        try:
            with self.get_conn() as session:
                return self._try(session)
        except UserdataError as error:
            return False, str(error)
        except requests.RequestException as error:
            return False, f"{self.hook_name} can't be reached: {type(error).__name__}"

    def _try(self, session: requests.Session) -> tuple[bool, str]:
        raise NotImplementedError

    def _session(self, connection: Any) -> requests.Session:
        session = _Session()
        session.headers.update(self.auth_headers(address.credential(connection, self.credential_name)))
        session.auth = _keep_headers
        session.max_redirects = 0
        session.verify = address.verify(connection)
        if proxy := address.proxy(connection):
            session.proxies = {"http": proxy, "https": proxy}
        adapter = _TimeoutAdapter(address.timeout(connection))
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def _connection(self) -> Any:
        try:
            return self.get_connection(self._conn_id)
        except AirflowNotFoundException:
            raise ConnectionSettingsError(
                f"connection {self._conn_id!r} is not defined ({self.conn_name_attr}); its type is {self.conn_type!r}"
            ) from None


def answered(response: requests.Response) -> str:
    """Say what an unexpected answer of a connection test was, without its body."""
    hints = {401: "the key is not valid", 403: "the key has no permission", 404: "is the host right?"}
    hint = hints.get(response.status_code, "unexpected")
    return f"answered {response.status_code}: {hint}"


class _Session(requests.Session):
    """Lets the connection's settings go before the environment's: in `requests`, HTTPS_PROXY and the like win."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        own = {**self.proxies, **(proxies or {})}
        if verify is None and self.verify is not True:
            verify = self.verify
        return super().merge_environment_settings(url, own, stream, verify, cert)


class _TimeoutAdapter(HTTPAdapter):
    """Gives every request the connection's timeout: `requests` would wait for ever."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        super().__init__()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # options pass through
        options["timeout"] = options.get("timeout") or self._timeout
        return super().send(request, **options)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand where `requests` would otherwise put what a .netrc file says of the host (T2)."""
    return request


def _certificates(verify: Any, conn_id: str, *, own: bool) -> ssl.SSLContext | bool:
    """Read the certificates that `requests` would take, which takes as long as to send ten requests.

    :param own: whether the connection names their file.
    """
    if verify is False:
        return False
    try:
        return ssl.create_default_context(cafile=certifi.where() if verify is True or verify is None else verify)
    except OSError:
        who = "'verify' in its extra" if own else "the environment's REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
        raise ConnectionSettingsError(
            f"connection {conn_id!r}: {who} names a file that can't be read, or has no certificates"
        ) from None


def _proxy(url: str, proxies: Any, conn_id: str) -> str | None:
    """Choose the proxy for an address, as `requests` does."""
    chosen = select_proxy(url, proxies)
    if not chosen:
        return None
    proxy = str(prepend_scheme_if_needed(chosen, "http"))  # type: ignore[no-untyped-call]
    if urlsplit(proxy).scheme not in {"http", "https"}:
        raise ConnectionSettingsError(
            f"connection {conn_id!r}: the environment's proxy is no HTTP proxy; name one as 'proxy' in the extra"
        )
    return proxy
