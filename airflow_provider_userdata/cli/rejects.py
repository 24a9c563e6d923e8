"""The command `userdata rejects show`."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence

from airflow_provider_userdata.cli.asked_run import asked_run
from airflow_provider_userdata.cli.printing import said, structured, table
from airflow_provider_userdata.cli.reject_groups import Group, RejectGroups
from airflow_provider_userdata.cli.run_counts import openness
from airflow_provider_userdata.cli.run_folders import each
from airflow_provider_userdata.delivery.recording import RejectedLine
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.ui import rules


@said()
def show(asked: Namespace) -> None:
    """Show why records of a task's run were not delivered, and are not by now."""
    if asked.limit < 1:
        raise ArgumentError("--limit: must be at least 1")
    for run in each([asked_run(asked)]):
        groups = RejectGroups(asked.rule, openness(run))
        for attempt, file in run.of_kind("rejects"):
            groups.add(attempt, run.reader.lines(file))
    found = groups.most_frequent()
    if asked.output != "table":
        shown = [group.as_dict(values=asked.values) for group in found[: asked.limit]]
        more = max(len(found) - asked.limit, 0)
        print(structured({"folder": str(run.path), "reasons": shown, "more": more}, asked.output))
        return
    print("\n".join(_printed(found, asked.limit, values=asked.values)))
    if groups.unreadable:
        print(f"{groups.unreadable:,} damaged lines are left out.")
    print(f"Files: {run.path}")


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
    for name, rule in rules.of([group.rule for group in shown]).items():
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


def _place(record: RejectedLine) -> str:
    return f"{record.position}" if record.file is None else f"{record.position} ({record.file}:{record.line})"
