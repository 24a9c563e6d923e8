"""The address that a connection leads to, however it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.base import VendorHook

Connect = Callable[..., VendorHook]


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "https://api.thymia.ai"),
        ({"host": " "}, "https://api.thymia.ai"),
        ({"host": "us.api.thymia.ai"}, "https://us.api.thymia.ai"),
        ({"host": "https://us.api.thymia.ai/"}, "https://us.api.thymia.ai"),
        ({"host": "proxy.example.com:8443/base/"}, "https://proxy.example.com:8443/base"),
        ({"host": "proxy.example.com", "port": 8443}, "https://proxy.example.com:8443"),
        ({"host": "https://proxy.example.com:1", "port": 2}, "https://proxy.example.com:1"),
        ({"host": "127.0.0.1", "schema": "http", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "http://localhost:8000"}, "http://localhost:8000"),
        ({"host": "http://[::1]:8000"}, "http://[::1]:8000"),
        ({"host": "proxy.example.com", "schema": "https"}, "https://proxy.example.com"),
        ({"host": "http://proxy.example.com", "extra": {"allow_http": True}}, "http://proxy.example.com"),
    ],
)
def test_addresses(connect: Connect, fields: dict[str, Any], url: str) -> None:
    """Host, port and schema of a connection, each where it belongs, and https unless said."""
    hook = connect("thymia", **fields)
    assert hook.get_url() == url
    assert hook.get_url("/v1/account") == f"{url}/v1/account"
    assert hook.endpoint().url == url


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("ptengine://:{key}@", "https://api.ptengine.com"),
        ("ptengine://:{key}@proxy.example.com:8443", "https://proxy.example.com:8443"),
        ("ptengine://:{key}@127.0.0.1:8000/http", "http://127.0.0.1:8000"),
        ("ptengine://:{key}@proxy.example.com/?timeout=5", "https://proxy.example.com"),
        ("ptengine://http://:{key}@127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("ptengine://:{key}@proxy.example.com/http?allow_http=true", "http://proxy.example.com"),
    ],
)
def test_connections_as_uri(connect: Connect, key: str, uri: str, url: str) -> None:
    """Airflow's other way to write a connection: the schema is the path, the extra the query."""
    endpoint = connect("ptengine", uri).endpoint()
    assert endpoint.url == url
    assert endpoint.headers == {"Authorization": f"Bearer {key}"}
    assert endpoint.timeout == (5 if "timeout" in uri else 60)


def test_a_no_in_a_uri_is_a_no(connect: Connect) -> None:
    """Extras of a URI are text, and `false` is a text that is not empty."""
    for value in ("false", "0", ""):
        hook = connect("ptengine", f"ptengine://:{{key}}@proxy.example.com/http?allow_http={value}")
        with pytest.raises(ConnectionSettingsError, match="http would send the key"):
            hook.endpoint()
