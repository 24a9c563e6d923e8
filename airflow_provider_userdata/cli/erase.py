"""The command `userdata erase`: takes a user out of all that runs left, on the user's behalf."""

from __future__ import annotations

import sys
import textwrap
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from airflow_provider_userdata.cli.erasing import Erased, erase_all, finish_earlier, nameless_held, under_way
from airflow_provider_userdata.cli.mentions import Mentions
from airflow_provider_userdata.cli.printing import confirm, counted, printable, said, structured, tool, user_of
from airflow_provider_userdata.cli.traces import shown, traces_of
from airflow_provider_userdata.cli.user_lines import RECEIPTS
from airflow_provider_userdata.cli.user_search import Found, kept_folders, look_for
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators.output_paths import output_root

NOWHERE, FAILED, LEFT = 1, 2, 3
"""The exit codes if the user is nowhere, if the command can't work, and if something had to be left."""
_WIDTH = 100
_PASSES = 3
"""How often it looks again: runs may write meanwhile."""
_NAMES = {
    "receipts": ("receipt", None),
    "rejects": ("record in rejects", "records in rejects"),
    "originals": ("row as it was read", "rows as they were read"),
    "held records": ("held record", None),
    "ledger entries": ("entry of the ledger", "entries of the ledger"),
}
_VENDOR = (
    "The vendor, which has what was delivered. None of the three documents a request that deletes it: ask each one, "
    "with the user's id, and Thymia with the upload ids above."
)
_SOURCE = "The source: what it still has of the user, the next run sends again, also one with incremental=True."
_AIRFLOW = (
    "Airflow: this package stores no records there, but XComs, logs and texts of a DAG's own may hold some. With an "
    "outlet asset, the asset's state has the names of devices."
)
_COPIES = (
    "Copies: backups, tables of `rejects export`, folders of `check --keep` that --kept doesn't name, other ledgers, "
    "and the disks of other workers."
)
BEYOND = (_VENDOR, _SOURCE, _AIRFLOW, _COPIES)
"""What the command can't reach."""


@said(FAILED)
def erase(asked: Namespace) -> None:
    """Erase a user from receipts, rejects, held records and the ledger."""
    if asked.output != "table" and not (asked.yes or asked.dry_run):
        raise ArgumentError("--output is for programs, which can't be asked: say --yes or --dry-run, too")
    user = Mentions(user_of(asked.user), asked.field or ())
    root = output_root(asked.output_path)
    finished = 0 if asked.dry_run else finish_earlier(root, [one.path for one in kept_folders(asked.kept)])
    found = look_for(user, root, kept=asked.kept, in_doubt=True)
    told = [asdict(one) for one in traces_of(found)]
    if asked.output == "table":
        print("\n".join(map(shown, traces_of(found))) or found.nowhere(root))
    done = Erased()
    if found:
        _check_fields(user, found)
        if not asked.dry_run:
            confirm(asked, f"Erase this user from {counted(len(told), 'place')}? It can't be undone.", "erased")
            found, done = _erased(asked, user, root, found)
    done.counts["finished"] += finished
    unclear = list(map(_nameless, nameless_held(found, root)))
    left = [] if asked.dry_run else [*done.left, *unclear]
    others = [run for run in under_way(found) if not any(one.startswith(run) for one in left)]
    notes = [*(unclear if asked.dry_run else []), *map(_under_way, others), *found.notes()]
    _say(asked, told, done, left, notes)
    sys.exit(NOWHERE if not told and not finished else LEFT if left else 0)


def _erased(asked: Namespace, user: Mentions, root: Any, found: Found) -> tuple[Found, Erased]:
    """Erase, and look again until nothing more is found than what has to be left."""
    counts: Counter[str] = Counter()
    left: list[str] = []
    first = found
    for _ in range(_PASSES):
        done = erase_all(found, user, root)
        counts, left = counts + done.counts, done.left
        found = look_for(user, root, kept=asked.kept, in_doubt=True)
        if not found or not done.counts.total():
            break
    if found and not left:
        left = ["a run is writing the user at this moment: call this again once it is over"]
    return first, Erased(counts, left)


def _check_fields(user: Mentions, found: Found) -> None:
    """Check that it is clear whose records are erased.

    :raises ArgumentError: if the user is a number, which other records may have as a value.
    """
    lines = [line for run in found.runs for line in run.lines if line.kind != RECEIPTS]
    if user.is_ambiguous and (lines or found.held):
        names = Counter([name for line in lines for name in line.fields])
        names.update(name for held in found.held for name in held.fields)
        listed = ", ".join(f"{printable(name)} ({count:,})" for name, count in names.most_common(10))
        raise ArgumentError(
            "--field: this user is a number, which others' records may have as a value; name the fields that hold "
            f"users, such as --field user_id. It was found in: {listed or 'lines that a crash cut short'}"
        )


def _say(asked: Namespace, told: list[dict[str, Any]], done: Erased, left: list[str], notes: list[str]) -> None:
    counts = {name: done.counts[name] for name in _NAMES if done.counts[name]}
    if asked.output != "table":
        erased = None if asked.dry_run else counts
        form = {"found": told, "erased": erased, "left": left, "notes": notes, "beyond": list(BEYOND)}
        print(structured(form, asked.output))
        return
    print("\n".join(_said(asked, told, done, left, notes)))


def _said(
    asked: Namespace, told: list[dict[str, Any]], done: Erased, left: list[str], notes: list[str]
) -> Iterator[str]:
    """Return the lines for a person."""
    if done.counts["finished"]:
        yield f"Finished an earlier call that was cut short: {counted(done.counts['finished'], 'line')}."
    if asked.dry_run and told:
        yield "\nNothing was erased: --dry-run."
    elif told:
        listed = [counted(done.counts[name], *words) for name, words in _NAMES.items() if done.counts[name]]
        yield textwrap.fill(f"Erased: {', '.join(listed) or 'nothing'}.", _WIDTH, initial_indent="\n")
        yield "Counts, positions and rules stay."
    if left:
        yield "\nLeft:"
        yield from map(_item, left)
    yield ""
    yield from (textwrap.fill(printable(note), _WIDTH) for note in notes)
    yield "\nWhat this can't reach:"
    yield from map(_item, BEYOND)


def _item(text: str) -> str:
    return textwrap.fill(printable(text), _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _nameless(task: str) -> str:
    return (
        f"{task}: held records that don't name their user wait there, and some may be this user's: `{tool()} held "
        "list` shows them, `held drop` removes all of a task's"
    )


def _under_way(run: str) -> str:
    later = "What it writes from now on isn't erased: call this again once it is over."
    return f"{run}: the run is under way, or is tried again. {later}"
