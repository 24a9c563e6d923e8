"""Airflow's names, from wherever the installed Airflow has them: 2.11 and every 3.x beside its own constraints.

Nothing else here imports Airflow. `common.compat.sdk` comes first, for it follows Airflow's moves; but the versions of
it that Airflow's constraints pin know fewer names, or are older than the module itself. A name is looked up when it is
first asked for, so that nobody pays for another's import.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command
    from airflow.providers.common.compat.sdk import (
        AirflowException,
        AirflowFailException,
        AirflowNotFoundException,
        AirflowPlugin,
        AirflowSkipException,
        Asset,
        BaseHook,
        BaseOperator,
        BaseOperatorLink,
        Context,
        DecoratedOperator,
        ObjectStoragePath,
        Stats,
        TaskDecorator,
        conf,
        context_merge,
        determine_kwargs,
        task_decorator_factory,
    )
    from airflow.providers.common.compat.standard.triggers import TimeDeltaTrigger
    from airflow.providers_manager import ProvidersManager

_COMPAT = "airflow.providers.common.compat.sdk"
_CLI = ("airflow.cli.cli_config",)
_DECORATOR = ("airflow.sdk.bases.decorator", "airflow.decorators.base")
_EXCEPTIONS = ("airflow.sdk.exceptions", "airflow.exceptions")

_PLACES: dict[str, tuple[str, ...]] = {
    "ActionCommand": _CLI,
    "AirflowException": _EXCEPTIONS,
    "AirflowFailException": _EXCEPTIONS,
    "AirflowNotFoundException": _EXCEPTIONS,
    "AirflowPlugin": ("airflow.plugins_manager",),
    "AirflowSkipException": _EXCEPTIONS,
    "Arg": _CLI,
    "Asset": ("airflow.sdk", "airflow.datasets:Dataset"),
    "BaseHook": ("airflow.sdk", "airflow.hooks.base"),
    "BaseOperator": ("airflow.sdk", "airflow.models.baseoperator"),
    "BaseOperatorLink": ("airflow.sdk", "airflow.models.baseoperatorlink", "airflow.models.baseoperator"),
    "CLICommand": _CLI,
    "Context": ("airflow.sdk", "airflow.utils.context"),
    "DecoratedOperator": _DECORATOR,
    "GroupCommand": _CLI,
    "ObjectStoragePath": ("airflow.sdk", "airflow.io.path"),
    "ProvidersManager": ("airflow.providers_manager",),
    "Stats": ("airflow.sdk.observability.stats", "airflow.stats"),
    "TaskDecorator": _DECORATOR,
    "TimeDeltaTrigger": ("airflow.providers.standard.triggers.temporal", "airflow.triggers.temporal"),
    "conf": ("airflow.sdk.configuration", "airflow.configuration"),
    "context_merge": ("airflow.sdk.definitions.context", "airflow.utils.context"),
    "determine_kwargs": ("airflow.sdk.bases.decorator", "airflow.utils.operator_helpers"),
    "lazy_load_command": _CLI,
    "task_decorator_factory": _DECORATOR,
}
"""Where a name is, newest Airflow first; behind a colon, what it is called there."""


def airflow_version() -> tuple[int, ...]:
    """Return the version of Airflow, such as `(3, 1, 8)`."""
    import airflow

    return tuple(map(int, re.findall(r"\d+", airflow.__version__)[:3]))


def find(name: str, places: tuple[str, ...]) -> Any:
    """Return what a name stands for at the first of the places that has it.

    :param places: modules; behind a colon, what it is called there.
    :raises ImportError: if none of them has it.
    """
    cause: Exception | None = None
    for place in places:
        module, _, other = place.partition(":")
        try:
            return getattr(importlib.import_module(module), other or name)
        except (ImportError, AttributeError) as error:
            cause = error
    raise ImportError(
        f"this Airflow has {name} in none of {', '.join(places)}: airflow-provider-userdata runs on 2.11 and on 3.x"
    ) from cause


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = find(name, (_COMPAT, *_PLACES[name]))
        return found
