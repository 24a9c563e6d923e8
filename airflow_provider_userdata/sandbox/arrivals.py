"""What reached a sandbox vendor: counted in full, kept as far as memory should go."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

JsonObject = dict[str, Any]

# Never kept: a test's output and the page must not show whatever key somebody put there.
_SECRET = frozenset({"x-api-key", "authorization", "proxy-authorization", "cookie"})
# A thousand full GeroSense requests would be 150 MB; with a limit on requests comes one on their bodies.
_KEPT_BYTES = 32 * 1024 * 1024

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


@dataclass(slots=True)
class Arrival:
    """A POST as it came in, and what became of it.

    :param path: its path, as sent.
    :param headers: its headers, without the key.
    :param at: when it began, in seconds since the epoch.
    :param started: when it began, on the monotonic clock.
    :param ended: when its answer was ready or its connection dropped, on the same clock; None: still in progress.
    :param status: what was answered; None: nothing (yet).
    :param body: the raw body.
    :param accepted: how many of its records were accepted.
    :param fault: the scripted fault that it met, as text.
    """

    path: str
    headers: dict[str, str]
    at: float
    started: float
    ended: float | None = None
    status: int | None = None
    body: bytes = b""
    accepted: int = 0
    fault: str = ""
    _kept: bool = field(default=True, repr=False)

    def overlaps(self, other: Arrival) -> bool:
        """Whether both were in progress at one time."""
        return self.started < _end(other) and other.started < _end(self)


@dataclass(slots=True)
class Counts:
    """What a vendor received since it was last reset, without what only tried a key.

    :param requests: POSTs.
    :param by_status: POSTs by the status that they were answered with.
    :param unanswered: POSTs whose connection was dropped, or that still wait.
    :param in_flight: POSTs in progress now.
    :param most_in_flight: the most POSTs that were in progress at one time.
    :param rate_limited: POSTs that the rate limit refused.
    :param accepted_requests: POSTs of which records were accepted.
    :param records: records accepted, each time they came.
    :param distinct: different records among these.
    :param repeated: different records that were accepted more than once.
    """

    requests: int = 0
    by_status: dict[int, int] = field(default_factory=Counter)
    unanswered: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    rate_limited: int = 0
    accepted_requests: int = 0
    records: int = 0
    distinct: int = 0
    repeated: int = 0


class Arrivals:
    """The requests and records of one vendor.

    :param keep: how many of the last requests and records are kept to be looked at (and no more than 32 MB of bodies);
        None: all of them. Counts are always complete.
    """

    def __init__(self, keep: int | None) -> None:
        if keep is not None and keep < 1:
            raise ValueError("keep is at least 1, or None for all")
        self._keep = keep
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all. A request that is still in progress counts no more."""
        with self._lock:
            self._counts = Counts()
            self._requests: deque[Arrival] = deque()
            self._records: deque[JsonObject] = deque(maxlen=self._keep)
            self._kept_bytes = 0
            self._seen: set[bytes] = set()
            self._again: set[bytes] = set()
            self._open: set[int] = set()

    def begin(self, path: str, headers: Mapping[str, str]) -> Arrival:
        """Note that a POST has begun."""
        shown = {name: value for name, value in headers.items() if name.lower() not in _SECRET}
        request = Arrival(path=path, headers=shown, at=time.time(), started=time.monotonic())
        with self._lock:
            if self._keep is not None and len(self._requests) >= self._keep:
                self._drop_oldest()
            self._requests.append(request)
            self._open.add(id(request))
            self._counts.requests += 1
            self._counts.most_in_flight = max(self._counts.most_in_flight, len(self._open))
        return request

    def carry(self, request: Arrival, body: bytes) -> None:
        """Note the body of a POST."""
        request.body = body
        with self._lock:
            if request._kept:
                self._kept_bytes += len(body)
            while self._keep is not None and self._kept_bytes > _KEPT_BYTES and len(self._requests) > 1:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = self._requests.popleft()
        oldest._kept = False
        self._kept_bytes -= len(oldest.body)

    def accept(self, request: Arrival, records: Sequence[JsonObject], namespace: str = "") -> None:
        """Take records for good.

        :param namespace: what, beside its content, makes a record another one (Thymia's upload type).
        """
        if id(request) not in self._open:
            return  # the sandbox was reset while it was in progress
        prints = _fingerprints(records, namespace)
        with self._lock:
            request.accepted += len(records)
            self._counts.accepted_requests += 1
            self._counts.records += len(records)
            for mark in prints:
                (self._again if mark in self._seen else self._seen).add(mark)
            self._records.extend(records)

    def end(self, request: Arrival, status: int | None) -> None:
        """Note that a POST is over; no status: its connection is dropped."""
        request.ended = time.monotonic()
        request.status = status
        with self._lock:
            if id(request) in self._open:
                self._open.remove(id(request))
                if status is not None:
                    self._counts.by_status[status] += 1

    def rate_limited(self) -> None:
        """Note that the rate limit refused a POST."""
        with self._lock:
            self._counts.rate_limited += 1

    def requests(self) -> list[Arrival]:
        """Return the kept requests, in order of arrival."""
        with self._lock:
            return list(self._requests)

    def records(self) -> list[JsonObject]:
        """Return the kept accepted records, in order of arrival."""
        with self._lock:
            return list(self._records)

    def counts(self) -> Counts:
        """Count all that arrived."""
        with self._lock:
            by_status = dict(sorted(self._counts.by_status.items()))
            return replace(
                self._counts,
                by_status=by_status,
                unanswered=self._counts.requests - sum(by_status.values()),
                in_flight=len(self._open),
                distinct=len(self._seen),
                repeated=len(self._again),
            )


def _end(request: Arrival) -> float:
    return float("inf") if request.ended is None else request.ended


def _fingerprints(records: Iterable[JsonObject], namespace: str) -> list[bytes]:
    """16 bytes for each record, the same ones whatever the order of its keys: a million fit into memory."""
    person = blake2b(namespace.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return [blake2b(_canonical(record).encode(), digest_size=16, person=person).digest() for record in records]
