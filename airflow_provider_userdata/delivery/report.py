"""The counts: every record has exactly one fate, and the fates add up to the records read (A5)."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_provider_userdata.vendors import LEFT_AT_THE_END, by_rule


class Fate(enum.StrEnum):
    """What became of a record."""

    DELIVERED = "delivered"
    REJECTED = "rejected"
    HELD = "held"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Report:
    """How a delivery went: numbers, paths and rule numbers, nothing of a record.

    :param read: records taken from the source, those carried in from an earlier run included.
    :param delivered: records that the vendor has accepted.
    :param rejected: records that are invalid, or that the vendor refused.
    :param held: valid records that could not go yet.
    :param unchanged: records that an earlier incremental run delivered.
    :param unknown: records that were sent, without proof that they arrived.
    :param resent: records that were sent again while in doubt, and may have arrived twice.
    :param requests: HTTP requests that were sent, those sent again included.
    :param retries: how many of them were sent again.
    :param bytes: bytes of their bodies.
    :param seconds: how long the delivery took.
    :param rejects: the file of rejected, held and unknown records; None where there are none.
    :param receipts: the file of accepted requests.
    :param reasons: how many records each rule kept from being delivered.
    """

    read: int
    delivered: int
    rejected: int
    held: int
    unchanged: int
    unknown: int
    resent: int
    requests: int
    retries: int
    bytes: int
    seconds: float
    rejects: str | None
    receipts: str | None
    reasons: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as the task returns it."""
        return asdict(self)

    def exceeds(self, max_rejected: float) -> bool:
        """Return whether more records are rejected or unknown than the task allows.

        :param max_rejected: a number of records, or below 1 the share of the records read.
        """
        lost = self.rejected + self.unknown
        return lost > (max_rejected * self.read if 0 < max_rejected < 1 else max_rejected)

    def summary(self) -> str:
        """Return the counts as one line of text."""
        parts = [f"{self.read:,} read", f"{self.delivered:,} delivered"]
        others = (Fate.REJECTED, Fate.HELD, Fate.UNCHANGED, Fate.UNKNOWN)
        parts.extend(f"{count:,} {fate}" for fate in others if (count := getattr(self, fate)))
        if self.resent:
            parts.append(f"{self.resent:,} sent again while in doubt")
        line = f"{', '.join(parts)}; {self.requests:,} request{'s' * (self.requests != 1)} in {self.seconds:.1f} s"
        return f"{line}; by rule: {by_rule(self.reasons)}" if self.reasons else line


class Counters:
    """Counts while a delivery runs, on a clock that returns seconds and never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._started = now()
        self._before = 0.0
        self._fates: Counter[Fate] = Counter()
        self._reasons: Counter[str] = Counter()
        self.read = 0
        self.resent = self.requests = self.retries = self.bytes = 0

    def record_outcome(self, fate: Fate, count: int, rule: str | None = None) -> None:
        """Count records whose fate is decided, and the rule that kept them from being delivered."""
        self._fates[fate] += count
        if rule is not None:
            self._reasons[rule] += count

    def snapshot(self) -> dict[str, Any]:
        """Return the counts for a checkpoint."""
        return {
            "fates": {fate.value: count for fate, count in self._fates.items() if count},
            "reasons": {rule: count for rule, count in self._reasons.items() if count},
            **self._sums(),
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Add the counts of an earlier attempt, but for the records read: they are read again."""
        self._fates.update({Fate(fate): count for fate, count in snapshot.get("fates", {}).items()})
        self._reasons.update(snapshot.get("reasons", {}))
        self.resent += snapshot.get("resent", 0)
        self.requests += snapshot.get("requests", 0)
        self.retries += snapshot.get("retries", 0)
        self.bytes += snapshot.get("bytes", 0)
        self._before += snapshot.get("seconds", 0.0)

    def _sums(self) -> dict[str, Any]:
        return {
            "resent": self.resent,
            "requests": self.requests,
            "retries": self.retries,
            "bytes": self.bytes,
            "seconds": round(self._before + self._now() - self._started, 3),
        }

    def record_rest_as_unknown(self) -> None:
        """Count records without a fate as unknown: their outcome could not be written."""
        rest = self.read - self._fates.total()
        if rest > 0:
            self.record_outcome(Fate.UNKNOWN, rest, LEFT_AT_THE_END)

    @property
    def any_to_look_at(self) -> bool:
        """Whether any records are rejected, held or unknown."""
        return self._fates.total() > self._fates[Fate.DELIVERED] + self._fates[Fate.UNCHANGED]

    def report(self, rejects: str | None = None, receipts: str | None = None) -> Report:
        """Return the counts so far."""
        return Report(
            read=max(self.read, self._fates.total()),  # an attempt may end before it has read what others settled
            rejects=rejects,
            receipts=receipts,
            reasons=dict(self._reasons.most_common()),
            **{fate.value: self._fates[fate] for fate in Fate},
            **self._sums(),
        )
