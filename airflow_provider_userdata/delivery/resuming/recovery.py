"""Finds out where the next attempt goes on: the last checkpoint, and what the files prove beyond it."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.reading import OriginalRow
from airflow_provider_userdata.delivery.recording import (
    Folder,
    Line,
    Range,
    ReceiptLine,
    RejectLine,
    SentLine,
    attempts_of,
    cut_log,
    is_local,
    reached,
    read_log,
    read_positions,
    receipts_name,
    rejects_name,
    sent_name,
)
from airflow_provider_userdata.delivery.report import Counters, Fate
from airflow_provider_userdata.delivery.resuming.checkpoint import Checkpoint
from airflow_provider_userdata.delivery.resuming.doubt import ALL, Doubt
from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet
from airflow_provider_userdata.delivery.resuming.sent_meanwhile import keep_sent_meanwhile
from airflow_provider_userdata.delivery.resuming.soundness import damaged, only_within
from airflow_provider_userdata.errors import ResumeError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where an attempt goes on.

    :param checkpoint: the last one.
    :param settled: positions that have their fate.
    :param in_doubt: positions that were sent, or may have been, without an answer on record.
    :param tally: the counts of what is settled.
    :param read: digests of the first rows, as read after the checkpoint, by how many they are.
    :param proven: positions that were delivered after the checkpoint, as the receipts prove.
    :param originals: of a completed run that goes on: what its rows were, by position, that may be corrected now.
    :param erased: how many of such rows were erased, on behalf of the user whom they were about.
    :param not_delivered: of a completed run that goes on: the counts of what may be corrected now, as they were.
    """

    checkpoint: Checkpoint
    settled: IntervalSet
    in_doubt: Doubt
    tally: dict[str, Any]
    read: dict[int, str] = field(default_factory=dict)
    proven: IntervalSet = field(default_factory=IntervalSet)
    originals: Mapping[int, OriginalRow] | None = None
    erased: int = 0
    not_delivered: dict[str, Any] = field(default_factory=dict)

    @property
    def any_sent(self) -> bool:
        """Whether any record was delivered, or may have been."""
        return any_sent(self.tally["fates"]) or bool(self.in_doubt)


def any_sent(fates: Mapping[str, int]) -> bool:
    """Return whether any record was delivered, or may have been.

    :param fates: how many records have each fate.
    """
    return any(fates.get(fate, 0) for fate in (Fate.DELIVERED, Fate.UNKNOWN))


def recover(checkpoint: Checkpoint, folder: Folder, *, must_know: bool) -> Recovery:
    """Find out where to go on. Blocks.

    :param folder: of the run's fates, as this worker sees it.
    :param must_know: whether a record must never be sent twice (`on_doubt="hold"`).
    :raises ResumeError: if the files can't be read here, and must be.
    """
    settled, sent = checkpoint.settled(), checkpoint.sent()
    attempts = attempts_of(checkpoint.journals)
    if not all(_readable(folder, attempt) for attempt in attempts):
        _say_unreadable(checkpoint, must_know=must_know)
        below = checkpoint.doubt_below if checkpoint.ended else ALL
        return Recovery(checkpoint, settled, Doubt(sent.without(settled), below), checkpoint.tally)
    tally = Counters(lambda: 0.0)
    tally.restore(checkpoint.tally)
    in_doubt: list[tuple[int, int]] = []
    read: dict[int, str] = {}
    proven = IntervalSet()
    below = checkpoint.doubt_below
    known = checkpoint.sent()
    for attempt in attempts:
        then = _sent(checkpoint, folder, attempt, tally)
        if attempt == checkpoint.attempt and not then.closed and not is_local(folder):
            until = then.until if then.until is not None else checkpoint.until
            below = max(below, ALL if until is None else until)
        if must_know and below >= ALL:
            raise ResumeError(
                f'output_path: nobody can tell what attempt {attempt} sent before it was killed, and on_doubt="hold" '
                "allows no guess. Start over with resume=False"
            )
        in_doubt.extend(then.sent.without(then.returned).ranges())
        known.add_all(then.sent.ranges())
        sent = sent.without(then.returned)
        read.update(then.read)
        for receipt in _lines(checkpoint, folder, receipts_name(attempt), ReceiptLine):
            if receipt.count != sum(length for _, length in receipt.ranges):
                raise damaged(receipts_name(attempt), "a count isn't that of its records")
            only_within(receipts_name(attempt), receipt.ranges, known, "it holds records that were never sent")
            _record(settled, receipt.ranges, tally, Fate.DELIVERED)
            tally.record_answer(receipt.status)
            proven.add_all(receipt.ranges)
        for reject in _lines(checkpoint, folder, rejects_name(attempt), RejectLine):
            only_within(rejects_name(attempt), [(reject.position, 1)], then.was_read, "it holds what was not read")
            _record(settled, [(reject.position, 1)], tally, reject.fate, reject)
    for fate, positions in read_positions(folder):
        _record(settled, [(start, length) for start, length in positions], tally, fate)
    in_doubt.extend(sent.ranges())
    doubt = Doubt(IntervalSet(in_doubt).without(settled), below)
    return Recovery(checkpoint, settled, doubt, tally.snapshot(), read, proven)


