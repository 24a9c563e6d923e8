"""Says in words where records come from, and nothing of the records: for logs, and for the labels of mapped tasks."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

from airflow_provider_userdata.delivery.reading import Source
from airflow_provider_userdata.sources.chunking import LazySource
from airflow_provider_userdata.sources.file_source import FileSource
from airflow_provider_userdata.sources.formats import format_of
from airflow_provider_userdata.sources.patterns import is_pattern
from airflow_provider_userdata.sources.rejects_source import RejectsSource
from airflow_provider_userdata.sources.shapes import Parts
from airflow_provider_userdata.sources.sql import SqlSource
from airflow_provider_userdata.sources.untemplated import (
    are_locations,
    callable_name,
    is_location,
    is_mapped_result,
    unhold,
)

LONGEST_LABEL = 100
"""Characters of a label: Airflow's grid is narrow."""
_PATH = re.compile(r"[/*?\[\\]")
_OF_A_RECORD = re.compile(r"[{}\"\n\r]")


def described(value: object, source: Source) -> str:
    """Return what a source is, such as `2 files matching data/*.csv`: for logs, as it may name a path.

    :param value: what the DAG author passed.
    :param source: the same, opened.
    """
    value = unhold(value)
    if isinstance(value, FileSource):
        value = value.path
    if isinstance(value, RejectsSource):
        return f"the rejects in {_counted(source.files if isinstance(source, LazySource) else None, 'file')}"
    if isinstance(value, SqlSource):
        return f"a query on connection {value.conn_id!r}"
    if is_location(value):
        return _file(_shown(value), source)
    if are_locations(value):
        return _counted(source.files if isinstance(source, LazySource) else None, "file")
    if isinstance(value, Parts):
        return f"{len(value):,} sources"
    if isinstance(value, (list, tuple)):
        return _counted(len(value), "record")
    if is_mapped_result(value):
        return "what mapped tasks returned"
    if callable(value):
        return f"what the function {callable_name(value)!r} returns"
    return f"{_counted(source.total, 'record')} of a {type(value).__name__}"


def label(value: object) -> str:
    """Return a source's label, such as `day-1.csv` or `1,234 records`; empty if it has nothing to tell it by.

    It holds no folder: Airflow shows it in many places.
    """
    value = unhold(value)
    if isinstance(value, FileSource):
        value = value.path
    if are_locations(value) and isinstance(value, (list, tuple)):
        text = _name(_shown(value[0])) if len(value) == 1 else _counted(len(value), "file")
    elif is_location(value):
        text = _name(_shown(value))
    elif isinstance(value, RejectsSource):
        text = f"rejects of {'.'.join(map(str, value.run[:2]))}" if isinstance(value.run, (list, tuple)) else "rejects"
    elif isinstance(value, SqlSource):
        text = f"a query on {value.conn_id}"
    elif isinstance(value, Parts):
        text = _counted(len(value), "source")
    elif isinstance(value, (list, tuple)):
        text = _counted(len(value), "record")
    else:
        text = ""
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def argument_label(value: object) -> str:
    """Return the label of a function's argument: a list, or a file by its ending. Another text may be of a person."""
    value = unhold(value)
    return "" if isinstance(value, str) and format_of(value) is None else label(value)


def _file(path: str, source: Source) -> str:
    files = source.files if isinstance(source, LazySource) else None
    if not is_pattern(path):
        return f"the file {path}" if files == 1 else f"the files in {path}"
    return f"{_counted(files, 'file')} matching {path}"


def _shown(path: object) -> str:
    """Return a path as text, without what may be a credential: of a URL, its user and its query."""
    text = os.fsdecode(path) if isinstance(path, (str, os.PathLike)) else str(path)
    if "://" not in text:
        return text
    scheme, _, rest = text.partition("://")
    place, slash, path = rest.partition("/")
    query = "?" if scheme in {"http", "https"} else "\0"
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path.partition(query)[0]}"


def _name(path: str) -> str:
    """Return the name in a path; empty if it isn't certain that it is one: a text may be a record, by mistake."""
    if _OF_A_RECORD.search(path) or not (_PATH.search(path) or format_of(path)):
        return ""
    return PurePath(path).name.encode("utf-8", "replace").decode()  # a name on a disk may be no text


def _counted(count: int | None, thing: str) -> str:
    """Return a number of things; without the number if it isn't known."""
    if count is None:
        return f"{thing}s"
    return f"{count:,} {thing}{'s' * (count != 1)}"
