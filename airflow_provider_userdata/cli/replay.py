"""The command `userdata replay`: sends rejects again."""

from __future__ import annotations

import sys
from argparse import Namespace

from airflow_provider_userdata.cli.loaded_task import task_of
from airflow_provider_userdata.cli.printing import said
from airflow_provider_userdata.delivery import Result
from airflow_provider_userdata.operators import replaying
from airflow_provider_userdata.sources import Corrections, RejectsSource
from airflow_provider_userdata.vendors import by_rule


@said()
def replay(asked: Namespace) -> None:
    """Send the rejects of a task's run again."""
    source = RejectsSource(
        run=(asked.dag_id, asked.task_id, *([asked.run_id] if asked.run_id else [])),
        rules=asked.rule,
        limit=asked.limit,
        fix=None if asked.fix is None else Corrections(asked.fix),
        **({"fates": asked.fate} if asked.fate else {}),
    )
    result = replaying.replay(task_of(asked), source, dry_run=asked.dry_run)
    print("\n".join(_said(result, dry_run=asked.dry_run)))
    if result.error is not None:
        raise result.error
    report = result.report
    if report.rejected or report.unknown:
        sys.exit(1)


def _said(result: Result, *, dry_run: bool) -> list[str]:
    report = result.report
    if not report.read:
        return ["No record is left to be sent again."]
    good = report.read - report.rejected - report.unknown
    done = f"{good:,} valid, nothing was sent" if dry_run else f"{report.delivered:,} delivered"
    others = {"rejected": report.rejected, "held": 0 if dry_run else report.held, "unknown": report.unknown}
    counts = [f"{count:,} {name}" for name, count in others.items() if count]
    lines = [f"{report.read:,} records: {', '.join([done, *counts])}."]
    if report.rejected or report.unknown:
        lines.append(f"By rule: {by_rule(report.reasons)}. See {report.rejects}")
    return lines
