"""The command `userdata find`: was this user sent, when, with which receipt; and if not, why."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from airflow_provider_userdata.cli.held import waiting
from airflow_provider_userdata.cli.ledger import open_ledger
from airflow_provider_userdata.cli.printing import printable, said, structured, user_of
from airflow_provider_userdata.cli.reject_groups import RejectedRecord, place_of
from airflow_provider_userdata.cli.run_folders import RunFolder, counts_of, lines_of, run_folders
from airflow_provider_userdata.errors import UserdataError
from airflow_provider_userdata.operators.ledger_settings import ledger_secret
from airflow_provider_userdata.operators.output_paths import output_root

NOT_FOUND = 1
"""The exit code if nothing is found."""
_USER_KEYS = ("user_label", "user_id")
"""What a receipt calls the user, where it names one."""
_DEEPEST = 3


@dataclass(frozen=True)
class Trace:
    """A place where a user was found.

    :param what: `delivered`, `rejected`, `held` or `unknown`.
    :param when: of an accepted request; None if the place doesn't say.
    :param why: the receipt, or the rule and the reason.
    """

    what: str
    when: str | None
    dag: str | None
    task: str | None
    run: str | None
    map_index: str | None
    why: str


@said()
def find(asked: Namespace) -> None:
    """Look for a user in receipts, rejects, held records and the ledger."""
    user = user_of(asked.user)
    root = output_root(asked.output_path)
    nameless = 0
    found: list[Trace] = []
    for folder in run_folders(root, asked.dag_id, asked.task_id):
        receipts = list(_receipts(folder, user))
        nameless += not receipts and _names_nobody(folder)
        found += [*receipts, *_rejects(folder, user)]
    found += _held(root, asked, user)
    in_ledger, ledger = _ledger(user)
    found += in_ledger
    notes = _notes(nameless, ledger)
    if asked.output != "table":
        print(structured({"found": [asdict(one) for one in found], "notes": notes}, asked.output))
    else:
        print("\n".join(map(_printed, found)) or f"This user is nowhere in {root}, and not in the ledger.")
        print("\n".join(["", *notes]))
    sys.exit(0 if found else NOT_FOUND)


def _receipts(folder: RunFolder, user: str) -> Iterator[Trace]:
    """Yield the accepted requests whose receipts name the user."""
    for line in _lines(folder, "receipts", user):
        if isinstance(line, dict) and user in [line.get(key) for key in _USER_KEYS]:
            told = [f"status {line.get('status')}", f"{line.get('count')} records"]
            told += [f"upload id {line['upload_id']}"] if line.get("upload_id") else []
            yield _trace(folder, "delivered", f"receipt: {', '.join(told)}", str(line.get("at") or "") or None)


def _rejects(folder: RunFolder, user: str) -> Iterator[Trace]:
    """Yield the user's records in the rejects, each with its last fate."""
    last: dict[int, RejectedRecord] = {}
    for line in _lines(folder, "rejects", user):
        with suppress(msgspec.ValidationError):
            record = msgspec.convert({**line, "record": msgspec.Raw(b"null")}, RejectedRecord)
            if _holds(line.get("record"), user):
                last[record.position] = record
    delivered = counts_of(folder).delivered if last else ()
    for position, record in last.items():
        why = f"{record.rule}{f' {record.path}' if record.path else ''}: {record.reason} ({place_of(record)})"
        if position in delivered:
            yield _trace(folder, "delivered", f"by a later attempt or a replay; before: {record.fate}, {why}")
        else:
            yield _trace(folder, record.fate, why)


def _held(root: Any, asked: Namespace, user: str) -> Iterator[Trace]:
    """Yield files of held records that hold the user's."""
    for one in waiting(root, asked):
        with suppress(FileNotFoundError), (one.folder / one.name).open("rb") as file:
            count = sum([_holds(_decoded(line), user) for line in file])
            if count:
                why = f"{count:,} records are too few for a request, and wait for the task's next run"
                yield Trace("held", None, one.dag, one.task, None, None, why)


def _ledger(user: str) -> tuple[list[Trace], str]:
    """Return what the ledger knows, and what is to be said of it."""
    try:
        with open_ledger() as ledger:
            rows = ledger.find_user(user, ledger_secret(), ledger.streams())
    except UserdataError as error:
        return [], f"The ledger was not looked at: {error}."
    return [
        Trace(
            *("delivered", day.isoformat(), None, None, None, None),
            f"ledger, stream {stream.id} ({stream.vendor} at {stream.address}): {count:,} entries, last on this day",
        )
        for stream, count, day in rows
    ], "The ledger knows what tasks with incremental=True delivered, and was looked at."


def _notes(nameless: int, ledger: str) -> list[str]:
    notes = [ledger]
    if nameless:
        notes.append(
            f"Receipts of {nameless:,} runs name no users, as those of Ptengine and of GeroSense with one token: only "
            "the ledger knows whom they reached."
        )
    return notes


def _names_nobody(folder: RunFolder) -> bool:
    """Return whether a run's receipts name no users."""
    first = next(map(_decoded, lines_of(folder.paths, "receipts")), None)
    return isinstance(first, dict) and not any(key in first for key in _USER_KEYS)


def _lines(folder: RunFolder, kind: str, user: str) -> Iterator[Any]:
    """Yield the lines that may name a user. One beyond ASCII may be written in several ways: then all."""
    may_name = _maybe(user)
    return (
        line for text in lines_of(folder.paths, kind) if may_name(text) and isinstance(line := _decoded(text), dict)
    )


def _maybe(user: str) -> Callable[[bytes], bool]:
    if not (user.isascii() and user.isalnum()):
        return lambda _: True
    needle = user.encode()
    return lambda text: needle in text


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _holds(value: Any, user: str, depth: int = 0) -> bool:
    """Return whether one of a record's values is the user."""
    if isinstance(value, dict) and depth < _DEEPEST:
        return any(_holds(item, user, depth + 1) for item in value.values())
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value) == user


def _trace(folder: RunFolder, what: str, why: str, when: str | None = None) -> Trace:
    return Trace(what, when, folder.dag, folder.task, folder.run, folder.index or None, why)


def _printed(one: Trace) -> str:
    """Return a place for a person: what, and below it where."""
    when = "" if one.when is None else f", {one.when[:19].replace('T', ' ')}"
    lines = [f"{one.what}{when}: {one.why}"]
    if one.dag is not None:
        run = "" if one.run is None else f", run {one.run}"
        index = "" if one.map_index is None else f", map index {one.map_index}"
        lines.append(f"    {one.dag} {one.task}{run}{index}")
    return "\n".join(map(printable, lines))
