"""Erases what was found of a user, and says what had to be left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from airflow_provider_userdata.cli.airflow_runs import is_over, may_go_on
from airflow_provider_userdata.cli.held import is_of_held, waiting
from airflow_provider_userdata.cli.ledger import open_ledger
from airflow_provider_userdata.cli.mentions import Mentions, decoded
from airflow_provider_userdata.cli.printing import counted
from airflow_provider_userdata.cli.run_folders import RunFolder, list_output
from airflow_provider_userdata.cli.user_lines import ORIGINALS, RECEIPTS, REJECTS, UserLine
from airflow_provider_userdata.cli.user_search import Found, InHeld, InRun
from airflow_provider_userdata.delivery.carry_over import HeldFiles, erase_held, release_killed
from airflow_provider_userdata.delivery.recording import (
    OVERWRITING,
    Change,
    NewLine,
    blank,
    erased_original,
    erased_receipt,
    erased_reject,
    finish_overwriting,
    overwrite,
)
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.errors import UserdataError
from airflow_provider_userdata.operators.ledger_settings import ledger_secret
from airflow_provider_userdata.operators.output_paths import folder_of_run
from airflow_provider_userdata.vendors.gerosense_user import USER_ID

_ORDER = (ORIGINALS, REJECTS, RECEIPTS)
"""Which lines are erased first: a reject leads to the row as it was read, so it stays until that is erased."""

_LATER = "call this again once it is over"
_ERASER = "userdata erase"
"""Has a run's rejects for itself in place of a replay."""


@dataclass
class Erased:
    """What was erased, by kind, and what was left.

    :param left: where something was left, and why, in words.
    """

    counts: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)


def finish_earlier(root: Any, kept: list[Any]) -> int:
    """Finish what earlier calls began that were killed; return the number of lines.

    :param kept: folders besides those of runs.
    :raises OutputError: if something can't be changed.
    """
    listing = list_output(root)
    for folder in [files[0].folder for names, files in listing.items() if is_of_held(names)]:
        with HeldFiles(folder).usable():
            release_killed(folder)
    unfinished = [
        files[0].folder for files in listing.values() if any(file.name.startswith(OVERWRITING) for file in files)
    ]
    return sum(map(finish_overwriting, [*unfinished, *kept]))


def erase_all(found: Found, user: Mentions, root: Any) -> Erased:
    """Erase what was found of a user, first what may still be sent. What can't be changed is left."""
    done = Erased()
    for held in found.held:
        where = f"{held.file.dag} {held.file.task}: {counted(held.count, 'held record')}"
        with _leaving(done, where):
            _erase_held(held, user, root, done)
    for run in found.runs:
        where = _named(run.folder)
        if may_go_on(run.folder):
            done.left.append(f"{where}: the run is under way, or is tried again: {_LATER}")
            continue
        with _leaving(done, where):
            _erase_in_run(run, user, where, done)
    if found.ledger:
        with _leaving(done, "the ledger"), open_ledger() as ledger:
            done.counts["ledger entries"] = ledger.forget_user(user.user, ledger_secret(), ledger.streams())
    return done


def _erase_in_run(run: InRun, user: Mentions, where: str, done: Erased) -> None:
    """Erase a run's lines, while no replay sends its rejects: one that comes meanwhile waits."""
    replays = Replay(_ERASER, "1")
    replays.add(run.folder.path, {})
    other = replays.claim(resuming=False)
    if other is not None:
        done.left.append(f"{where}: run {other} is sending its rejects again: {_LATER}")
        return
    try:
        done.counts.update(erase_lines(run, user))
    finally:
        replays.close()


def erase_lines(run: InRun, user: Mentions) -> Counter[str]:
    """Erase a run's lines; return their number by kind.

    :raises OutputError: if a file can't be changed.
    """
    lines = sorted(run.lines, key=lambda line: (line.file, line.offset))
    return Counter(
        {
            kind: overwrite(run.folder.path, _changes([line for line in lines if line.kind == kind], user))
            for kind in _ORDER
        }
    )


def under_way(found: Found) -> list[str]:
    """Return the runs that may write the user again."""
    return [_named(folder) for folder in found.unfinished if may_go_on(folder)]


def nameless_held(found: Found, root: Any) -> list[str]:
    """Return the tasks where samples of the user may wait that don't name the user: they have the vendor's fields."""
    fields: dict[tuple[str, str], set[str]] = {}
    for run in found.runs:
        for line in run.lines:
            if (line.value or {}).get("carried_over"):
                fields.setdefault((run.folder.dag, run.folder.task), {USER_ID}).update(line.fields)
    return [f"{dag} {task}" for (dag, task), known in sorted(fields.items()) if _any_without(root, dag, task, known)]


def _any_without(root: Any, dag: str, task: str, fields: set[str]) -> bool:
    """Return whether a held record of a task has none of some fields."""
    records = (decoded(line) for one in waiting(root, dag, task) for line in one.lines())
    return any(isinstance(record, dict) and fields.isdisjoint(record) for record in records)


@contextmanager
def _leaving(done: Erased, where: str) -> Iterator[None]:
    """Leave what can't be changed, and go on with the rest."""
    try:
        yield
    except OSError as error:
        done.left.append(f"{where}: can't be changed: {error.strerror or type(error).__name__}")
    except UserdataError as error:
        done.left.append(f"{where}: {error}")


def _erase_held(held: InHeld, user: Mentions, root: Any, done: Erased) -> None:
    file = held.file
    count = erase_held(
        file.folder,
        file.name,
        lambda line: bool(user.fields_in(decoded(line))),
        partial(is_over, file.dag, file.task),
        partial(folder_of_run, root, _Task(file.dag, file.task)),
    )
    if count is None:
        taken = f"{counted(held.count, 'held record')} that a run has taken to send, in {file.folder / file.name}"
        done.left.append(f"{file.dag} {file.task}: {taken}: {_LATER}")
    else:
        done.counts["held records"] += count


@dataclass(frozen=True)
class _Task:
    dag_id: str
    task_id: str


def _changes(lines: list[UserLine], user: Mentions) -> Iterator[Change]:
    for line in lines:
        yield Change(line.text, NewLine.of(line.file, line.offset, _erased(line, user)))


def _erased(line: UserLine, user: Mentions) -> bytes:
    """Return what takes a line's place."""
    if line.value is None:
        return blank(line.text)
    if line.kind == RECEIPTS:
        return erased_receipt(line.text, line.value)
    if line.kind == REJECTS:
        return erased_reject(line.text, line.value, user.is_in_name)
    return erased_original(line.text, line.position)


def _named(folder: RunFolder) -> str:
    index = f", map index {folder.index}" if folder.index else ""
    return f"{folder.dag} {folder.task}, run {folder.run}{index}"
