"""The command `userdata ledger adopt`: a stream gets a name, or what a finished run delivered."""

from __future__ import annotations

import secrets
from argparse import Namespace
from typing import Any

from airflow_provider_userdata.cli.asked_run import last_run
from airflow_provider_userdata.cli.ledger import chosen_streams, open_ledger
from airflow_provider_userdata.cli.loaded_task import task_of
from airflow_provider_userdata.cli.printing import confirm, said
from airflow_provider_userdata.cli.progress import Bar
from airflow_provider_userdata.cli.run_counts import counts_of
from airflow_provider_userdata.cli.run_folders import RunFolder, each, run_folders
from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.recording import read_marks
from airflow_provider_userdata.errors import ArgumentError, ResumeError
from airflow_provider_userdata.fingerprints import KEY_SIZE, Fingerprints
from airflow_provider_userdata.ledger import Collected
from airflow_provider_userdata.operators import adopting, arguments
from airflow_provider_userdata.operators.ledger_settings import LONGEST_STREAM, ledger_secret
from airflow_provider_userdata.operators.output_paths import output_root
from airflow_provider_userdata.sources import OF_COMMANDS


@said()
def adopt(asked: Namespace) -> None:
    """Give a stream a name, or fill one with what a run delivered."""
    if asked.run is None:
        if asked.stream is None or asked.name is None:
            raise ArgumentError("say --run DAG TASK, or --stream NUMBER --name TEXT")
        _name(asked)
    elif asked.stream is not None or asked.name is not None:
        raise ArgumentError("--run fills the stream that the task would use: it takes neither --stream nor --name")
    else:
        asked.dag_id, asked.task_id = asked.run
        _fill(asked)


def _name(asked: Namespace) -> None:
    name = arguments.name("--name", asked.name, LONGEST_STREAM)
    with open_ledger() as ledger:
        (stream,) = chosen_streams(ledger, Namespace(stream=[asked.stream], vendor=None))
        question = (
            f"Name the stream {stream.id} of {stream.vendor} {name!r}? From now on, tasks need ledger_stream={name!r}: "
            "one without it, or with another name, sends everything again. No task may be using the stream now."
        )
        confirm(asked, question, "changed")
        ledger.adopt(stream, str(name), ledger_secret())
    print(f"The stream {stream.id} is {name!r} now, with all its {stream.entries:,} entries.")


def _fill(asked: Namespace) -> None:
    task = task_of(asked)
    root = output_root(asked.output_path or _plain_path(task))
    folders = run_folders(root, asked.dag_id, asked.task_id)
    run_id = asked.run_id or last_run(folders, root, asked)
    found = [adopting.adoptable(task, run_id, index) for index in _indexes(asked, folders, run_id)]
    first = found[0]
    if any(one.stream != first.stream for one in found):
        raise ArgumentError("the task's instances send to different streams: choose one with --map-index")
    if first.keeps_states:
        _check_last(run_id, folders)
    with Collected() as collected:
        ledger = None if asked.dry_run else adopting.ledger_of(first)
        counts = _collected(found, collected, None if ledger is None else ledger.fingerprints)
        print(f"Run {run_id} delivered {counts.delivered:,} records, as its receipts prove. Its source is unchanged.")
        for line in _remarks(counts, collected, states=first.keeps_states):
            print(line)
        known, what = collected.certain, "users" if first.keeps_states else "records"
        if ledger is None:
            print(f"{known:,} {what} would be entered into the stream {first.stream}. Nothing was changed.")
            return
        question = (
            f"Enter {known:,} {what} into the stream {first.stream}? With incremental=True, the task doesn't send them "
            "again. Its arguments, such as `fields`, must be as they were in that run."
        )
        confirm(asked, question, "entered")
        with Bar("Entering", known) as bar:
            new = adopting.enter(first, collected, ledger, bar.add)
    print(f"{known:,} {what} are in the stream {first.stream}; {known - new:,} of them were there already.")


def _collected(
    found: list[adopting.Adoptable], collected: Collected, fingerprints: Fingerprints | None
) -> adopting.Counted:
    """Read the source of each instance again.

    :param fingerprints: of the ledger; None only counts.
    """
    keys = fingerprints or Fingerprints(secrets.token_bytes(KEY_SIZE))
    counts = adopting.Counted()
    with Bar("Reading the source again", sum(one.run.completed.rows for one in found)) as bar:
        for one in found:
            counts += adopting.collect(one, keys, collected, bar.add, concurrent=len(found) > 1)
    return counts


def _remarks(counts: adopting.Counted, collected: Collected, *, states: bool) -> list[str]:
    """Return what is not entered, and why."""
    lines = []
    if counts.unproven and not states:
        lines.append(
            f"{counts.unproven:,} records may have been delivered, and nothing proves it: they are sent again."
        )
    if counts.corrected:
        lines.append(
            f"{counts.corrected:,} records were delivered by a replay, corrected: if they are corrected in the source, "
            "too, they are sent once more."
        )
    if states and (uncertain := collected.uncertain):
        lines.append(f"{uncertain:,} users are sent again: nobody knows which of their records arrived last.")
    return lines


def _plain_path(task: Any) -> Any:
    """Return the task's own output path, unless it depends on the run."""
    path = getattr(task, "output_path", None) or getattr(task, "partial_kwargs", {}).get("output_path")
    return None if "{" in str(path or "") else path


def _indexes(asked: Namespace, folders: list[RunFolder], run_id: str) -> list[int]:
    """Return the map indexes of the task's instances in the run; -1 of a task that isn't mapped."""
    if asked.map_index is not None:
        return [asked.map_index]
    return [int(one.index or -1) for one in folders if one.run == run_id] or [-1]


def _check_last(run_id: str, folders: list[RunFolder]) -> None:
    """Check that the task has delivered nothing since: a user's last state counts.

    :raises ResumeError: if a later run did. A replay of this run's rejects isn't one.
    """
    ours = [one for one in folders if one.run == run_id]
    ended = max([counts_of(one).last_at for one in ours], default="")
    marks = [fate for one in ours for fates in read_marks(one.path).values() for fate in fates.values()]
    replayed = marks.count(Fate.DELIVERED)
    since = min(map(RunFolder.moment, ours), default=None)
    later = [one for one in folders if one.run != run_id and (since is None or one.moment() >= since)]
    for one in each(later, "Looking for later runs:", ["receipts"]):
        counts = counts_of(one)
        if counts.last_at <= ended:
            continue
        if one.run.startswith(OF_COMMANDS) and len(counts.delivered) <= replayed:
            replayed -= len(counts.delivered)
            continue
        raise ResumeError(
            f"run {one.run} delivered users after run {run_id}, and what was sent last is what the vendor has: adopt "
            "that run; without --run-id it is the last one"
        )
