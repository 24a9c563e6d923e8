"""Finds contradictions in a checkpoint and the files beside it: where to go on is never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from xxhash import xxh3_64

from airflow_provider_userdata.delivery.recording import Count, Range, attempts_of, receipts_name, rejects_name
from airflow_provider_userdata.delivery.report import Fate, Report
from airflow_provider_userdata.delivery.resuming.checkpoint import Checkpoint, Completed
from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet
from airflow_provider_userdata.errors import ResumeError

_DIGEST = re.compile(r"[0-9a-f]{32}|")
_NAME = re.compile(r"(?:receipts|rejects|sent)-[\w.+-]+")
_encode = msgspec.json.Encoder(order="deterministic").encode


class _Tally(msgspec.Struct):
    """The counts of a checkpoint."""

    fates: dict[Fate, Count] = {}
    refused: Count = 0
    answers: dict[str, Count] = {}
    reasons: dict[str, Count] = {}
    resent: Count = 0
    requests: Count = 0
    retries: Count = 0
    bytes: Count = 0
    seconds: float = 0.0


def signed(value: Checkpoint | Completed) -> Checkpoint | Completed:
    """Return what is to be saved, a checkpoint with its checksum."""
    return value if isinstance(value, Completed) else msgspec.structs.replace(value, checksum=_checksum(value))


def _checksum(checkpoint: Checkpoint) -> str:
    """Return the checksum of a checkpoint, without its times, which stores may format differently."""
    value = msgspec.to_builtins(checkpoint)
    value["tally"] = {name: count for name, count in value.get("tally", {}).items() if name != "seconds"}
    for name in ("waiting_since", "attempts", "at", "checksum"):
        value.pop(name, None)
    return xxh3_64(_encode(value)).hexdigest()


def flaw(earlier: Checkpoint | Completed) -> str | None:
    """Return what is wrong with what an attempt saved last; None if nothing is."""
    try:
        return next(_flaws_of_report(earlier.done) if isinstance(earlier, Completed) else _flaws(earlier), None)
    except (ValueError, msgspec.ValidationError) as error:
        return str(error)


def damaged(what: str, reason: str) -> ResumeError:
    """Return the error for damaged files or checkpoints, which says what to do."""
    return ResumeError(f"{what}: {reason}. Nobody can tell what was sent; send all again with resume=False")


def only_within(what: str, ranges: Iterable[Range], known: IntervalSet, reason: str) -> None:
    """Check that a file contains known positions only.

    :param what: the file.
    :param reason: what is wrong otherwise.
    :raises ResumeError: if it doesn't.
    """
    if any(known.count(start, length) != length for start, length in ranges):
        raise damaged(what, reason)


def _flaws_of_report(report: dict[str, Any]) -> Iterator[str]:
    try:
        made = msgspec.convert(Report.of(report).as_dict(), Report)
    except TypeError as error:  # it lacks a count, or has something else
        yield str(error)
        return
    fates = [getattr(made, fate) for fate in Fate]
    if min(fates) < 0 or sum(fates) != made.read:
        yield f"the fates of {sum(fates)} records are counted, and {made.read} were read"
    if min(made.invalid, made.refused) < 0 or made.invalid + made.refused != made.rejected:
        yield f"{made.invalid} invalid and {made.refused} refused records are counted, and {made.rejected} rejected"


def _flaws(checkpoint: Checkpoint) -> Iterator[str]:
    if checkpoint.checksum and checkpoint.checksum != _checksum(checkpoint):
        yield "its checksum is another"
    if checkpoint.below > checkpoint.read:
        yield f"`below` is {checkpoint.below}, and only {checkpoint.read} rows were read"
    if not (_DIGEST.fullmatch(checkpoint.digest) and _DIGEST.fullmatch(checkpoint.read_digest)):
        yield "`digest` is not a digest"
    yield from _flaws_of_journals(checkpoint)
    counts = msgspec.convert(checkpoint.tally, _Tally)
    if counts.refused > counts.fates.get(Fate.REJECTED, 0):
        yield f"`tally` counts {counts.refused} refused records, more than rejected ones"
    settled, sent = checkpoint.settled(), checkpoint.sent()
    if sum(counts.fates.values()) != len(settled):
        yield f"`tally` counts the fates of {sum(counts.fates.values())} records, and {len(settled)} are settled"
    if any(settled.count(start, length) for start, length in sent.ranges()):
        yield "`in_flight` holds records that have their fate"


def _flaws_of_journals(checkpoint: Checkpoint) -> Iterator[str]:
    attempts = attempts_of(checkpoint.journals)
    whole = {name for attempt in attempts for name in (receipts_name(attempt), rejects_name(attempt))}
    if checkpoint.attempt not in attempts or not whole <= set(checkpoint.journals):
        yield "`journals` lacks files of the attempt"
    if not all(_NAME.fullmatch(name) for name in (*checkpoint.journals, *checkpoint.earlier)):
        yield "`journals` names what is not a file of an attempt"
