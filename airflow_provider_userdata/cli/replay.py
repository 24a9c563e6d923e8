"""The command `userdata replay`: sends rejects again."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from typing import Any

from airflow_provider_userdata.cli.loaded_task import task_of
from airflow_provider_userdata.cli.printing import said, structured
from airflow_provider_userdata.cli.progress import Progress
from airflow_provider_userdata.cli.reject_groups import RejectGroups
from airflow_provider_userdata.cli.replay_words import changes_said, result_said
from airflow_provider_userdata.delivery import Result
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators import replaying
from airflow_provider_userdata.operators.replaying import Replayed
from airflow_provider_userdata.sources import Corrections, RejectsSource


@said()
def replay(asked: Namespace) -> None:
    """Send the rejects of a task's run again."""
    if asked.limit is not None and asked.limit < 1:
        raise ArgumentError("--limit: must be at least 1")
    if asked.map_index is not None and asked.map_index < 0:
        raise ArgumentError("--map-index: must be at least 0")
    table = None if asked.fix is None else _table(asked)
    source = RejectsSource(
        run=(asked.dag_id, asked.task_id, *([asked.run_id] if asked.run_id else [])),
        map_index=asked.map_index,
        rules=asked.rule,
        limit=asked.limit,
        fix=table,
        **({"fates": asked.fate} if asked.fate else {}),
    )
    with redirect_stdout(sys.stderr), _told_below():  # where Airflow logs to otherwise, between the results
        task = task_of(asked)
        if table is not None:
            table.users = replaying.user_cells(task, asked.map_index)
        shown = [Progress(sends=not asked.dry_run)]
        with replaying.replayed(task, source, dry_run=asked.dry_run, observers=shown) as done:
            result, groups = done.result, _groups(done)
    if asked.output != "table":
        print(structured(_as_dict(done, groups, table, dry_run=asked.dry_run), asked.output))
    else:
        for line in _printed(asked, table, result, groups):
            print(line)
    if result.error is not None:
        raise result.error
    if result.report.rejected or result.report.unknown:
        sys.exit(1)


@contextmanager
def _told_below() -> Iterator[None]:
    """Keep out of the log what is printed of the table."""
    log = logging.getLogger(Corrections.__module__)
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


def _table(asked: Namespace) -> Corrections:
    """Return the table of corrections, which speaks of the command's options."""
    table = Corrections(asked.fix, reformatted=asked.reformatted or "refuse")
    table.advice = (
        "Say --reformatted original to send those values as they were, or --reformatted table to send them as the "
        "table has them"
    )
    return table


def _printed(asked: Namespace, table: Corrections | None, result: Result, groups: RejectGroups) -> Iterator[str]:
    """Return the lines for a person."""
    if table is not None and table.changes is not None and (table.changes.compared or table.changes.removed):
        yield from changes_said(table, table.changes)
        yield ""
    if result.error is None or result.report.read:
        yield from result_said(result, groups, table, dry_run=asked.dry_run)


def _as_dict(done: Replayed, groups: RejectGroups, table: Corrections | None, *, dry_run: bool) -> dict[str, Any]:
    """Return what became of the records as JSON's types."""
    report, error = done.result.report, done.result.error
    left = {"rejects", "reasons"} | ({"receipts"} if dry_run else set())  # where nothing was sent, no file stays
    return {
        **{name: value for name, value in report.as_dict().items() if name not in left},
        "dry_run": dry_run,
        "changes": [asdict(change) for change in (table and table.changes) or ()],
        "reasons": [group.as_dict(values=False) for group in groups.most_frequent()],
        "folder": str(done.folder) if done.stays else None,
        "error": None if error is None else str(error),
    }


def _groups(done: Replayed) -> RejectGroups:
    """Return why records were rejected again."""
    groups = RejectGroups()
    if done.result.report.rejects is not None:
        for path in done.folder.iterdir():
            if path.name.startswith("rejects-"):
                with path.open("rb") as lines:
                    groups.add(1, lines)
    return groups