@dataclass(slots=True)
class _Sent:
    """What an attempt wrote about its requests after the checkpoint.

    :param sent: what it was about to send.
    :param returned: what of it was not accepted.
    :param read: digests of what it read.
    :param was_read: the positions of all of it.
    :param until: up to where it may have sent without naming it.
    :param closed: whether it came to its own end.
    """

    sent: IntervalSet = field(default_factory=IntervalSet)
    returned: IntervalSet = field(default_factory=IntervalSet)
    read: dict[int, str] = field(default_factory=dict)
    was_read: IntervalSet = field(default_factory=IntervalSet)
    until: int | None = None
    closed: bool = False


def _sent(checkpoint: Checkpoint, folder: Folder, attempt: str, tally: Counters) -> _Sent:
    """Read what an attempt sent, count its requests, and remove the lines of the records that it left."""
    found = _Sent()
    name, covered = sent_name(attempt), checkpoint.journals[rejects_name(attempt)]
    if reached(folder, name) < checkpoint.journals[name] and is_local(folder):
        raise damaged(name, "it is shorter than the checkpoint says")
    found.was_read.add(0, checkpoint.read + checkpoint.carried_in)
    for line in _lines(checkpoint, folder, name, SentLine):
        if line.bytes is not None:
            tally.requests += 1
            tally.bytes += line.bytes
            tally.retries += line.retry
        tally.resent = max(0, tally.resent + line.again)
        if line.read is not None:
            found.read[line.read] = line.digest
            found.was_read.add(0, line.read + checkpoint.carried_in)
        only_within(name, line.ranges, found.was_read, "it holds what was not read")
        found.sent.add_all(line.ranges)
        found.returned.add_all(line.returned)
        if line.left is not None:
            if line.left < covered:
                raise damaged(name, "it would take out rejects that the checkpoint covers")
            keep_sent_meanwhile(folder, attempt)
            cut_log(folder, rejects_name(attempt), line.left)
        found.until = found.until if line.until is None else line.until
        found.closed = found.closed or line.closed
    return found


def _record(
    settled: IntervalSet, ranges: Sequence[Range], tally: Counters, fate: Fate, reject: RejectLine | None = None
) -> None:
    rule = None if reject is None else reject.rule or None
    answered = reject is None or reject.status is not None
    for start, length in ranges:
        tally.record_outcome(fate, length - settled.count(start, length), rule, answered=answered)
        settled.add(start, length)


def _lines(checkpoint: Checkpoint, folder: Folder, name: str, kind: type[Line]) -> Iterator[Line]:
    """Yield the lines after the checkpoint. A torn line proves nothing; a file without lines doesn't exist.

    :raises ResumeError: if a line is whole, and isn't what is written there.
    """
    with contextlib.suppress(FileNotFoundError):
        for line in read_log(folder, name, checkpoint.journals[name]):
            try:
                yield msgspec.json.decode(line, type=kind)
            except msgspec.ValidationError as error:
                raise damaged(
                    name, f"a line isn't what is written there ({str(error).rpartition(' - at ')[2]})"
                ) from None
            except msgspec.DecodeError:
                if kind is SentLine and line.rstrip().endswith(b"}"):
                    raise damaged(name, "a line can't be read") from None


def _readable(folder: Folder, attempt: str) -> bool:
    """Return whether the files of an attempt can be read here: they exist since before its first checkpoint."""
    try:
        return any(True for _ in read_log(folder, sent_name(attempt), 0))
    except OSError:
        return False


def _say_unreadable(checkpoint: Checkpoint, *, must_know: bool) -> None:
    where = f"{checkpoint.folder} on {checkpoint.host}"
    if must_know:
        raise ResumeError(
            f"output_path: what attempt {checkpoint.attempt} sent last stands in {where}, which {socket.gethostname()} "
            'can\'t read, and on_doubt="hold" allows no guess; let all workers share output_path, or start over '
            "with resume=False"
        )
    _log.warning(
        "The files of attempt %s are in %s, which can't be read here: this attempt goes on from the checkpoint. What "
        "was sent in the second after it may be sent twice%s",
        checkpoint.attempt,
        where,
        "" if checkpoint.ended else ", and nobody can tell which records: all that go out now are counted as resent",
    )
