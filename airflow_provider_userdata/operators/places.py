"""Where a task's files lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import conf

from airflow_provider_userdata.sources.locations import storage_path


def output_root(output_path: Any) -> Any:
    """Give the folder that all tasks write below.

    :param output_path: the operator's argument: text, a path, or None for the setting `[userdata] output_path`.
    """
    chosen = output_path or conf.get("userdata", "output_path", fallback=None)
    if not chosen:
        return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser().absolute() / "userdata"
    if isinstance(chosen, str):
        return storage_path(chosen) if "://" in chosen else Path(chosen).expanduser().absolute()
    return chosen


def run_folder(root: Any, ti: Any) -> Any:
    """Give the folder of a task's run."""
    return _below(root, ti.dag_id, ti.run_id, ti.task_id, *_mapped(ti))


def held_folder(root: Any, ti: Any) -> Any:
    """Give the folder where a task's held records lie, whatever run left them."""
    return _below(root, ti.dag_id, ti.task_id, *_mapped(ti), "held")


def _mapped(ti: Any) -> list[str]:
    return [str(ti.map_index)] if ti.map_index is not None and ti.map_index >= 0 else []


def _below(root: Any, *names: str) -> Any:
    for name in names:
        root = root / (quote(name, safe=" :+@=,()[]~") if name.strip(".") else name.replace(".", "%2E"))
    return root
