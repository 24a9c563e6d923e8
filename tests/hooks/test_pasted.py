"""What is pasted along with a key, and an extra that is no JSON: refused, and said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks import address, extras
from airflow_provider_userdata.hooks.credential import credential

KEY = "s3cr3t-key"
Refused = Callable[[Callable[[], object]], str]


@pytest.mark.parametrize(
    ("password", "said"),
    [
        (f"Bearer {KEY}", "'Bearer' before it"),
        (f"bearer {KEY}", "'Bearer' before it"),
        (f"BEARER\t{KEY}", "'Bearer' before it"),
        (f"Bearer: {KEY}", "'Bearer' before it"),
        (f" Bearer {KEY}\n", "'Bearer' before it"),
        (f'"Bearer {KEY}"', "'Bearer' before it"),
        (f"Authorization: Bearer {KEY}", "'Authorization' before it"),
        (f"authorization={KEY}", "'Authorization' before it"),
        (f'-H "Authorization: Bearer {KEY}"', "'Authorization' before it"),
        (f'{{"Authorization": "Bearer {KEY}"}}', "'Authorization' before it"),
        (f"x-api-key: {KEY}", "'x-api-key' before it"),
        (f"X-API-KEY:{KEY}", "'x-api-key' before it"),
        (f"'x-api-key': '{KEY}'", "'x-api-key' before it"),
        (f'"{KEY}"', "quotes around it"),
        (f"'{KEY}'", "quotes around it"),
        (f"`{KEY}`", "quotes around it"),
        (f"“{KEY}”", "quotes around it"),
        (f' "{KEY}"\n', "quotes around it"),
        (f"{KEY}\n", "a blank or a line break at its end"),
        (f" {KEY}", "a blank or a line break at its end"),
        (f"\ufeff{KEY}", "a blank or a line break at its end"),
        (f"{KEY}\u200b", "a blank or a line break at its end"),
        (f"{KEY}\r\nx-evil: 1", "a character that no header can carry"),
        (f"{KEY}é", "a character that no header can carry"),
    ],
)
def test_what_is_pasted_along_with_a_key_is_named(connection: Any, refused: Refused, password: str, said: str) -> None:
    """A vendor would answer 401, and the key look right."""
    message = refused(lambda: credential(connection(password=password), "bearer token"))

    assert message == (
        f"connection 'vendor_here': the password contains {said}; it must be the vendor's bearer token and nothing else"
    )


@pytest.mark.parametrize(
    "key", ["Bearer", "bearer.abc", "Authorization", "x-api-key-17", "it's", '"', "a:b=c", "Bearerabc"]
)
def test_a_key_may_look_like_that(connection: Any, key: str) -> None:
    """A key is never altered, nor refused for what only resembles something else."""
    assert credential(connection(password=key), "API key") == key


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_key_goes_out_as_it_is_or_not_at_all(connection: Any, key: str) -> None:
    """Nothing is stripped in silence."""
    try:
        assert credential(connection(password=key), "API key") == key
    except ConnectionSettingsError:
        assert not key[0].isalnum() or key.lower().startswith(("bearer:", "authorization", "x-api-key"))


@pytest.mark.parametrize(
    ("extra", "line"),
    [
        ('{"proxy": "http://s3cr3t-key@p:1",}', 1),
        ('{\n  "proxy": "http://p:1"\n  "timeout": 5}', 3),
        ("{'proxy': 'http://p:1'}", 1),
        ("proxy=http://p:1", 1),
        ('{"verify": False}', 1),
    ],
)
@pytest.mark.parametrize("ask", [extras.timeout, extras.verify, address.proxy, extras.extras])
def test_an_extra_that_is_not_json_is_refused(
    connection: Any, refused: Refused, extra: str, line: int, ask: Callable[[Any], object]
) -> None:
    """Airflow takes it for none: a proxy named in it would be passed by."""
    assert f"its extra is not valid JSON (line {line}, column " in refused(lambda: ask(connection(extra=extra)))


@pytest.mark.parametrize("extra", ["[]", '"proxy"', "1", "null"])
def test_an_extra_that_is_no_object_is_refused(connection: Any, refused: Refused, extra: str) -> None:
    """Nothing can be named in it."""
    assert "its extra must be a JSON object" in refused(lambda: address.proxy(connection(extra=extra)))


@pytest.mark.parametrize("extra", [None, "", " ", "{}"])
def test_no_extra_is_none(connection: Any, extra: str | None) -> None:
    """A form leaves it blank."""
    assert address.proxy(connection(extra=extra)) is None
