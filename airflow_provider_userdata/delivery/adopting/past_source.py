"""Reads the source of a finished run again, and shows that it is what the run read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from airflow_provider_userdata.delivery.adopting.proofs import Proofs, Standing
from airflow_provider_userdata.delivery.preparing import FieldMap, Preparer
from airflow_provider_userdata.delivery.reading import (
    Chunk,
    OriginalDigest,
    OriginalRow,
    RowFormat,
    Source,
    original_row,
)
from airflow_provider_userdata.delivery.resuming import Completed, IntervalSet
from airflow_provider_userdata.errors import SourceBrokeError, SourceChangedError, UserdataError
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import Vendor


@dataclass(frozen=True)
class PastRun:
    """A finished run, and how its task would read the source now.

    :param completed: the marker that the run left.
    :param proofs: what its files prove.
    """

    vendor: Vendor
    fields: FieldMap | None
    source: Source
    completed: Completed
    proofs: Proofs


class Piece(NamedTuple):
    """Records of one chunk that stand alike.

    :param day: of their receipts; None if they have none.
    :param read: how many rows of the source were read so far.
    :param unfit: how many of them can't be told, as a replay sent them corrected.
    """

    standing: Standing
    day: date | None
    records: Sequence[Record]
    read: int
    unfit: int = 0


class Refused(NamedTuple):
    """A record that was delivered, and that the task doesn't take now."""

    position: int
    rule: str


def read_again(run: PastRun) -> Iterator[Piece]:
    """Yield the records that the vendor may have of a run, in the order of its source. Blocks.

    Nothing of it is proven before it has come to its end.

    :raises SourceChangedError: if the source is not what the run read, or the task no longer takes what it delivered.
    """
    completed = run.completed
    if not completed.rows:
        return
    refused: Refused | None = None
    digest = OriginalDigest(run.proofs.originals)
    preparers = {True: Preparer(run.vendor.of_held(), None), False: Preparer(run.vendor, run.fields)}
    first = 0
    for chunk in _chunks(run):
        rows = min(len(chunk.rows), completed.rows - first)
        mark, *_ = digest.take(chunk.rows, [completed.rows], chunk.text)
        for standing, day, positions in run.proofs.standings():
            places = _within(positions, first, rows)
            piece, at_fault = _piece(run, chunk, preparers[chunk.carried_in], standing, places, first)
            refused = refused or at_fault
            yield piece._replace(day=day)
        first += rows
        if first == completed.rows:
            if mark.digest != completed.digest:
                raise _changed(run)
            if refused is not None:
                raise SourceChangedError(
                    f"the record at position {refused.position} was delivered, and the task would reject it now "
                    f"({refused.rule}): its arguments, such as `fields`, are not those of the run. Nothing was entered"
                )
            return
    raise _changed(run)


def _chunks(run: PastRun) -> Iterator[Chunk]:
    """Yield what the run read: first what an earlier one had held."""
    if run.completed.carried_in:
        held = [run.proofs.originals[position].line or b"" for position in range(run.completed.carried_in)]
        yield Chunk(RowFormat.JSON, held, carried_in=True)
    if run.completed.rows > run.completed.carried_in:
        chunks = run.source.chunks()
        try:
            yield from chunks
        except (UserdataError, GeneratorExit):
            raise
        except BaseException as error:  # also SystemExit: the author's code may raise anything
            raise SourceBrokeError(f"source: reading raised {type(error).__name__}") from error
        finally:
            if (close := getattr(chunks, "close", None)) is not None:
                close()


def _piece(
    run: PastRun, chunk: Chunk, preparer: Preparer, standing: Standing, positions: Sequence[int], first: int
) -> tuple[Piece, Refused | None]:
    """Return the valid records at some positions of a chunk, and the first that was delivered and isn't valid now.

    :param first: the position of the chunk's first row.
    """
    rows = chunk.rows if len(positions) == len(chunk.rows) else [chunk.rows[place - first] for place in positions]
    unfit = 0
    if standing is Standing.REPLAYED:
        same = [place for place in positions if _is_as_read(run.proofs.originals, place, chunk.rows[place - first])]
        unfit, positions = len(positions) - len(same), same
        rows = [chunk.rows[place - first] for place in positions]
    checked = preparer.prepare(chunk, rows, positions)
    piece = Piece(standing, None, checked.records, first + len(chunk.rows), unfit + len(checked.invalid))
    if not checked.invalid or standing is Standing.REPLAYED:
        return piece, None
    place, invalid = checked.invalid[0]
    return piece, Refused(positions[place], invalid.faults[0].rule)


def _is_as_read(originals: Mapping[int, OriginalRow], position: int, row: object) -> bool:
    """Return whether a row that a replay sent again is unchanged since the run read it."""
    was = originals.get(position)  # of what may have been corrected; the digest covers all others
    return was is None or was == original_row(row)


def _within(positions: IntervalSet, first: int, count: int) -> Sequence[int]:
    found = positions.count(first, count)
    if found in (0, count):
        return range(first, first + found)
    return [position for position in range(first, first + count) if position in positions]


def _changed(run: PastRun) -> SourceChangedError:
    rows = run.completed.rows - run.completed.carried_in
    besides = ", besides those that were rejected or held," if run.proofs.originals else ""
    return SourceChangedError(
        f"source: its first {rows:,} records{besides} are not those that the run read, so that nobody can tell which "
        "of them were delivered. Nothing was entered: adopt a run whose source is unchanged; or let the first run with "
        "incremental=True send everything"
    )
