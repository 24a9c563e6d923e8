"""The counts: every record has exactly one fate, and the fates add up to the records read (A5)."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_provider_userdata.vendors import LEFT_AT_THE_END, NOT_ACCEPTED, REFUSALS, by_rule

ANSWERS = ("2xx", "3xx", "4xx", "429", "5xx", "none")
"""How a request may be answered: by the class of its status, or not at all."""


class Fate(enum.StrEnum):
    """What became of a record."""

    DELIVERED = "delivered"
    REJECTED = "rejected"
    HELD = "held"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"
    VALID = "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a delivery went: numbers, paths and rule numbers, nothing of a record.

    :param read: records taken from the source, those carried in from an earlier run included.
    :param delivered: records that the vendor has accepted.
    :param rejected: records that are invalid or refused.
    :param invalid: records that were never sent, because they break a rule of the vendor's.
    :param refused: records that the vendor refused.
    :param held: valid records that could not go yet.
    :param unchanged: records that an earlier incremental run delivered.
    :param unknown: records that were sent, without proof that they arrived.
    :param valid: with `validate_only`, records that could be sent.
    :param resent: records that were sent again while in doubt, and may have arrived twice.
    :param requests: HTTP requests that were sent, those sent again included.
    :param would_send: with `validate_only`, requests that the valid records would take.
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
    invalid: int
    refused: int
    held: int
    unchanged: int
    unknown: int
    valid: int = 0
    resent: int
    requests: int
    would_send: int = 0
    retries: int
    bytes: int
    seconds: float
    rejects: str | None
    receipts: str | None
    reasons: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Report:
        """Return a report from what `as_dict` returned, also in an earlier version."""
        if "refused" in value:
            return cls(**value)
        refused = _refused(value, value.get("reasons", {}))
        return cls(**value, refused=refused, invalid=value.get(Fate.REJECTED, 0) - refused)

    @classmethod
    def nothing(cls) -> Report:
        """Return the report of a delivery that hasn't begun."""
        return Counters(lambda: 0.0).report()

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
        """Return the counts, and those by rule, as one line of text."""
        return f"{self.counts()}; by rule: {by_rule(self.reasons)}" if self.reasons else self.counts()

    def counts(self) -> str:
        """Return the counts as one line of text."""
        parts = [f"{self.read:,} read", f"{self.delivered:,} delivered"]
        others = (Fate.VALID, "invalid", "refused", Fate.HELD, Fate.UNCHANGED, Fate.UNKNOWN)
        parts.extend(f"{count:,} {name}" for name in others if (count := getattr(self, name)))
        if self.resent:
            parts.append(f"{self.resent:,} sent again while in doubt")
        would = f", {self.would_send:,} would be" if self.would_send else ""
        sent = f"{self.requests:,} request{'s' * (self.requests != 1)}{' sent' * bool(would)}{would}"
        return f"{', '.join(parts)}; {sent} in {self.seconds:.1f} s"


class Counters:
    """Counts while a delivery runs, on a clock that returns seconds and never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._started = now()
        self._before = 0.0
        self._fates: Counter[Fate] = Counter()
        self._reasons: Counter[str] = Counter()
        self._refused = 0
        self._answers: Counter[str] = Counter()
        self.read = 0
        self.resent = self.requests = self.retries = self.bytes = 0
        self.would_send = 0

    def record_outcome(self, fate: Fate, count: int, rule: str | None = None, *, answered: bool = False) -> None:
        """Count records whose fate is decided, and the rule that kept them from being delivered.

        :param answered: whether an answer of the vendor's decided it: such a rejected record was refused.
        """
        self._fates[fate] += count
        if answered and fate is Fate.REJECTED:
            self._refused += count
        if rule is not None:
            self._reasons[rule] += count

    def record_answer(self, status: int | None) -> None:
        """Count how a request was answered.

        :param status: the HTTP status; None if there was no answer.
        """
        self._answers["none" if status is None else "429" if status == 429 else f"{status // 100}xx"] += 1

    @property
    def answers(self) -> dict[str, int]:
        """How many requests were answered how, by class: `2xx`, `429`, `none` and others."""
        return {kind: count for kind, count in self._answers.items() if kind in ANSWERS}

    @property
    def delivered(self) -> int:
        """How many records were delivered."""
        return self._fates[Fate.DELIVERED]

    @property
    def settled(self) -> int:
        """How many records have their fate."""
        return self._fates.total()

    def snapshot(self) -> dict[str, Any]:
        """Return the counts for a checkpoint."""
        return {
            "fates": {fate.value: count for fate, count in self._fates.items() if count},
            "refused": self._refused,
            "answers": self.answers,
            "reasons": {rule: count for rule, count in self._reasons.items() if count},
            **self._sums(),
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Add the counts of an earlier attempt, but for the records read: they are read again."""
        fates, reasons = snapshot.get("fates", {}), snapshot.get("reasons", {})
        self._fates.update({Fate(fate): count for fate, count in fates.items()})
        self._reasons.update(reasons)
        self._refused += snapshot["refused"] if "refused" in snapshot else _refused(fates, reasons)
        self._answers.update(snapshot.get("answers", {}))
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
        fine = (Fate.DELIVERED, Fate.UNCHANGED, Fate.VALID)
        return self._fates.total() > sum([self._fates[fate] for fate in fine])

    def report(self, rejects: str | None = None, receipts: str | None = None) -> Report:
        """Return the counts so far."""
        return Report(
            read=max(self.read, self._fates.total()),  # an attempt may end before it has read what others settled
            rejects=rejects,
            receipts=receipts,
            reasons=dict(self._reasons.most_common()),
            invalid=self._fates[Fate.REJECTED] - self._refused,
            refused=self._refused,
            would_send=self.would_send,
            **{fate.value: self._fates[fate] for fate in Fate},
            **self._sums(),
        )


def _refused(fates: Mapping[str, int], reasons: Mapping[str, int]) -> int:
    """Return how many rejected records were refused, in counts of an earlier version, which didn't tell.

    Most rules of refusals have no other use. A record that was refused as too large shares its rule with held and
    unknown ones: those are taken off.
    """
    too_large = reasons.get(NOT_ACCEPTED, 0) - fates.get(Fate.HELD, 0) - fates.get(Fate.UNKNOWN, 0)
    named = sum([reasons.get(rule, 0) for rule in REFUSALS])
    return min(named + max(0, too_large), fates.get(Fate.REJECTED, 0))
