"""Labels mapped tasks by what they upload, in place of their index, unless the DAG's author labels them."""

from __future__ import annotations

from typing import Any

TEMPLATE = "{{ task.upload_label or ti.map_index }}"
"""Airflow renders it when the task ends, from 3.2 on also before it starts."""
_ARGUMENT = "map_index_template"


def by_upload(partial: Any) -> Any:
    """Return what an operator's `partial()` returned, with the template, unless it or its DAG's defaults have one."""
    if partial.kwargs.get(_ARGUMENT) is None:
        partial.kwargs[_ARGUMENT] = TEMPLATE
    return partial


def is_wanted(context: Any, label: str) -> bool:
    """Return whether a task is mapped, and has a label and no template, such as one of a decorated function."""
    return bool(label) and context["ti"].map_index >= 0 and context.get(_ARGUMENT) is None
