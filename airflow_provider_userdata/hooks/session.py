"""A `requests` session with a connection's settings: certificates, proxy, timeout, and no redirects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import prepend_scheme_if_needed, select_proxy

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks import address, certificates, extras


def session_of(connection: Any, headers: Mapping[str, str]) -> requests.Session:
    """Return a session with the settings of an Airflow connection.

    :param headers: those that carry the credential.
    :raises ConnectionSettingsError: if the connection has a setting that can't work.
    """
    session = _Session()
    session.headers.update(headers)
    session.auth = _keep_headers
    session.max_redirects = 0
    session.verify = extras.verify(connection)
    session.cert = certificates.client_certificate(connection)
    if proxy := address.proxy(connection):
        session.proxies = {"http": proxy, "https": proxy}
    adapter = _TimeoutAdapter(extras.timeout(connection))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def proxy_of(url: str, proxies: Any, conn_id: str) -> str | None:
    """Return the proxy for an address, chosen as `requests` does; None if there is none.

    :param url: the vendor's address.
    :param proxies: what `requests` merges from a session and the environment.
    :raises ConnectionSettingsError: if the environment names a proxy that can't be used.
    """
    chosen = select_proxy(url, proxies)
    if not chosen:
        return None
    try:
        proxy = str(prepend_scheme_if_needed(chosen, "http"))  # type: ignore[no-untyped-call]
    except ValueError:
        proxy = ""
    if not address.is_proxy(proxy):
        raise ConnectionSettingsError(
            f"connection {conn_id!r}: the environment's proxy is not an HTTP proxy; name one as 'proxy' in the extra"
        )
    return proxy


class _Session(requests.Session):
    """A session whose own settings override the environment's: in `requests`, HTTPS_PROXY and others would win."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        own = {**self.proxies, **(proxies or {})}
        if verify is None and self.verify is not True:
            verify = self.verify
        return super().merge_environment_settings(url, own, stream, verify, cert)


class _TimeoutAdapter(HTTPAdapter):
    """Sets the connection's timeout on every request: by default, `requests` has none."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        super().__init__()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # options pass through
        options["timeout"] = options.get("timeout") or self._timeout
        return super().send(request, **options)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return the request unchanged, as its `auth`: otherwise `requests` takes credentials from a .netrc file (T2)."""
    return request
