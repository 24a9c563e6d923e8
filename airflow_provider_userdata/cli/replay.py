"""The command `userdata replay`: sends rejects again."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import redirect_stdout

from airflow_provider_userdata.cli.loaded_task import task_of
from airflow_provider_userdata.cli.printing import said
from airflow_provider_userdata.cli.reject_groups import RejectGroups
from airflow_provider_userdata.cli.replay_words import changes_said, result_said
from airflow_provider_userdata.operators import replaying
from airflow_provider_userdata.operators.replaying import Replayed
from airflow_provider_userdata.sources import Corrections, RejectsSource


@said()
def replay(asked: Namespace) -> None:
    """Send the rejects of a task's run again."""
    table = None if asked.fix is None else Corrections(asked.fix, reformatted=asked.reformatted or "refuse")
    source = RejectsSource(
        run=(asked.dag_id, asked.task_id, *([asked.run_id] if asked.run_id else [])),
        rules=asked.rule,
        limit=asked.limit,
        fix=table,
        **({"fates": asked.fate} if asked.fate else {}),
    )
    with redirect_stdout(sys.stderr):  # where Airflow logs to otherwise, between the results
        task = task_of(asked)
        with replaying.replayed(task, source, dry_run=asked.dry_run) as done:
            result, groups = done.result, _groups(done)
    if table is not None and table.changes is not None:
        print("\n".join(changes_said(table, table.changes, replaying.user_column(task))), end="\n\n")
    if result.error is None or result.report.read:
        print("\n".join(result_said(result, groups, table, dry_run=asked.dry_run)))
    if result.error is not None:
        raise result.error
    if result.report.rejected or result.report.unknown:
        sys.exit(1)


def _groups(done: Replayed) -> RejectGroups:
    """Return why records were rejected again."""
    groups = RejectGroups()
    if done.result.report.rejects is not None:
        for path in done.folder.iterdir():
            if path.name.startswith("rejects-"):
                with path.open("rb") as lines:
                    groups.add(1, lines)
    return groups
