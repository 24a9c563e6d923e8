"""Reads the rejects of earlier runs: each record whose last fate it is, and that no replay has sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

import msgspec

from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.preparing import value_of
from airflow_provider_userdata.delivery.reading import Chunk, RowFormat, Unreadable
from airflow_provider_userdata.delivery.recording import Folder, RejectedLine
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.chunking import LazySource
from airflow_provider_userdata.sources.corrections import Corrections
from airflow_provider_userdata.sources.reject_chains import Chains
from airflow_provider_userdata.sources.rejects_files import RejectsFolder, attempt_of, attempts_in, find_rejects
from airflow_provider_userdata.sources.rejects_source import RejectsSource

ROWS = 500
"""The most rows in a chunk."""
_log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(RejectedLine).decode


class _Row(NamedTuple):
    """A record that is sent again, its line in the file, and whether it has the vendor's field names."""

    row: Any
    line: int
    carried_in: bool

    @property
    def form(self) -> RowFormat:
        return RowFormat.JSON if type(self.row) is bytes else RowFormat.OBJECTS


def open_rejects(source: RejectsSource, replay: Replay, output: Any) -> LazySource:
    """Return the source of some rejects. May ask Airflow for a store, or for its settings.

    :param replay: is told which rejects they are, and knows which were sent again.
    :param output: where tasks write, unless the source says so.
    :raises SourceError: if there are none where some are named.
    """
    source.check()
    folders = find_rejects(source, output, replay.own)
    for folder, _ in folders:
        if str(folder) == replay.own:
            raise SourceError(
                "source: RejectsSource: these are the rejects of this same run; send them again in another run, or "
                "correct the source and clear the task"
            )
    if isinstance(source.fix, Corrections) and len(folders) > 1:
        raise SourceError(
            f"source: RejectsSource: the corrections are of one table, and these are the rejects of {len(folders)} "
            "folders, each with positions of its own: of a mapped task, choose an instance with map_index"
        )
    chains = Chains(folders, replay)
    return LazySource(partial(_read, source, folders, chains), files=sum(len(names) for _, names in folders))


def _read(source: RejectsSource, folders: list[RejectsFolder], chains: Chains) -> Iterator[Chunk]:
    if isinstance(source.fix, Corrections):
        source.fix.compare(line for folder in folders for line in _lines_of_folder(source, folder, chains))
    left = source.limit
    for chunk in chain.from_iterable(_of_folder(source, folder, chains) for folder in folders):
        if left is None:
            yield chunk
            continue
        first = next(chunk.parts(partial(int, left)))
        yield first
        left -= len(first.rows)
        if not left:
            return


def _of_folder(source: RejectsSource, rejects: RejectsFolder, chains: Chains) -> Iterator[Chunk]:
    folder, names = rejects
    with _readable(folder):
        attempts = attempts_in(folder)
        order = {attempt: place for place, attempt in enumerate(attempts)}
        for name in sorted(names, key=lambda name: (order.get(attempt_of(name, folder) or "", -1), name)):
            chosen = _chosen(source, rejects, name, chains)
            for (form, carried_in), group in groupby(chosen, key=lambda row: (row.form, row.carried_in)):
                while rows := list(islice(group, ROWS)):
                    lines = [row.line for row in rows]
                    yield Chunk(form, [row.row for row in rows], carried_in, file=str(folder / name), lines=lines)


def _lines_of_folder(source: RejectsSource, rejects: RejectsFolder, chains: Chains) -> Iterator[RejectedLine]:
    """Yield the lines whose records are sent again."""
    with _readable(rejects.folder):
        for name in rejects.names:
            for _, line in _wanted(source, rejects, name, chains):
                if line is not None and not line.carried_over and not line.erased:
                    yield line


@contextmanager
def _readable(folder: Folder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceBrokeError(f"source: the rejects in {folder} can't be read: {type(error).__name__}") from error


def _chosen(source: RejectsSource, rejects: RejectsFolder, name: str, chains: Chains) -> Iterator[_Row]:
    """Yield the records of a file that are sent again."""
    by_itself = damaged = erased = 0
    takes_line = source.fix_takes_line
    for number, line in _wanted(source, rejects, name, chains):
        if line is None:
            damaged += 1
        elif line.erased:
            erased += 1
        elif line.carried_over:
            by_itself += 1
        else:
            row = line.row() if source.fix is None else _fixed(source, line, name, number, takes_line=takes_line)
            if row is not None:
                yield _Row(row, number, line.carried_in)
    if by_itself:
        _log.info("%d held records are left out: the task's next run sends them first", by_itself)
    if erased:
        _log.info("%d records are left out: they were erased, for their users", erased)
    if damaged:
        _log.warning("%s has %d damaged lines, which are left out", name, damaged)


def _wanted(
    source: RejectsSource, rejects: RejectsFolder, name: str, chains: Chains
) -> Iterator[tuple[int, RejectedLine | None]]:
    """Yield the lines of a file that are still to be sent, each with its number; None for a damaged one."""
    with (rejects.folder / name).open("rb") as file:
        for number, text in enumerate(file, start=1):
            try:
                line = _decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError):
                if text.endswith(b"\n"):  # one without is being written, or a crash tore it
                    yield number, None
                continue
            since = chains.fate(rejects.folder, name, number)
            if since not in (Fate.DELIVERED, Fate.HELD) and source.takes(since or line.fate, line.rule):
                yield number, line


def _fixed(source: RejectsSource, line: RejectedLine, name: str, number: int, *, takes_line: bool) -> Any:
    """Return a record as the author's function corrects it; None to leave it out."""
    assert source.fix is not None  # noqa: S101  # asked before
    row = line.row()
    value = value_of(row, RowFormat.JSON if type(row) is bytes else RowFormat.OBJECTS)
    if type(value) is Unreadable:  # a text that is not JSON, or a record that its line only describes
        value = row.decode(errors="replace") if type(row) is bytes else msgspec.json.decode(line.record)
    try:
        fixed = source.fix(value, line) if takes_line else source.fix(value)
        return row if fixed is value and type(row) is Unreadable else fixed
    except UserdataError:
        raise
    except BaseException as error:  # also SystemExit, which would end the process without a report
        place = f"line {number} of {name}"
        raise SourceBrokeError(f"source: RejectsSource: fix raised {type(error).__name__} for {place}") from error
