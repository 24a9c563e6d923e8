"""Binds the arguments of sources that are functions: values of Airflow's context, by parameter name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from airflow_provider_userdata.airflow_compat import Context, determine_kwargs
from airflow_provider_userdata.sources import Parts, unhold


def bound(source: Any, context: Context) -> object:
    """Return a source without its wrapper; parameters of its functions named like context variables are bound.

    :param source: an operator's `source`.
    :param context: Airflow's context of the task.
    """
    value = unhold(source)
    if isinstance(value, (list, tuple)) and any("__call__" in vars(kind) for kind in set(map(type, value))):
        return Parts(_bound(item, context) for item in value)
    return _bound(value, context)


def _bound(value: object, context: Context) -> object:
    if isinstance(value, type) or not callable(value):
        return value
    call = cast("Callable[..., object]", value)
    return functools.partial(call, **determine_kwargs(call, [], context))
