"""Gets users' tokens from what a DAG author gives: a function, or a template."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from jinja2.exceptions import UndefinedError

from airflow_provider_userdata.airflow_compat import AirflowNotFoundException, Context, determine_kwargs
from airflow_provider_userdata.delivery.sending import UnusableTokenError, UserHeaders
from airflow_provider_userdata.hooks.credential import beside_the_key

USER = "user_id"
"""What a template calls the user's id."""


def user_headers(
    token: object, render: Callable[[str, Context], object], context: Context, auth: Callable[[str], Mapping[str, str]]
) -> UserHeaders:
    """Return what gives the headers with a user's token; it raises `LookupError` if the user has none.

    :param token: a function of the user's id, which also gets what it names of Airflow's context; or a template.
    :param render: renders a template.
    :param auth: returns the headers that carry a token.
    """
    if callable(token):
        more = determine_kwargs(cast("Callable[..., object]", token), [""], context)
        ask: Callable[[str], object] = lambda user: token(user, **more)  # noqa: E731
    else:
        ask = _rendered(str(token), render, context)

    def headers(user: str) -> Mapping[str, str]:
        found = ask(user)
        if found is None or (isinstance(found, str) and not found.strip()):
            raise LookupError
        if not isinstance(found, str):
            if inspect.iscoroutine(found):
                found.close()  # else Python warns that nobody awaited it
            raise UnusableTokenError(f"it is of type {type(found).__name__}, and must be a text")
        if beside := beside_the_key(found):
            raise UnusableTokenError(f"it contains {beside}")
        return auth(found)

    return headers


def _rendered(template: str, render: Callable[[str, Context], object], context: Context) -> Callable[[str], object]:
    def ask(user: str) -> object:
        own: Any = copy.copy(context)
        own[USER] = user
        try:
            return render(template, own)
        except (UndefinedError, AirflowNotFoundException):
            raise LookupError from None
        except Exception as error:
            if _is_missing(error):
                raise LookupError from None
            raise

    return ask


def _is_missing(error: Exception) -> bool:
    """Return whether Airflow 3's task SDK says that a variable or connection doesn't exist."""
    kind = getattr(getattr(error, "error", None), "error", None)
    return str(getattr(kind, "value", kind)).upper().endswith("NOT_FOUND")
