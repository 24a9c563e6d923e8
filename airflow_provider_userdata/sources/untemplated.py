"""A wrapper that protects records from Airflow's template renderer and serializer.

Airflow runs Jinja on every string in a template field's lists and dictionaries, calls its callables, and stores and
shows the result. Records are data, so an operator's `source` property wraps them with `hold`. The renderer skips an
object without `resolve` and `template_fields`, and the serializer uses its `repr`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from airflow_provider_userdata.delivery.recording import is_local
from airflow_provider_userdata.sources.shapes import Parts


class Records:
    """Wraps a value that only the source reader may look into."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        # Must be the same in every process: Airflow includes it in the DAG's hash.
        return f"<{_described(self.value)}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Records:
        # Airflow copies operators often, and copying 100,000 records is slow; nobody changes the wrapped value.
        return self


def hold(value: object, before: object = None) -> object:
    """Wrap a value that contains records; return what Airflow has to render unchanged: paths, XComs, SQL.

    :param value: the new value of `source`: what the DAG author passed, or what Airflow rendered it to.
    :param before: the previous value of `source`. If it is a list with XComs or queries, and the new value is a list
        without any, then the new value is the rendered list: a list of sources.
    """
    if _was_rendered(value, before):
        return Records(Parts(value))
    return as_texts(value) if _is_for_airflow(value) else Records(value)


def as_text(value: object) -> object:
    """Return a local path as text, which Airflow renders, unlike a `pathlib.Path`; any other value unchanged."""
    return os.fsdecode(value) if is_local(value) else value


def as_texts(value: object) -> object:
    """Return a local path as text, also in a list; any other value unchanged."""
    if isinstance(value, (list, tuple)) and any(map(is_local, value)):
        return [as_text(item) for item in value]
    return as_text(value)


def unhold(value: object) -> object:
    """Return the wrapped value, or the value itself if it isn't wrapped."""
    return value.value if isinstance(value, Records) else value


def is_location(value: object) -> bool:
    """Return whether a value names a file: text, a path, or a path in an object store."""
    # An `ObjectStoragePath` is not an `os.PathLike`, and its class can't be imported without Airflow.
    return isinstance(value, (str, os.PathLike)) or (hasattr(type(value), "open") and hasattr(type(value), "glob"))


def are_locations(values: object) -> bool:
    """Return whether a value is a list of paths. An empty list isn't: it counts as a list of records."""
    return isinstance(values, (list, tuple)) and len(values) > 0 and all(is_location(value) for value in values)


def is_mapped_result(value: object) -> bool:
    """Return whether a value is Airflow's lazy sequence of the results of mapped tasks."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, (list, tuple, str, bytes))
        and type(value).__module__.startswith("airflow.")
    )


def callable_name(call: Callable[..., object]) -> str:
    """Return a callable's name, without the memory address that its `repr` shows."""
    call = getattr(call, "func", call)  # functools.partial
    return str(getattr(call, "__name__", type(call).__name__))


def _was_rendered(value: object, before: object) -> TypeGuard[Sequence[Any]]:
    if not isinstance(value, (list, tuple)) or not isinstance(before, (list, tuple)) or are_locations(value):
        return False
    return any(map(_renders_itself, before)) and not any(_awaits_rendering(item, before) for item in value)


def _awaits_rendering(item: object, before: Sequence[object]) -> bool:
    if hasattr(type(item), "template_fields"):
        # A query: Airflow 3 replaces it by a rendered copy, Airflow 2 renders it in place.
        return not getattr(item, "rendered", False) and not any(item is one for one in before)
    return _renders_itself(item)


def _is_for_airflow(value: object) -> bool:
    if value is None or isinstance(value, Records) or is_location(value) or _renders_itself(value):
        return True
    if isinstance(value, (list, tuple)):
        return are_locations(value) or any(_renders_itself(item) for item in value)
    # Airflow's own placeholders, such as the one for a value that is set while the task runs.
    return type(value).__module__.startswith("airflow.") and not is_mapped_result(value)


def _renders_itself(value: object) -> bool:
    # Looked up in the class: a record may be an object with any attribute. A path's `resolve` has another meaning.
    named = hasattr(type(value), "resolve") or hasattr(type(value), "template_fields")
    return named and not is_location(value)


def _described(value: object) -> str:
    if isinstance(value, Parts):
        return f"{len(value)} sources"
    if isinstance(value, (list, tuple)):
        return "1 record" if len(value) == 1 else f"{len(value)} records"
    if is_mapped_result(value):
        return "records of mapped tasks"  # its length would be a call to Airflow
    if callable(value):
        return f"callable {callable_name(value)}"
    return f"records of a {type(value).__name__}"
