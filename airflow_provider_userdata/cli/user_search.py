"""Looks for a user in all that runs left: receipts, rejects, held records, and the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from airflow_provider_userdata.cli.file_reader import reading
from airflow_provider_userdata.cli.held import Waiting, waiting
from airflow_provider_userdata.cli.ledger import open_ledger
from airflow_provider_userdata.cli.mentions import Mentions, decoded
from airflow_provider_userdata.cli.printing import counted, tool
from airflow_provider_userdata.cli.run_folders import RunFolder, each, list_output, run_folders
from airflow_provider_userdata.cli.user_lines import KINDS, RECEIPTS, UserLine, lines_with
from airflow_provider_userdata.delivery.recording import RECEIPT_FIELDS, files_below
from airflow_provider_userdata.errors import ArgumentError, UserdataError
from airflow_provider_userdata.ledger import StreamSummary
from airflow_provider_userdata.operators.ledger_settings import ledger_secret

_GEROSENSE = "gerosense"


@dataclass(frozen=True)
class InRun:
    """Lines of a run that mention the user."""

    folder: RunFolder
    lines: list[UserLine]


@dataclass(frozen=True)
class InHeld:
    """Held records that mention the user, in one file."""

    file: Waiting
    count: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class InLedger:
    """Entries of a user in one of the ledger's streams."""

    stream: StreamSummary
    count: int
    day: date


@dataclass(frozen=True)
class Found:
    """Where a user was found.

    :param unfinished: runs that have not come to their end, wherever the user was found.
    :param nameless: how many runs have receipts that name nobody.
    :param ledger_notes: what is to be said of the ledger.
    """

    runs: list[InRun]
    held: list[InHeld]
    ledger: list[InLedger]
    unfinished: list[RunFolder]
    nameless: int
    ledger_notes: list[str]

    def __bool__(self) -> bool:
        return bool(self.runs or self.held or self.ledger)

    def notes(self) -> list[str]:
        """Return what is to be said of places that can't tell."""
        nameless = (
            f"The receipts of {counted(self.nameless, 'run')} name no users, as those of Ptengine and of GeroSense "
            "with one token: only the ledger knows whom they reached."
        )
        return [*self.ledger_notes, *([nameless] if self.nameless else [])]

    def nowhere(self, root: Any) -> str:
        """Return what is said if nothing was found: that is no proof if receipts name no users.

        :param root: the output folder.
        """
        if not self.nameless:
            return f"This user is nowhere in {root}, and not in the ledger."
        return (
            f"Can't tell: {root} has no reject, held record or receipt that names this user, nor has the ledger; but "
            f"{counted(self.nameless, 'run')} may have delivered this user without a name in the receipts."
        )


def look_for(
    user: Mentions,
    root: Any,
    dag: str | None = None,
    task: str | None = None,
    *,
    kept: list[str] | None = None,
    in_doubt: bool = False,
) -> Found:
    """Look for a user in the receipts, the rejects and the held records of runs, and in the ledger.

    :param root: the output folder.
    :param dag: only in this DAG's runs.
    :param task: only in this task's runs.
    :param kept: folders with rejects of the command `check`, to look in, too.
    :param in_doubt: whether to count what the ledger only expects of a user who was being sent.
    """
    runs, unfinished, nameless = [], [], 0
    listing = list_output(root, dag)
    folders = [*run_folders(root, dag, task, listing=listing), *kept_folders(kept)]
    for folder in each(folders, "Looking into", KINDS):
        lines = lines_with(folder, user)
        runs += [InRun(folder, lines)] if lines else []
        unfinished += [folder] if folder.is_unfinished else []
        nameless += not any(line.kind == RECEIPTS for line in lines) and _names_nobody(folder)
    held = waiting(root, dag, task, listing=listing, cut_short=True)
    ledger, notes = _in_ledger(user.user, in_doubt=in_doubt)
    return Found(runs, list(_in_held(held, user)), ledger, unfinished, nameless, notes)


def kept_folders(names: list[str] | None) -> list[RunFolder]:
    """Return folders that the command `check` filled.

    :raises ArgumentError: if one isn't there.
    """
    found = []
    for name in names or ():
        path = Path(name).expanduser().absolute()
        if not path.is_dir():
            raise ArgumentError(f"--kept: there is no folder {path}")
        with reading(str(path)):
            found.append(RunFolder("check", name, "--keep", "", path, files_below(path).get((), [])))
    return found


def _in_held(files: list[Waiting], user: Mentions) -> Iterator[InHeld]:
    for one in files:
        lines = [fields for text in one.lines() if (fields := user.fields_in(decoded(text)))]
        if lines:
            yield InHeld(one, len(lines), tuple(sorted(set().union(*lines))))


def _in_ledger(user: str, *, in_doubt: bool) -> tuple[list[InLedger], list[str]]:
    """Return what the ledger knows, and what is to be said of it."""
    try:
        with open_ledger() as ledger:
            place, streams = ledger.place, ledger.streams()
            found = [InLedger(*row) for row in ledger.find_user(user, ledger_secret(), streams, in_doubt=in_doubt)]
    except UserdataError as error:
        return [], [f"The ledger was not looked at: {error}."]
    notes = [f"The ledger at {place} knows what tasks with incremental=True delivered, and was looked at."]
    known = {one.stream.id for one in found}
    nameless = [str(one.id) for one in streams if one.vendor == _GEROSENSE and one.entries and one.id not in known]
    if nameless:
        notes.append(
            f"Samples of GeroSense name no user if one token stands for all. Of which user the ledger's streams "
            f"{', '.join(nameless)} are, it can't tell: `{tool()} ledger forget --stream` forgets one as a whole."
        )
    return found, notes


def _names_nobody(folder: RunFolder) -> bool:
    """Return whether a run's receipts name no users. One that named somebody who was erased says so."""
    first = next(map(decoded, folder.lines(RECEIPTS)), None)
    return isinstance(first, dict) and set(first) <= {*RECEIPT_FIELDS} - {"erased"}
