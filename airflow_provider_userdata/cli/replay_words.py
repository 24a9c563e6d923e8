"""What `userdata replay` says: what the table changes, and what became of the records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec

from airflow_provider_userdata.cli.printing import counted, printable, table
from airflow_provider_userdata.cli.reasons import ShortPlaces, reasons
from airflow_provider_userdata.cli.reject_groups import Group, RejectGroups
from airflow_provider_userdata.delivery import Result
from airflow_provider_userdata.delivery.recording import RejectedLine
from airflow_provider_userdata.sources import MISFIT, Change, Changes, Corrections, UserCells, path_of
from airflow_provider_userdata.vendors import UNREADABLE

_MOST_GROUPS = 20
_OF_FORMS = (UNREADABLE, "G7")
"""Rules of dates and numbers that can't be read."""
Place = tuple[str | None, int | None]
"""A rejects file, and a line there."""


def changes_said(fix: Corrections, changes: Changes) -> Iterator[str]:
    """Return the lines that say what the table changes: columns and rows, no values."""
    name = printable(fix.table.name)
    found = sorted(changes, key=lambda change: (change.form is not None, -change.count))
    if not found and changes.compared:
        yield f"{name} changes no value."
    elif found:
        yield f"What {name} changes:"
        yield table([_change(fix, change) for change in found])
    if changes.removed:
        yield f"{counted(changes.removed, 'record has', 'records have')} no row in {name}: not sent."
    if (others := len(fix.table.rows) - changes.compared) > 0:
        rows = counted(others, f"row of {name} is", f"rows of {name} are")
        yield f"{rows} not needed: delivered by now, or not selected."
    if fix.users is not None:
        yield from _warnings(fix.users)


def result_said(result: Result, groups: RejectGroups, fix: Corrections | None, *, dry_run: bool) -> Iterator[str]:
    """Return the lines that say what became of the records."""
    report = result.report
    if not report.read:
        removed = 0 if fix is None or fix.changes is None else fix.changes.removed
        yield f"No {'other ' * (removed > 0)}record is left to be sent again."
        return
    done = {"valid": report.read - report.rejected - report.unknown} if dry_run else {"delivered": report.delivered}
    others = {"rejected": report.rejected, "held": 0 if dry_run else report.held, "unknown": report.unknown}
    counts = [f"{count:,} {name}" for name, count in {**done, **others}.items() if count or name in done]
    yield f"{counted(report.read, 'record')}: {', '.join(counts)}{'; nothing was sent' * dry_run}."
    found = groups.most_frequent()
    shown = found[:_MOST_GROUPS]
    if not shown:
        return
    first = [record for group in shown for record in group.first]
    origins = _origins(first)
    places = ShortPlaces([_origin(record, origins) or record for record in first])
    yield ""
    yield from reasons(shown, lambda record: _place(record, origins, places, fix))
    if (more := len(found) - len(shown)) > 0:
        yield f"\n{counted(more, 'more reason')}"
    if fix is None:
        yield from places.legend()
    elif any(record.columns for record in first):
        yield (
            f"\nRows with more or fewer cells than columns: put each value into its column, then empty the cell in the "
            f"column {MISFIT!r}."
        )
    if fix is not None and not fix.table.is_xlsx and any(map(_may_lack_form, shown)):
        yield (
            "\nIf you typed it otherwise, the spreadsheet wrote it in its own form: export with --xlsx, where what you "
            "type stays as it is."
        )
    if fix is not None:
        yield f"\nCorrect them in {printable(fix.table.name)} and replay again: nothing is sent twice."


def _may_lack_form(group: Group) -> bool:
    """Return whether a date or a number may only be wrong because a spreadsheet wrote it in its own form."""
    return group.rule in _OF_FORMS and not any(record.columns for record in group.first)


def _warnings(users: UserCells) -> Iterator[str]:
    """Return what is worth a look before anything is sent."""
    column, others = printable(users.column), users.others
    if others.count:
        yield (
            f"Warning: {column} names the user, and names another one in {counted(others.count, 'row')} "
            f"({others.rows}): what it says goes to that user, who is created if there is none."
        )
    for width, common, rows in users.shorter():
        yield (
            f"Warning: {column} names a user in {counted(rows.count, 'row')} ({rows.rows}) with fewer digits than all "
            f"others, {width} in place of {common}. A spreadsheet may have removed zeros at its beginning."
        )


def _change(fix: Corrections, change: Change) -> dict[str, object]:
    return {
        "column": change.column,
        "change": _words(fix, change),
        "count": f"{change.count:,}",
        "first": change.rows,
    }


def _words(fix: Corrections, change: Change) -> str:
    if change.form is None:
        return "filled in" if change.filled else "other values"
    taken = {"original": "; the original is sent", "table": "; sent like that"}
    return f"only its form: {change.form}{taken.get(fix.reformatted, '')}"


def _place(
    record: RejectedLine, origins: Mapping[Place, RejectedLine], places: ShortPlaces, fix: Corrections | None
) -> str:
    """Return where a record stands in the table, and where it came from first."""
    origin = _origin(record, origins)
    row = None if fix is None or origin is None else fix.table.rows.get(origin.position)
    place = places.of(origin or record)
    return place if fix is None or row is None else f"{fix.table.name} row {row.number} ({place})"


def _origin(record: RejectedLine, origins: Mapping[Place, RejectedLine]) -> RejectedLine | None:
    """Return the line of a record that says where it came from first; None if it isn't there any more."""
    return origins.get((record.file, record.line))


def _origins(records: Sequence[RejectedLine]) -> dict[Place, RejectedLine]:
    """Return the earlier run's lines of some rejects, by their places."""
    wanted = {(record.file, record.line) for record in records}
    found: dict[Place, RejectedLine] = {}
    decoder = msgspec.json.Decoder(RejectedLine)
    for name in {file for file, _ in wanted if file is not None}:
        with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError), path_of(name).open("rb") as file:
            for number, text in enumerate(file, start=1):
                if (name, number) in wanted:
                    found[name, number] = decoder.decode(text)
    return found
