"""What a source that is a function is called with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from airflow_provider_userdata.airflow_compat import Context, determine_kwargs
from airflow_provider_userdata.sources import unhold
from airflow_provider_userdata.sources.shapes import Parts


def bound(source: Any, context: Context) -> object:
    """Return a source without its holder, its functions with what they name of Airflow's context.

    :param source: an operator's `source`.
    :param context: the task's.
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
