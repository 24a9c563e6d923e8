"""The command `userdata replay`: sends rejects again."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.cli.printing import said
from airflow_provider_userdata.delivery import Result
from airflow_provider_userdata.errors import ArgumentError
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
    result = replaying.replay(_task(asked), source, dry_run=asked.dry_run)
    print("\n".join(_said(result, dry_run=asked.dry_run)))
    if result.error is not None:
        raise result.error
    report = result.report
    if report.rejected or report.unknown:
        sys.exit(1)


def _task(asked: Namespace) -> Any:
    """Return the task as its DAG has it.

    :raises ArgumentError: if there is no such DAG or task.
    """
    kind: Any = find("DagBag", ("airflow.dag_processing.dagbag", "airflow.models.dagbag"))
    logging.getLogger("airflow.models.dagbag").setLevel(logging.WARNING)
    bag = kind(asked.subdir)
    dag = bag.dags.get(asked.dag_id)
    if dag is None:
        broken = f"; {len(bag.import_errors)} files can't be loaded" if bag.import_errors else ""
        raise ArgumentError(f"there is no DAG {asked.dag_id!r} in {bag.dag_folder}{broken}: --subdir names its file")
    tasks: Mapping[str, Any] = dag.task_dict
    if asked.task_id not in tasks:
        raise ArgumentError(f"DAG {asked.dag_id!r} has no task {asked.task_id!r}; it has {', '.join(sorted(tasks))}")
    return tasks[asked.task_id]


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
