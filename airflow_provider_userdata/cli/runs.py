"""The commands `userdata runs`, `report` and `clean`."""

from __future__ import annotations

from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_userdata.cli.asked_run import asked_run, folders_in
from airflow_provider_userdata.cli.printing import confirm, counted, said, structured, table
from airflow_provider_userdata.cli.progress import Bar
from airflow_provider_userdata.cli.run_counts import counts_of
from airflow_provider_userdata.cli.run_folders import LEFT, Listing, RunFolder, each, list_output, names_in, run_folders
from airflow_provider_userdata.cli.run_list import FATES, Replays, listed, row_of
from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.recording import is_local
from airflow_provider_userdata.errors import ArgumentError, OutputError
from airflow_provider_userdata.operators.output_paths import output_root
from airflow_provider_userdata.suggestions import suggested
from airflow_provider_userdata.ui import rules

_MOST = 50
"""Runs in a table, unless somebody asks for more."""
_SHOWN = 20
"""Runs that are named before the question whether to remove them."""
_AT_ONCE = 16
"""Files of a store that are removed at the same time."""


@said()
def runs(asked: Namespace) -> None:
    """List the runs that left files."""
    if asked.limit is not None and asked.limit < 1:
        raise ArgumentError("--limit: must be at least 1")
    root = output_root(asked.output_path)
    listing = list_output(root, asked.dag_id)
    everything = run_folders(root, listing=listing)
    folders = [one for one in everything if asked.task_id in (None, one.task)]
    folders.sort(key=RunFolder.moment, reverse=True)
    replays = Replays(everything)
    if asked.output != "table":
        print(structured([row_of(one, replays) for one in each(folders[: asked.limit])], asked.output))
        return
    if not folders:
        print(_nothing(root, listing, asked))
        return
    shown = folders[: asked.limit or _MOST]
    print("\n".join(listed([row_of(one, replays) for one in each(shown)])))
    if len(folders) > len(shown):
        print(f"{counted(len(folders) - len(shown), 'earlier run')}: raise --limit")
    print(f"Folder: {root}")


@said()
def report(asked: Namespace) -> None:
    """Say what became of a run's records."""
    (path, counts), *_ = [(run.path, counts_of(run)) for run in each([asked_run(asked)])]
    fates, reasons = counts.fates(), counts.reasons()
    told: dict[str, Any] = {fate.value: fates[fate] for fate in FATES}
    told["erased"] = len(counts.erased)
    told |= {"requests accepted": counts.requests, "first": counts.first_at or None, "last": counts.last_at or None}
    if asked.output != "table":
        print(structured({**told, "reasons": dict(reasons.most_common()), "folder": str(path)}, asked.output))
        return
    print(table([{"": name, "records": f"{told[name]:,}"} for name in map(str, FATES)]))
    requests = counted(counts.requests, "request was", "requests were")
    print(f"{requests} accepted{_between(counts.first_at, counts.last_at)}.")
    if fates[Fate.UNCHANGED]:
        print(f"{fates[Fate.UNCHANGED]:,} corrected records turned out to be delivered already.")
    if counts.erased:
        print(f"{counted(len(counts.erased), 'record was', 'records were')} erased, for the users.")
    words = rules.of(reasons)
    for rule, count in reasons.most_common():
        says = f": {words[rule].says}\n    What to do: {words[rule].do}" if rule in words else ""
        print(f"\n{rule}, {counted(count, 'record')}{says}")
    print(f"\nFiles: {path}")


@said()
def clean(asked: Namespace) -> None:
    """Remove the files of old runs."""
    if asked.older_than < 1:
        raise ArgumentError("--older-than: must be at least 1 day")
    root = output_root(asked.output_path)
    before = datetime.now(UTC) - timedelta(days=asked.older_than)
    old = [one for one in run_folders(root, asked.dag_id) if (at := one.changed()) is not None and at < before]
    if not old:
        print(f"No run in {root} was last written more than {asked.older_than} days ago.")
        return
    shown = old if asked.dry_run else old[:_SHOWN]
    rows = [{"dag": one.dag, "run": one.run, "task": one.task, "map index": one.index} for one in shown]
    print(table(rows, whole="run"))
    if len(old) > len(shown):
        print(f"and {counted(len(old) - len(shown), 'more run')}: --dry-run lists them all")
    if asked.dry_run:
        print(f"{counted(len(old), 'run')} would be removed.")
        return
    confirm(asked, f"Remove the receipts and rejects of {counted(len(old), 'run')} in {root}?", "removed")
    with Bar(f"Removing {counted(len(old), 'run')}", len(old)) as bar, ThreadPoolExecutor(_AT_ONCE) as threads:
        for one in old:
            _remove(one, threads)
            bar.add(1)
    print(f"Removed the files of {counted(len(old), 'run')}.")


def _remove(folder: RunFolder, threads: ThreadPoolExecutor) -> None:
    """Remove what a run left, and the folders that are empty then."""
    ours = [file.path for file in folder.files if file.name.startswith(LEFT)]
    try:
        list(map(_unlink, ours) if is_local(folder.path) else threads.map(_unlink, ours))
    except OSError as error:
        raise OutputError(f"{folder.path} can't be removed: {error.strerror or type(error).__name__}") from None
    above = folder.path
    for _ in range(4 if folder.index else 3):
        with suppress(OSError, AttributeError):  # it holds something else, or the store has no folders
            above.rmdir()
            above = above.parent


def _unlink(path: Any) -> None:
    with suppress(FileNotFoundError):  # somebody else has removed it
        path.unlink()


def _nothing(root: Any, listing: Listing, asked: Namespace) -> str:
    """Return what is said where there are no runs."""
    if asked.dag_id is None:
        return f"No run has left files in {root}. --output-path names another folder."
    if asked.task_id is not None and (tasks := names_in(listing, 2)):
        hint = suggested(asked.task_id, tasks)
        return f"No run of task {asked.task_id!r} of DAG {asked.dag_id!r} has left files in {root}.{hint}"
    hint = suggested(asked.dag_id, folders_in(root))
    return f"No run of DAG {asked.dag_id!r} has left files in {root}.{hint} --output-path names another folder."


def _between(first: str, last: str) -> str:
    """Return when it was, in words."""
    if not first:
        return ""
    begun, ended = (at[:19].replace("T", " ") for at in (first, last))
    return f", from {begun} to {ended} UTC" if begun != ended else f", at {begun} UTC"
