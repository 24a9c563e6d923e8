"""How far a run got: one small value, saved at most once a second.

A checkpoint is an index of the receipts and rejects: it never covers a record whose fate is not in a file. What the
files contain beyond it counts as proof, too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Protocol

import msgspec

from airflow_provider_userdata.delivery.recording import Count
from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet, unpacked
from airflow_provider_userdata.upload_status import EarlierAttempt

_LARGEST_SETS = 12 * 1024
"""The bytes of both sets at most, so that a checkpoint has fewer than 16 KB, whatever the source."""


class Checkpoint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the next attempt has to know.

    :param attempt: the attempt that wrote it.
    :param host: where the files were written.
    :param folder: the folder that they are in.
    :param journals: how much of each file it covers, by the file's name. Of more than one attempt if the
        checkpoint was too large to be replaced.
    :param below: all positions below are settled. The end of a chunk.
    :param digest: of the rows below.
    :param read: how many rows were read. The end of a chunk.
    :param read_digest: of those rows.
    :param beyond: the positions from `below` on that are settled, packed.
    :param in_flight: the positions from `below` on that were sent and not settled, packed.
    :param carried_in: how many of the first records an earlier run had held.
    :param tally: the counts of what is settled.
    :param address: the fingerprint of where the records went.
    :param account: the fingerprint of the credential that they went with.
    :param doubt_below: attempts before this one may have sent all positions below, but for those that are settled.
    :param until: this attempt may have sent all positions below, too; None where its files name each that it sends.
    :param ended: whether nothing was sent after this was written.
    :param earlier: how far the receipts and rejects of the attempts before went, by the file's name.
    :param waiting_since: since when the vendor has accepted nothing, where the next attempt is to go on waiting.
    :param attempts: the attempts before this one, for display.
    :param at: when it was written, for display.
    :param checksum: of all but the times and what is for display; empty in those of an earlier version.
    """

    attempt: str
    host: str
    folder: str
    journals: dict[str, Count]
    below: Count = 0
    digest: str = ""
    read: Count = 0
    read_digest: str = ""
    beyond: str = ""
    in_flight: str = ""
    carried_in: Count = 0
    tally: dict[str, Any] = {}
    address: str = ""
    account: str = ""
    doubt_below: Count = 0
    until: Count | None = None
    ended: bool = False
    earlier: dict[str, Count] = {}
    waiting_since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    attempts: list[EarlierAttempt] = []
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    checksum: str = ""

    @property
    def fits(self) -> bool:
        """Whether it is small enough to be saved."""
        return len(self.beyond) + len(self.in_flight) <= _LARGEST_SETS

    def says_more_than(self, earlier: Checkpoint) -> bool:
        """Return whether anything has changed since an earlier checkpoint of the attempt."""
        return any(getattr(self, name) != getattr(earlier, name) for name in ("journals", "waiting_since", "ended"))

    def settled(self) -> IntervalSet:
        """Return the positions that are settled; raise a `ValueError` if they can't be read."""
        return IntervalSet([(0, self.below), *unpacked(self.beyond, self.below, self.read + self.carried_in)])

    def sent(self) -> IntervalSet:
        """Return the positions that were in flight when it was written; raise a `ValueError` if they can't be read."""
        return IntervalSet(unpacked(self.in_flight, self.below, self.read + self.carried_in))


class Completed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The marker of a run that has nothing left to send.

    If it is red, it says what was read: somebody may correct what was rejected, and clear the task.

    :param done: the report.
    :param red: whether it had more rejects than the task allowed.
    :param max_tries: Airflow raises it when somebody clears the task.
    :param address: the fingerprint of where the records went.
    :param account: the fingerprint of the credential that they went with.
    :param rows: how many rows were read.
    :param digest: of those rows; empty in the markers of an earlier version.
    :param carried_in: how many of the first rows an earlier run had held.
    :param journals: how far the receipts and rejects of all attempts go, by the file's name.
    :param host: where the files were written.
    :param folder: the folder that they are in.
    :param answers: how many requests were answered how, by class.
    """

    done: dict[str, Any]
    red: bool
    max_tries: int
    address: str = ""
    account: str = ""
    rows: Count = 0
    digest: str = ""
    carried_in: Count = 0
    journals: dict[str, Count] = {}
    host: str = ""
    folder: str = ""
    answers: dict[str, Count] = {}


class CheckpointStore(Protocol):
    """Where the checkpoint is kept between attempts. All calls block."""

    @property
    def max_tries(self) -> int:
        """How many attempts Airflow may make of the task now."""

    def load(self) -> Any:
        """Return what was saved last, or None."""

    def save(self, value: dict[str, Any]) -> None:
        """Replace the last value."""


def decoded(value: Any) -> Checkpoint | Completed | None:
    """Return the value of a store; None if there is none, or if this version can't read it."""
    if not isinstance(value, dict):
        return None
    try:
        return msgspec.convert(value, Completed) if "done" in value else msgspec.convert(value, Checkpoint)
    except msgspec.ValidationError:
        return None
