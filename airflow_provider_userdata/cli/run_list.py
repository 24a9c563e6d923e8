"""The list of runs: a row for each, and replays below the run whose rejects they sent again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from airflow_provider_userdata.cli.printing import printable, table
from airflow_provider_userdata.cli.run_counts import counts_of
from airflow_provider_userdata.cli.run_folders import RunFolder
from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.recording import MARKS, RejectedLine, marks_name
from airflow_provider_userdata.sources import OF_COMMANDS

FATES = (Fate.DELIVERED, Fate.REJECTED, Fate.HELD, Fate.UNKNOWN)
_NAMES = ("dag", "task", "run", "map index")
Row = Mapping[str, Any]


class Replays:
    """Knows which runs sent the rejects of others again: what they delivered counts in those, too.

    :param folders: of all runs.
    """

    def __init__(self, folders: Sequence[RunFolder]) -> None:
        self._paths = {str(one.path): one for one in folders}
        self._marked: dict[str, list[RunFolder]] = {}
        for one in folders:
            for begin in {_begin(file.name) for file in one.files if file.name.startswith(MARKS)}:
                self._marked.setdefault(begin, []).append(one)

    def of(self, folder: RunFolder) -> list[RunFolder]:
        """Return the runs whose rejects a run sent again; of those that are replays, too, only what they replay."""
        found = self._origins(folder)
        first = [one for one in found if not self._origins(one)]
        return first or found

    def _origins(self, folder: RunFolder) -> list[RunFolder]:
        run = (folder.dag, folder.run, folder.task, folder.index or "-1")
        marked = self._marked.get(marks_name("/".join(run)), [])
        if marked or not folder.run.startswith(OF_COMMANDS):
            return marked
        return [one for one in [self._of_first_reject(folder)] if one is not None]

    def _of_first_reject(self, folder: RunFolder) -> RunFolder | None:
        """Return the run of which a replay got its first reject: it marks nothing if all are rejected again."""
        with suppress(StopIteration, msgspec.DecodeError, UnicodeDecodeError):
            line = msgspec.json.decode(next(folder.lines("rejects")), type=RejectedLine)
            return self._paths.get((line.file or "").rpartition("/")[0])
        return None


def row_of(folder: RunFolder, replays: Replays) -> Row:
    """Return what is said of a run."""
    counts, changed = counts_of(folder), folder.changed()
    fates = counts.fates()
    last = changed.isoformat(timespec="seconds") if changed is not None else counts.last_at
    return {
        **_named(folder),
        "last written": last or None,
        **{fate.value: fates[fate] for fate in FATES},
        "replay of": [_named(one) for one in replays.of(folder)] or None,
    }


def listed(rows: Sequence[Row]) -> Iterator[str]:
    """Return the lines for a person: a table for each task, so that the runs' long names fit."""
    tasks: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        tasks.setdefault((row["dag"], row["task"]), []).append(row)
    for (dag, task), own in tasks.items():
        mapped = any(row["map index"] is not None for row in own)
        yield f"{printable(dag)} {printable(task)}"
        ordered = list(_with_replays(own))
        yield table([_row_of_task(row, mapped=mapped, below=below) for row, below in ordered], indent=2, whole="run")
        if any(row["replay of"] for row in own):
            yield "  In brackets: records of a replay, which count in the run that it replays, too."
        for row, below in ordered:
            if row["replay of"] and not below:
                names = [f"{one['dag']} {one['task']} {one['run']}" for one in row["replay of"][:1]]
                yield f"  {printable(row['run'])} replays {printable(', '.join(names))}."
        yield ""


def _named(folder: RunFolder) -> dict[str, str | None]:
    return dict(zip(_NAMES, (folder.dag, folder.task, folder.run, folder.index or None), strict=True))


def _begin(name: str) -> str:
    """Return how a file of marks begins: it stands for the run that wrote it."""
    run = name.removeprefix(MARKS).partition("-")[0]
    return f"{MARKS}{run}-"


def _with_replays(rows: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
    """Yield the rows of a task, each replay below its run; and whether it stands below one."""
    runs = {_key(row) for row in rows if row["replay of"] is None}
    below: dict[tuple[object, ...], list[Row]] = {}
    others = []
    for row in rows:
        run = next((key for key in map(_key, row["replay of"] or []) if key in runs), None)
        if run is None:
            others.append(row)
        else:
            below.setdefault(run, []).append(row)
    for row in others:
        yield row, False
        yield from ((replay, True) for replay in below.get(_key(row), []))


def _key(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in _NAMES)


def _row_of_task(row: Row, *, mapped: bool, below: bool) -> dict[str, object]:
    index = {"map index": row["map index"]} if mapped else {}
    written = (row["last written"] or "")[:16].replace("T", " ")
    form = "({:,})" if row["replay of"] else "{:,}"
    counts = {fate.value: form.format(row[fate]) for fate in FATES}
    return {"run": "  " * below + row["run"], **index, "last written": written, **counts}
