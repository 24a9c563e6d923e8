"""Finds the folder of a task's run from a command's arguments, and the files in it."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.output_paths import output_root, run_folder

_ATTEMPT = re.compile(r"(rejects|receipts|originals)-(\d+)-.*\.jsonl")
_NUMBERS = re.compile(r"\d+")
_UNMAPPED = -1


def asked_folder(asked: Namespace) -> Any:
    """Return the folder of the run that the arguments name.

    :raises ArgumentError: if there is no such folder, or the task is mapped and no instance is chosen.
    """
    asked.map_index = _UNMAPPED if asked.map_index is None else asked.map_index
    folder = run_folder(output_root(asked.output_path or _output_path(asked)), asked)
    if not folder.exists():
        raise ArgumentError(
            f"there is no folder {folder}: nothing was written, or on another worker's disk; --output-path names the "
            "task's output_path if it has its own. `userdata runs` lists what there is"
        )
    if indexes := sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal()):
        *others, last = (str(index) for index in indexes[:20])
        several = f"{', '.join(others)} or {last}" if others else last
        raise ArgumentError(f"the task is mapped: choose one with --map-index, such as {several}")
    return folder


def files_of(paths: list[Any], kind: str) -> Iterator[tuple[int, Any]]:
    """Return the files of a run, each with its attempt's number, in the order in which they were written.

    :param paths: what its folder holds.
    :param kind: `rejects`, `receipts` or `originals`.
    """
    found = [(path, match) for path in paths if (match := _ATTEMPT.fullmatch(path.name)) and match[1] == kind]
    for path, match in sorted(found, key=lambda file: [int(part) for part in _NUMBERS.findall(file[0].name)]):
        yield int(match[2]), path


def _output_path(asked: Namespace) -> str | None:
    """Return the task's own output path, as Airflow rendered it; None if it has none, or Airflow no longer knows."""
    try:
        fields: Any = find("RenderedTaskInstanceFields", ("airflow.models.renderedtifields",))
        with find("create_session", ("airflow.utils.session",))() as session:
            row = session.query(fields.rendered_fields).filter(
                fields.dag_id == asked.dag_id,
                fields.task_id == asked.task_id,
                fields.run_id == asked.run_id,
                fields.map_index == asked.map_index,
            )
            found = row.one_or_none()
    except Exception:  # noqa: BLE001  # the database can't be reached from here: the setting is a good guess
        return None
    path = found[0].get("output_path") if found else None
    return path if isinstance(path, str) else None
