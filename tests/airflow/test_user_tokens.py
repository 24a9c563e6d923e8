"""What a DAG author's function may give as a user's token, and what is said of anything else."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_userdata.delivery.sending import UnusableTokenError
from airflow_provider_userdata.operators.user_tokens import user_headers


def headers_of(token: Any) -> Any:
    """Return what gives the headers of a user's token."""
    return user_headers(token, lambda text, _: text, {}, lambda found: {"Authorization": f"Bearer {found}"})


async def later(_: str) -> str:
    """Return a token that has to be awaited."""
    return "abc"


@pytest.mark.parametrize("given", [None, "", " ", "\n"])
def test_nothing_is_no_token(given: Any) -> None:
    """As with a `LookupError`, the user has none."""
    with pytest.raises(LookupError) as raised:
        headers_of(lambda _: given)("u")
    assert raised.type is LookupError


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("token", "said"),
    [
        (lambda _: b"abc", "it is of type bytes, and must be a text"),
        (lambda _: ("abc",), "it is of type tuple, and must be a text"),
        (later, "it is of type coroutine, and must be a text"),
        (lambda _: "abc\n", "it contains a blank or a line break at its end"),
        (lambda _: "Bearer abc", "it contains 'Bearer' before it"),
        (lambda _: '"abc"', "it contains quotes around it"),
        (lambda _: "äbc", "it contains a character that no header can carry"),
        ("Authorization: abc", "it contains 'Authorization' before it"),
    ],
)
def test_what_cannot_be_a_token_is_said(token: Any, said: str) -> None:
    """Without the token, in the words of a connection's key."""
    with pytest.raises(UnusableTokenError) as raised:
        headers_of(token)("u")
    assert str(raised.value) == said
