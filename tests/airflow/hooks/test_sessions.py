"""What the hooks' sessions send, and how: credential, time-out, proxy, certificates."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import pytest
import requests

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.base import VendorHook

Connect = Callable[..., VendorHook]
VENDORS = ("thymia", "gerosense", "ptengine")


@pytest.mark.parametrize(
    ("vendor", "header", "value"),
    [
        ("thymia", "x-api-key", "{key}"),
        ("gerosense", "Authorization", "Bearer {key}"),
        ("ptengine", "Authorization", "Bearer {key}"),
    ],
)
def test_a_session_carries_the_credential(
    connect: Connect, key: str, server: Any, vendor: str, header: str, value: str
) -> None:
    """In the vendor's header and no other (T2, G1, P1)."""
    hook = connect(vendor, host=server.url)
    with hook.get_conn() as session:
        session.get(hook.get_url("/x"))
    (seen,) = server.seen
    assert seen[header] == value.format(key=key)
    assert [name for name, text in seen.items() if key in text] == [header]


def test_a_netrc_file_is_passed_over(
    connect: Connect, key: str, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`requests` would put what it says of the host into `Authorization`."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for vendor in VENDORS:
        hook = connect(vendor, host=server.url)
        with hook.get_conn() as session:
            session.get(hook.get_url())
    assert "Authorization" not in server.seen[0]
    assert {seen.get("Authorization") for seen in server.seen[1:]} == {f"Bearer {key}"}


def test_a_redirect_is_an_error(connect: Connect, server: Any) -> None:
    """It would carry the credential to another host (A2)."""
    hook = connect("thymia", host=server.url)
    with hook.get_conn() as session, pytest.raises(requests.TooManyRedirects):
        session.get(hook.get_url("/away"))
    assert len(server.seen) == 1


def test_requests_have_the_connections_timeout(connect: Connect, server: Any) -> None:
    """From the extra, as a number or, as forms give it, a text; a request's own goes before it."""
    for timeout in (0.2, "0.2"):
        hook = connect("thymia", host=server.url, extra={"timeout": timeout})
        with hook.get_conn() as session, pytest.raises(requests.ReadTimeout):
            session.get(hook.get_url("/hang"))
    hook = connect("thymia", host=server.url)
    with hook.get_conn() as session, pytest.raises(requests.ReadTimeout):
        session.get(hook.get_url("/hang"), timeout=0.2)
    assert hook.endpoint().timeout == 60


def test_a_proxy_is_used(connect: Connect, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection's goes before the environment's, for sessions and deliveries alike; NO_PROXY is obeyed."""
    elsewhere = "http://127.0.0.1:1"
    extra = {"allow_http": True}
    monkeypatch.setenv("HTTP_PROXY", elsewhere)
    monkeypatch.setenv("http_proxy", elsewhere)
    hook = connect("thymia", host="http://vendor.example", extra={**extra, "proxy": server.url})
    with hook.get_conn() as session:
        session.get(hook.get_url("/x"))
    assert server.seen[0]["path"] == "http://vendor.example/x"
    assert hook.endpoint().proxy == server.url
    assert connect("thymia", host="http://vendor.example", extra=extra).endpoint().proxy == elsewhere
    assert connect("thymia", host="https://vendor.example").endpoint().proxy is None
    monkeypatch.setenv("NO_PROXY", "vendor.example")
    monkeypatch.setenv("no_proxy", "vendor.example")
    assert connect("thymia", host="http://vendor.example", extra=extra).endpoint().proxy is None


@pytest.mark.parametrize(
    ("name", "value", "proxy"),
    [
        ("ALL_PROXY", "http://p:1", "http://p:1"),
        ("HTTPS_PROXY", "127.0.0.1:3128", "http://127.0.0.1:3128"),
        ("HTTPS_PROXY", "", None),
    ],
)
def test_a_proxy_of_the_environment(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, name: str, value: str, proxy: str | None
) -> None:
    """Deliveries choose it as `requests` does."""
    monkeypatch.setenv(name, value)
    assert connect("thymia").endpoint().proxy == proxy


def test_a_proxy_that_deliveries_cannot_use_is_named(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending past it in silence would be worse."""
    for proxy in ("socks5://p:1", "http://:3128", "http://p:port"):
        monkeypatch.setenv("ALL_PROXY", proxy)
        with pytest.raises(ConnectionSettingsError, match="connection 'mine': the environment's proxy"):
            connect("thymia").endpoint()


def test_certificates(connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checked unless the connection says no; its file goes before the environment's."""
    own = tmp_path / "own.pem"
    own.write_text(ssl.DER_cert_to_PEM_cert(_usual_certificates()[0]))
    assert _certificates(connect("thymia")) == _usual_certificates()
    for value in (False, "false", "False"):
        assert connect("thymia", extra={"verify": value}).endpoint().tls is False
    assert _certificates(connect("thymia", extra={"verify": str(own)})) == _usual_certificates()[:1]
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own))
    assert _certificates(connect("thymia")) == _usual_certificates()[:1]
    for verify in (False, certifi.where()):
        hook = connect("thymia", extra={"verify": verify})
        with hook.get_conn() as session:
            assert session.merge_environment_settings(hook.get_url(), {}, None, None, None)["verify"] == verify
        if verify:
            assert _certificates(hook) == _usual_certificates()
        else:
            assert hook.endpoint().tls is False


def _usual_certificates() -> list[bytes]:
    return ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)


def _certificates(hook: VendorHook) -> list[bytes]:
    tls = hook.endpoint().tls
    assert isinstance(tls, ssl.SSLContext)
    return tls.get_ca_certs(binary_form=True)


def test_certificates_are_read_where_somebody_asks_for_them(
    connect: Connect, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the address or the proxy, or since the connection names a file: a mistake in it shows before it is needed."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    assert connect("thymia", host=server.url).endpoint().tls is True
    for asking, named_by in (
        ({"host": "https://vendor.example"}, "REQUESTS_CA_BUNDLE"),
        ({"host": server.url, "extra": {"proxy": "https://p:1"}}, "REQUESTS_CA_BUNDLE"),
        ({"host": server.url, "extra": {"verify": "/nowhere/own.pem"}}, "'verify' in its extra"),
    ):
        with pytest.raises(ConnectionSettingsError, match=f"{named_by}.* names a file that can't be read"):
            connect("thymia", **asking).endpoint()


def test_a_connection_is_looked_up_once_for_a_delivery(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look costs a call to Airflow, and two could differ."""
    hook = connect("thymia")
    found = hook.get_connection("mine")
    looks = iter([found])
    monkeypatch.setattr(hook, "get_connection", lambda _: next(looks))
    hook.endpoint()
    assert next(looks, None) is None


def test_credentials_are_not_shown(connect: Connect, key: str) -> None:
    """Neither by an endpoint nor by a hook, and a proxy's password neither."""
    hook = connect("thymia", extra={"proxy": "http://me:proxy-secret@p:1"})
    for text in (repr(hook.endpoint()), repr(hook), str(vars(hook))):
        assert key not in text
        assert "proxy-secret" not in text
