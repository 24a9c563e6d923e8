"""The command `userdata rejects show`."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any

from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.cli.printing import said, structured, table
from airflow_provider_userdata.cli.reject_groups import Group, RejectedRecord, RejectGroups
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.output_paths import output_root, run_folder
from airflow_provider_userdata.ui import rules

_FILE = re.compile(r"rejects-(\d+)-.*\.jsonl")
_NUMBERS = re.compile(r"\d+")
_UNMAPPED = -1


@said()
def show(asked: Namespace) -> None:
    """Show why records of a task's run were not delivered."""
    if asked.limit < 1:
        raise ArgumentError("--limit: must be at least 1")
    asked.map_index = _UNMAPPED if asked.map_index is None else asked.map_index
    folder = run_folder(output_root(asked.output_path or _output_path(asked)), asked)
    groups = RejectGroups(asked.rule)
    for attempt, file in _files(folder):
        with file.open("rb") as opened:
            groups.add(attempt, opened)
    found = groups.most_frequent()
    if asked.output != "table":
        shown = [group.as_dict(values=asked.values) for group in found[: asked.limit]]
        more = max(len(found) - asked.limit, 0)
        print(structured({"folder": str(folder), "reasons": shown, "more": more}, asked.output))
        return
    print("\n".join(_printed(found, asked.limit, values=asked.values)))
    if groups.unreadable:
        print(f"{groups.unreadable:,} damaged lines are left out.")
    print(f"Files: {folder}")


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


def _files(folder: Any) -> Iterator[tuple[int, Any]]:
    """Return the rejects files of a run, each with its attempt's number.

    :raises ArgumentError: if there is no such folder.
    """
    if not folder.exists():
        raise ArgumentError(
            f"there is no folder {folder}: nothing was written, or on another worker's disk; --output-path names the "
            "task's output_path if it has its own"
        )
    paths = list(folder.iterdir())
    if indexes := sorted(int(path.name) for path in paths if path.name.isdecimal()):
        *others, last = (str(index) for index in indexes[:20])
        several = f"{', '.join(others)} or {last}" if others else last
        raise ArgumentError(f"the task is mapped: choose one with --map-index, such as {several}")
    files = [(path, match) for path in paths if (match := _FILE.fullmatch(path.name))]
    for path, match in sorted(files, key=lambda file: [int(part) for part in _NUMBERS.findall(file[0].name)]):
        yield int(match[1]), path


def _printed(found: Sequence[Group], limit: int, *, values: bool) -> Iterator[str]:
    """Return the lines for a person."""
    if not found:
        yield "No record was rejected, held or left unknown."
        return
    shown = found[:limit]
    yield table([_row(group) for group in shown])
    if len(found) > limit:
        yield f"{len(found) - limit:,} more reasons: raise --limit"
    if values:
        yield ""
        yield from (f"{_place(one)}: {json.dumps(one.value())}" for group in shown for one in group.first)
    for name, rule in rules.of({group.rule for group in shown}).items():
        yield f"\n{name}: {rule.says}\n    What to do: {rule.do}"


def _row(group: Group) -> dict[str, object]:
    return {
        "attempt": group.attempt,
        "rule": group.rule,
        "fate": group.fate,
        "count": f"{group.count:,}",
        "path": group.path,
        "reason": group.reason,
        "first": ", ".join(map(_place, group.first)),
    }


def _place(record: RejectedRecord) -> str:
    return f"{record.position}" if record.file is None else f"{record.position} ({record.file}:{record.line})"
