"""Hosts that are written in other ways: in other alphabets, as IPv6, with a path of the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks import address
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.hooks.gerosense import GerosenseHook
from airflow_provider_userdata.hooks.ptengine import PtengineHook
from airflow_provider_userdata.hooks.thymia import ThymiaHook
from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.thymia import Thymia

Refused = Callable[[Callable[[], object]], str]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("münchen.example", "https://xn--mnchen-3ya.example"),
        ("https://MÜNCHEN.example:8443/basis", "https://xn--mnchen-3ya.example:8443/basis"),
        ("api.例え.テスト", "https://api.xn--r8jz45g.xn--zckzah"),
        ("straße.example", "https://xn--strae-oqa.example"),
        ("xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
        ("under_score.example", "https://under_score.example"),
        ("api.example.", "https://api.example."),
    ],
)
def test_a_host_in_another_alphabet_is_encoded(connection: Any, host: str, url: str) -> None:
    """As name servers, certificates and headers know it; what is plain stays as it is."""
    assert address.base_url(connection(host=host), None) == url


@pytest.mark.parametrize(
    "host",
    [
        "a..example",
        ".example",
        f"{'a' * 64}.example",
        "☃.example",
        "-ü.example",
        "℀.example",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "2130706433",
    ],
)
def test_a_name_that_nobody_can_have_is_refused(connection: Any, refused: Refused, host: str) -> None:
    """It would end a delivery with an error of Python's."""
    assert "the host is not a valid address" in refused(lambda: address.base_url(connection(host=host), None))


@given(st.text(st.characters(codec="utf-8", exclude_characters="/?#@:[]\\"), min_size=1, max_size=20))
def test_any_host_is_plain_or_refused(connection: Any, label: str) -> None:
    """What comes out holds ASCII alone, and names the same host to the client of a delivery."""
    try:
        url = address.base_url(connection(host=f"{label}.example"), None)
    except ConnectionSettingsError:
        return
    assert url.isascii()
    assert URL(url).raw_host == URL(url, encoded=True).raw_host


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "::1", "port": 8443}, "https://[::1]:8443"),
        ({"host": "::1"}, "https://[::1]"),
        ({"host": "2001:DB8::1", "port": 1}, "https://[2001:db8::1]:1"),
        ({"host": "http://::1", "port": 8000}, "http://[::1]:8000"),
        ({"host": "::1", "schema": "http"}, "http://[::1]"),
        ({"host": "[::1]", "port": 8443}, "https://[::1]:8443"),
    ],
)
def test_ipv6_without_brackets(connection: Any, fields: dict[str, Any], url: str) -> None:
    """Airflow takes them off where a connection is written as a URI."""
    assert address.base_url(connection(**fields), None) == url


def test_the_hooks_know_the_vendors_paths() -> None:
    """They are those that requests go to."""
    sent: dict[type[VendorHook], Vendor] = {ThymiaHook: Thymia("mood"), GerosenseHook: GeroSense("steps")}
    for hook, vendor in sent.items():
        path = vendor.request([Record(b"{}")]).path
        assert any(path == known or path.startswith(f"{known}/") for known in hook.api_paths)


HOOKS: dict[str, type[VendorHook]] = {"thymia": ThymiaHook, "gerosense": GerosenseHook, "ptengine": PtengineHook}


@pytest.mark.parametrize(
    ("vendor", "host", "part"),
    [
        ("ptengine", "https://api.ptengine.com/v1/user/profiles", "/v1/user/profiles"),
        ("ptengine", "api.ptengine.com/v1/user/profiles/", "/v1/user/profiles"),
        ("ptengine", "https://api.ptengine.com/v1/user", "/v1/user"),
        ("ptengine", "https://api.ptengine.com/v1", "/v1"),
        ("ptengine", "https://proxy.example/v1/user/profiles", "/v1/user/profiles"),
        ("ptengine", "https://proxy.example/ptengine/v1/user", "/v1/user"),
        ("gerosense", "https://proxy.example/api/v1.1/samples", "/api/v1.1/samples"),
        ("gerosense", "https://proxy.example/api/v1.1", "/api/v1.1"),
        ("gerosense", "https://proxy.example/api/status", "/api/status"),
        ("thymia", "https://us.api.thymia.ai/v1/user-data/mood", "/v1/user-data"),
        ("thymia", "https://api.thymia.ai/v1/user-data", "/v1/user-data"),
        ("thymia", "https://us.api.thymia.ai/v1", "/v1"),
        ("thymia", "https://proxy.example/v1/account", "/v1/account"),
    ],
)
def test_a_path_of_the_api_is_left_out(connection: Any, refused: Refused, vendor: str, host: str, part: str) -> None:
    """It would stand there twice, and the vendor answer 404."""
    hook = HOOKS[vendor]
    call = partial(address.base_url, connection(host=host), hook.default_url, hook.api_paths)

    assert f"remove '{part}'" in refused(call)


@pytest.mark.parametrize(
    ("vendor", "host"),
    [
        ("ptengine", "https://proxy.example/v1"),
        ("ptengine", "https://proxy.example/ptengine"),
        ("ptengine", "https://proxy.example/v1/users"),
        ("ptengine", "https://proxy.example/user/profiles"),
        ("gerosense", "https://proxy.example/api"),
        ("gerosense", "https://proxy.example/team/api"),
        ("gerosense", "https://proxy.example/v1.1"),
        ("thymia", "https://api.thymia.ai.proxy.example/v1"),
        ("thymia", "https://notapi.thymia.ai/v1"),
    ],
)
def test_a_path_of_a_proxys_own_stays(connection: Any, vendor: str, host: str) -> None:
    """It may be called as the first part of the API's paths is."""
    hook = HOOKS[vendor]

    assert address.base_url(connection(host=host), hook.default_url, hook.api_paths) == host


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("https://proxy.example/api", "/api"),
        ("https://proxy.example/team/api", "/api"),
        ("https://proxy.example", None),
        ("https://proxy.example/base", None),
    ],
)
def test_a_path_that_may_stand_there_twice_is_told(url: str, part: str | None) -> None:
    """Where a proxy's own path is called as the API's, a 404 needs a hint."""
    assert address.maybe_twice(url, GerosenseHook.api_paths) == part
