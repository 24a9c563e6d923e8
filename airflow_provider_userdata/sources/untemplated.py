"""A holder that keeps records out of the hands of Airflow's template renderer and serializer.

Airflow runs Jinja on every string in a template field's lists and dictionaries, calls its callables, and stores
and shows what came out. Records are data: what an operator's `source` property holds goes through `hold` first.
The renderer passes by an object without `resolve` and `template_fields`, and the serializer takes its `repr`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from airflow_provider_userdata.delivery.recording import is_local
from airflow_provider_userdata.sources.shapes import Parts


class Records:
    """Holds a value that nobody but the source reader may look into.

    :param value: what is held.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        # The same in every process: Airflow makes it part of the DAG's hash.
        return f"<{_described(self.value)}>"

    def __copy__(self) -> Records:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Records:
        # Airflow copies operators often, and 100,000 records take long; nobody writes to what is held.
        return self


def hold(value: object, before: object = None) -> object:
    """Wrap what holds records; leave what Airflow shall render: paths, XComs, SQL.

    :param value: what was given as `source`, or what Airflow rendered it to.
    :param before: what `source` was until now. Where that was a list with XComs or queries in it, and this is one
        without, it is what they were rendered to: a list of sources, each of which may be anything.
    """
    if _was_rendered(value, before):
        return Records(Parts(value))
    return _with_texts(value) if _is_for_airflow(value) else Records(value)


def as_text(value: object) -> object:
    """Return a path of this machine as text, which Airflow renders: a `pathlib.Path` it leaves alone, or fails at it.

    :param value: anything; what is not such a path is returned as it is.
    """
    return os.fsdecode(value) if is_local(value) else value


def unhold(value: object) -> object:
    """Give what is held, or the value itself where nothing is wrapped.

    :param value: what `hold` gave.
    """
    return value.value if isinstance(value, Records) else value


def is_location(value: object) -> bool:
    """Tell whether a value names a file: text, a path, or a path in an object store."""
    # An `ObjectStoragePath` is no `os.PathLike`, and its class can't be imported without Airflow.
    return isinstance(value, (str, os.PathLike)) or (hasattr(type(value), "open") and hasattr(type(value), "glob"))


def are_locations(values: object) -> bool:
    """Tell whether a value is a list of nothing but paths. An empty one is a list of no records."""
    return isinstance(values, (list, tuple)) and len(values) > 0 and all(is_location(value) for value in values)


def is_mapped_result(value: object) -> bool:
    """Tell whether a value is Airflow's lazy sequence of what mapped tasks returned."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, (list, tuple, str, bytes))
        and type(value).__module__.startswith("airflow.")
    )


def callable_name(call: Callable[..., object]) -> str:
    """Name a callable without the address that a `repr` would show."""
    call = getattr(call, "func", call)  # functools.partial
    return str(getattr(call, "__name__", type(call).__name__))


def _was_rendered(value: object, before: object) -> TypeGuard[Sequence[Any]]:
    if not isinstance(value, (list, tuple)) or not isinstance(before, (list, tuple)) or are_locations(value):
        return False
    return any(map(_renders_itself, before)) and not any(_awaits_rendering(item, before) for item in value)


def _awaits_rendering(item: object, before: Sequence[object]) -> bool:
    if hasattr(type(item), "template_fields"):
        # A query: Airflow 3 puts a rendered copy in its place, Airflow 2 renders it where it is.
        return not getattr(item, "rendered", False) and not any(item is one for one in before)
    return _renders_itself(item)


def _is_for_airflow(value: object) -> bool:
    if value is None or isinstance(value, Records) or is_location(value) or _renders_itself(value):
        return True
    if isinstance(value, (list, tuple)):
        return are_locations(value) or any(_renders_itself(item) for item in value)
    # Airflow's own marks, such as the one for a value that is set while the task runs.
    return type(value).__module__.startswith("airflow.") and not is_mapped_result(value)


def _with_texts(value: object) -> object:
    if isinstance(value, (list, tuple)) and any(map(is_local, value)):
        return [as_text(item) for item in value]
    return as_text(value)


def _renders_itself(value: object) -> bool:
    # Asked of the class: a record may be an object that answers to any name. A path's `resolve` is another.
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
