"""The command `userdata rejects show`."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence

from airflow_provider_userdata.cli.asked_run import asked_run
from airflow_provider_userdata.cli.printing import counted, printable, said, structured
from airflow_provider_userdata.cli.reasons import ShortPlaces, reasons
from airflow_provider_userdata.cli.reject_groups import Group, RejectGroups
from airflow_provider_userdata.cli.run_counts import openness
from airflow_provider_userdata.cli.run_folders import each
from airflow_provider_userdata.errors import ArgumentError

_NONE = "No record was rejected, held or left unknown{}."


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
    by_rule = "" if asked.rule is None else f" by rule {asked.rule}"
    print("\n".join(_printed(found, asked.limit, values=asked.values)) or _NONE.format(by_rule))
    if groups.unreadable:
        print(f"Damaged lines, which are left out: {groups.unreadable:,}")
    print(f"Files: {run.path}")


def _printed(found: Sequence[Group], limit: int, *, values: bool) -> Iterator[str]:
    """Return the lines for a person; nothing if there is nothing to show."""
    if not found:
        return
    shown = found[:limit]
    first = [record for group in shown for record in group.first]
    places = ShortPlaces(first)
    yield from reasons(shown, places.of, attempts=True)
    if (more := len(found) - len(shown)) > 0:
        yield f"\n{counted(more, 'more reason')}: raise --limit"
    if values:
        yield ""
        values_of = ((one, json.dumps(one.value(), ensure_ascii=False)) for one in first if not one.erased)
        yield from (f"{places.of(one)}: {printable(text)}" for one, text in values_of)
    yield from places.legend()
