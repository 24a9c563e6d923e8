"""Says where a user was found, and what is there. The commands `find` and `erase` say it alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from airflow_provider_userdata.cli.printing import counted, printable
from airflow_provider_userdata.cli.reject_groups import place_of
from airflow_provider_userdata.cli.run_counts import openness
from airflow_provider_userdata.cli.run_folders import RunFolder, each
from airflow_provider_userdata.cli.user_lines import ORIGINALS, RECEIPTS, REJECTS, UserLine
from airflow_provider_userdata.cli.user_search import Found, InRun
from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.recording import RejectedLine


@dataclass(frozen=True)
class Trace:
    """A place where a user was found.

    :param what: `delivered`, `rejected`, `held` or `unknown`; `kept` for what is only there to go on with.
    :param when: of an accepted request; None if the place doesn't say.
    :param why: the receipt, or the rule and the reason.
    :param fields: the fields of the record that hold the user.
    """

    what: str
    when: str | None
    dag: str | None
    task: str | None
    run: str | None
    map_index: str | None
    why: str
    fields: tuple[str, ...] = ()


def traces_of(found: Found) -> Iterator[Trace]:
    """Yield the places where a user was found."""
    folders = each([run.folder for run in found.runs], "Looking again into", (RECEIPTS,))
    for run, folder in zip(found.runs, folders, strict=True):
        yield from _of_receipts(run)
        yield from _of_rejects(replace(run, folder=folder))
        yield from _of_others(run)
    for one in found.held:
        records = counted(one.count, "record is", "records are")
        why = f"{records} too few for a request, and {'waits' if one.count == 1 else 'wait'} for the task's next run"
        yield Trace("held", None, one.file.dag, one.file.task, None, None, why, one.fields)
    for entry in found.ledger:
        stream = f"stream {entry.stream.id} ({entry.stream.vendor} at {entry.stream.address})"
        why = f"ledger, {stream}: {counted(entry.count, 'entry', 'entries')}, last on this day"
        yield Trace("delivered", entry.day.isoformat(), None, None, None, None, why)


def shown(one: Trace) -> str:
    """Return a place for a person: what, and below it where."""
    when = "" if one.when is None else f", {one.when[:19].replace('T', ' ')}"
    lines = [f"{one.what}{when}: {one.why}"]
    if one.dag is not None:
        run = "" if one.run is None else f", run {one.run}"
        index = "" if one.map_index is None else f", map index {one.map_index}"
        lines.append(f"    {one.dag} {one.task}{run}{index}")
    if one.fields:
        lines.append(f"    in the field {', '.join(one.fields)}")
    return "\n".join(map(printable, lines))


def _of_receipts(run: InRun) -> Iterator[Trace]:
    """Yield the accepted requests whose receipts name the user."""
    for line in run.lines:
        if line.kind == RECEIPTS and line.value is not None:
            told = [f"status {line.value.get('status')}", counted(line.value.get("count") or 0, "record")]
            told += [f"upload id {line.value['upload_id']}"] if line.value.get("upload_id") else []
            yield _trace(
                run.folder, "delivered", f"receipt: {', '.join(told)}", str(line.value.get("at") or "") or None
            )


def _of_rejects(run: InRun) -> Iterator[Trace]:
    """Yield the user's records in the rejects, each with its last fate."""
    last: dict[int, tuple[RejectedLine, UserLine]] = {}
    for line in run.lines:
        record = _rejected(line)
        if record is not None and record.fate is not Fate.UNCHANGED:
            last[record.position] = (record, line)
    if not last:
        return
    is_open = openness(run.folder)
    for position, (record, line) in last.items():
        why = f"{record.rule}{f' {record.path}' if record.path else ''}: {record.reason} ({place_of(record)})"
        what, fields = record.fate.value, tuple(sorted(line.fields))
        if not is_open(position):
            what, why = "delivered", f"by a later attempt or a replay; before: {record.fate}, {why}"
        yield _trace(run.folder, what, why, fields=fields)


def _of_others(run: InRun) -> Iterator[Trace]:
    """Yield lines that a crash cut short, and rows that are kept as they were read, without a reject."""
    rejected = {line.position for line in run.lines if line.kind == REJECTS}
    for line in run.lines:
        if line.kind != ORIGINALS and _rejected(line) is None and (line.kind == REJECTS or line.value is None):
            yield _trace(run.folder, "kept", f"a line of {line.file} that can't be read: a crash cut it short")
        elif line.kind == ORIGINALS and line.position not in rejected:
            yield _trace(run.folder, "kept", f"a row as it was read, for a task that goes on: {line.file}")


def _rejected(line: UserLine) -> RejectedLine | None:
    if line.kind != REJECTS or line.value is None:
        return None
    try:
        return msgspec.convert({**line.value, "record": msgspec.Raw(b"null")}, RejectedLine)
    except msgspec.ValidationError:
        return None


def _trace(folder: RunFolder, what: str, why: str, when: str | None = None, fields: tuple[str, ...] = ()) -> Trace:
    return Trace(what, when, folder.dag, folder.task, folder.run, folder.index or None, why, fields)
