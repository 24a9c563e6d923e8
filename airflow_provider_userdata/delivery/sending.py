"""Sends one batch until its fate is known: attempts, waits, doubts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from airflow_provider_userdata.delivery.clock import Clock, unless_set
from airflow_provider_userdata.delivery.pace import Pace
from airflow_provider_userdata.delivery.report import Tally
from airflow_provider_userdata.delivery.retrying import backoff, retry_after
from airflow_provider_userdata.delivery.transport import NoAnswer, Transport
from airflow_provider_userdata.vendors.answers import Accepted, Answer, Meaning, Refused, Retry, Stop, Unproven
from airflow_provider_userdata.vendors.contract import Record, Request, Vendor

OnDoubt = Literal["resend", "hold"]

_PUSHBACKS = frozenset({429, 503})
MAINTENANCE_POLL = 15.0
"""Seconds between two looks at a vendor in maintenance (G13)."""
MAINTENANCE_PAUSE = 60.0
"""Seconds between two looks where the wait is not spent here."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a delivery keeps trying.

    :param max_attempts: how often a request is sent, where the vendor gives no `Retry-After`.
    :param max_wait: seconds without an accepted request, after which waiting ends (A4).
    :param on_doubt: `resend` what may have been accepted, or `hold` it as unknown (A3).
    :param longest_sleep: a wait of more seconds ends the run, which is to come back later; None sleeps however long.
    """

    max_attempts: int = 6
    max_wait: float = 3600.0
    on_doubt: OnDoubt = "resend"
    longest_sleep: float | None = None


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A batch that could not be settled: the vendor is down, or the delivery was halted.

    :param in_doubt: whether it may have been accepted all the same.
    :param halted: whether that is why.
    :param until: when the vendor asks to come back, where that is too far away to wait for.
    """

    rule: str
    reason: str
    in_doubt: bool = False
    halted: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How sending a batch ended, with the answer where there was one.

    :param in_doubt: whether an earlier attempt at it may have been accepted.
    """

    meaning: Accepted | Refused | Unproven | Stop | GaveUp
    answer: Answer | None = None
    in_doubt: bool = False


class Sender:
    """Sends batches of one delivery.

    :param halted: set when nothing may be sent any more.
    """

    def __init__(
        self,
        vendor: Vendor,
        transport: Transport,
        tally: Tally,
        pace: Pace,
        patience: Patience,
        clock: Clock,
        halted: asyncio.Event,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._vendor = vendor
        self._transport = transport
        self._tally = tally
        self._pace = pace
        self._patience = patience
        self._clock = clock
        self._halted = halted
        self._chance = chance
        self._accepted_at = clock.seconds()
        self._first_started: float | None = None
        self._polling = asyncio.Lock()

    @property
    def waiting_since(self) -> datetime:
        """When the vendor last accepted a request, or the first was to be sent."""
        return self._clock.now() - timedelta(seconds=self._clock.seconds() - self._accepted_at)

    def has_waited_since(self, moment: datetime) -> None:
        """Count the waiting of an attempt before this one, too."""
        self._accepted_at -= max(0.0, (self._clock.now() - moment).total_seconds())
        self._first_started = self._accepted_at

    async def send(self, records: Sequence[Record], *, in_doubt: int = 0) -> Outcome:
        """Send a batch, again where that may help, and say how it ended.

        :param in_doubt: how many of the records an earlier attempt may have delivered.
        """
        request = self._vendor.request(records)
        started, self._first_started = self._first_started or self._clock.seconds(), None
        sent, used_up, doubted = 0, 0, False
        maybe_there = in_doubt
        while True:
            if not await self._pace.permission():
                return Outcome(_halted(in_doubt=doubted))
            self._tally.retries += sent > 0
            self._tally.resent += maybe_there
            sent, maybe_there = sent + 1, 0
            meaning, answer = await self._once(request)
            if not isinstance(meaning, Retry):
                return Outcome(meaning, answer, doubted)
            if meaning.in_doubt:
                doubted, maybe_there = True, len(records)
            if meaning.in_doubt and self._patience.on_doubt == "hold":
                return Outcome(Unproven("A3", f"{meaning.reason}: it may have been accepted"), answer)
            asked = retry_after(meaning.after, self._clock.now())
            used_up += asked is None
            given_up = self._end_of_patience(meaning, used_up, asked, started) or await self._wait(
                answer, used_up, asked
            )
            if given_up is not None:
                return Outcome(replace(given_up, in_doubt=doubted), answer)

    async def until_ready(self) -> GaveUp | None:
        """Wait while the vendor says that it is in maintenance (G13); give up after `max_wait`."""
        path = self._vendor.status_path
        if path is None:
            return None
        async with self._polling:
            started = self._first_started or self._clock.seconds()
            while not self._halted.is_set():
                answer = await unless_set(self._halted, self._transport.get(path))
                if answer is None:
                    break
                if isinstance(answer, NoAnswer) or self._vendor.takes_requests(answer):
                    return None  # what else is wrong, sending finds out and says
                if self._too_long(started, MAINTENANCE_POLL):
                    return GaveUp("G13", "the vendor is in maintenance, for longer than max_wait")
                if self._patience.longest_sleep is not None:
                    until = self._clock.now() + timedelta(seconds=MAINTENANCE_PAUSE)
                    return GaveUp("G13", "the vendor is in maintenance", until=until)
                await self._clock.wait(self._halted, MAINTENANCE_POLL)
        return _halted()

    async def _once(self, request: Request) -> tuple[Meaning, Answer | None]:
        self._tally.requests += 1
        self._tally.bytes += len(request.body)
        answer = await self._posted(request)
        if isinstance(answer, NoAnswer):
            return Retry("A3" if answer.written else "A2", answer.reason, in_doubt=answer.written), None
        meaning = self._vendor.meaning(answer)
        if isinstance(meaning, Accepted):
            self._accepted_at = self._clock.seconds()
        return meaning, answer

    async def _posted(self, request: Request) -> Answer | NoAnswer:
        """Send a request once, and let the pace learn from the answer."""
        started, busy = self._clock.seconds(), self._pace.busy
        try:
            answer = await self._transport.post(request)
        except BaseException:
            self._pace.given_up()
            raise
        if answer.timed_out if isinstance(answer, NoAnswer) else answer.status in _PUSHBACKS:
            self._pace.pushed_back()
        elif isinstance(answer, NoAnswer):
            self._pace.given_up()
        else:
            self._pace.answered(self._clock.seconds() - started - (self._pace.busy - busy))
        return answer

    def _end_of_patience(self, retry: Retry, used_up: int, asked: float | None, started: float) -> GaveUp | None:
        if used_up >= self._patience.max_attempts:
            return GaveUp(retry.rule, f"{retry.reason}, after {used_up} attempts (max_attempts)")
        if self._too_long(started, asked or 0.0):
            waited = f"no request was accepted for {self._patience.max_wait:g} s (max_wait)"
            return GaveUp("A4", f"{retry.reason}, and {waited}")
        longest = self._patience.longest_sleep
        if asked is not None and longest is not None and asked > longest:
            until = self._clock.now() + timedelta(seconds=asked)
            return GaveUp(retry.rule, f"{retry.reason}, and asks for {asked:.0f} s", until=until)
        return None

    async def _wait(self, answer: Answer | None, used_up: int, asked: float | None) -> GaveUp | None:
        """Wait before the next attempt; where the vendor has a place to ask, a 503 is a reason to ask it."""
        if asked is None:
            await self._clock.wait(self._halted, backoff(used_up, self._chance()))
        else:
            self._pace.pause(asked)
        return await self.until_ready() if answer is not None and answer.status == 503 else None

    def _too_long(self, started: float, wait: float) -> bool:
        since = max(started, self._accepted_at)
        return self._clock.seconds() + wait - since > self._patience.max_wait


def _halted(*, in_doubt: bool = False) -> GaveUp:
    return GaveUp("A5", "the delivery ended before this could be sent", in_doubt, halted=True)
