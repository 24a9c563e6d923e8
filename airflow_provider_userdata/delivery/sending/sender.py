"""Sends one batch until its fate is known: attempts, waits, doubts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from airflow_provider_userdata.delivery.clock import Clock, unless_set
from airflow_provider_userdata.delivery.resuming import SentLog
from airflow_provider_userdata.delivery.sending.retry import Attempts, asks_to_wait, beyond_max_wait, retry_after
from airflow_provider_userdata.delivery.sending.throttle import Permit, Throttle
from airflow_provider_userdata.delivery.sending.transport import NoAnswer, Transport
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors import (
    LEFT_AT_THE_END,
    NOT_ACCEPTED,
    OUT_OF_REACH,
    UNANSWERED,
    WRONG_ACCESS,
    Accepted,
    Answer,
    Meaning,
    Refused,
    Request,
    Retry,
    Stop,
    Unproven,
    Vendor,
    took_nothing,
)

OnDoubt = Literal["resend", "hold"]

MAINTENANCE_POLL = 15.0
"""Seconds between two looks at a vendor in maintenance (G13)."""
MAINTENANCE_PAUSE = 60.0
"""Seconds between two looks where the wait is not spent here."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a delivery keeps trying.

    :param max_attempts: how often a request is sent, where the vendor gives no `Retry-After` and accepts nothing else
        meanwhile; where it does, three times as often. While nothing is accepted, six go over two minutes and a half,
        so that the default outlasts a vendor that restarts for two minutes; fewer give up sooner (`EARLIEST`).
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

    :param halted: whether that is why.
    :param until: when the vendor asks to come back, where that is too far away to wait for.
    """

    rule: str
    reason: str
    halted: bool = False
    until: datetime | None = None


_HALTED = GaveUp(LEFT_AT_THE_END, "the delivery ended before this could be sent", halted=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How sending a batch ended, with the answer where there was one.

    :param in_doubt: whether an attempt at it may have been accepted, though its answer is not known.
    :param size: the request's bytes, where it was answered.
    """

    meaning: Accepted | Refused | Unproven | Stop | GaveUp
    answer: Answer | None = None
    in_doubt: bool = False
    size: int = 0


class Sender:
    """Sends batches of one delivery.

    :param sent: takes down what goes, before it does.
    :param halted: set when nothing may be sent any more.
    """

    def __init__(
        self,
        vendor: Vendor,
        transport: Transport,
        sent: SentLog,
        pace: Throttle,
        patience: Patience,
        clock: Clock,
        halted: asyncio.Event,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._vendor = vendor
        self._transport = transport
        self._sent = sent
        self._pace = pace
        self._patience = patience
        self._clock = clock
        self._halted = halted
        self._chance = chance
        self._accepted = 0
        self._accepted_at = clock.seconds()
        self._waited_since: float | None = None
        self._comes_back = False
        self._polling = asyncio.Lock()

    @property
    def waiting_since(self) -> datetime | None:
        """Since when an attempt that comes back after a pause will have waited; None where the next waits anew.

        Whoever tries again after an attempt that ended otherwise wants the vendor to be waited for again.
        """
        if self._comes_back or (self._waited_since is not None and not self._halted.is_set()):
            return self._clock.now() - timedelta(seconds=self._clock.seconds() - self._accepted_at)
        return None

    def has_waited_since(self, moment: datetime | None) -> None:
        """Count the waiting of an attempt before this one, too, until a request is accepted."""
        if moment is not None:
            self._accepted_at -= max(0.0, (self._clock.now() - moment).total_seconds())
            self._waited_since = self._accepted_at

    async def send(self, records: Sequence[Record], *, in_doubt: bool = False) -> Outcome:
        """Send a batch, again where that may help, and say how it ended.

        :param in_doubt: whether this attempt sent the records before, and doesn't know what became of them.
        """
        request = self._vendor.request(records)
        attempts = Attempts(self._waits_from(), self._accepted)
        doubted, maybe_there = False, self._sent.maybe_there(records, in_doubt=in_doubt)
        while (departure := await self._departure(records, maybe_there)) is not None:
            if attempts.sent == 0:
                attempts.started = self._waits_from()  # until now it was kept apart from others
            self._sent.goes(records, request.size, retry=attempts.sent > 0)
            attempts.sent += 1
            meaning, answer = await self._once(request, departure)
            if maybe_there and took_nothing(meaning):
                self._sent.take_back(maybe_there)
            if not isinstance(meaning, Retry):
                return Outcome(meaning, answer, doubted, request.size)
            if meaning.in_doubt:
                doubted, maybe_there = True, self._sent.maybe_there(records, in_doubt=True)
            if meaning.in_doubt and self._patience.on_doubt == "hold":
                return Outcome(Unproven(UNANSWERED, f"{meaning.reason}: it may have been accepted"), answer)
            given_up = await self._patiently(meaning, answer, attempts)
            if given_up is not None:
                return Outcome(given_up, answer, doubted)
        return Outcome(_HALTED, in_doubt=doubted)

    async def _departure(self, records: Sequence[Record], repeats: int) -> Permit | None:
        """Wait until a request may go; what of it may be there already is counted before it does."""
        if repeats or not self._sent.shows_at_once:
            await self._sent.announce(records, repeats)
        departure = await self._pace.permission()
        if departure is None:
            self._sent.take_back(repeats)
        return departure

    async def until_ready(self) -> GaveUp | None:
        """Wait while the vendor says that it is in maintenance (G13); give up after `max_wait`."""
        path = self._vendor.status_path
        if path is None:
            return None
        async with self._polling:
            started = self._waits_from()
            while (answer := await self._status(path)) is not None:
                if isinstance(answer, NoAnswer) or self._vendor.takes_requests(answer):
                    return None  # what else is wrong, sending finds out and says
                wait, reason = self._maintenance(answer)
                if (too_long := self._too_long(reason, started, wait)) is not None:
                    return GaveUp(self._vendor.maintenance_rule, too_long)
                if self._patience.longest_sleep is not None:
                    return self._later(self._vendor.maintenance_rule, reason, wait)
                await self._clock.wait(self._halted, wait)
        return _HALTED

    def _maintenance(self, answer: Answer) -> tuple[float, str]:
        """Say how long to wait until the next look, and why."""
        header = answer.headers.get("retry-after")
        asked = retry_after(header, self._clock.now())
        wait = MAINTENANCE_POLL if self._patience.longest_sleep is None else MAINTENANCE_PAUSE
        if asked is not None and header is not None and asked > wait:
            return asked, f"the vendor is in maintenance, and {asks_to_wait(header)}"
        return wait, f"the vendor is in maintenance, and would be asked again in {wait:g} s"

    async def _status(self, path: str) -> Answer | NoAnswer | None:
        """Ask for the vendor's status, at the pace of all requests; None where the delivery was halted."""
        if await self._pace.permission() is None:
            return None
        try:
            return await unless_set(self._halted, self._transport.get(path))
        finally:
            self._pace.given_up()

    async def _once(self, request: Request, departure: Permit) -> tuple[Meaning, Answer | None]:
        answer = await self._posted(request, departure)
        if isinstance(answer, NoAnswer):
            return self._unanswered(answer), None
        meaning = self._vendor.meaning(answer)
        if isinstance(meaning, Stop):
            meaning = replace(meaning, reason=f"{meaning.reason} ({self._transport.way})")
        if isinstance(meaning, Accepted):
            self._accepted += 1
            self._accepted_at = self._clock.seconds()
            self._waited_since = None
        return meaning, answer

    def _unanswered(self, answer: NoAnswer) -> Retry | Stop:
        """Say whether to try again; where requests were accepted, what stands in the way of another one may pass."""
        if answer.stops and not self._accepted:
            return Stop(WRONG_ACCESS, answer.reason)
        return Retry(UNANSWERED if answer.written else OUT_OF_REACH, answer.reason, in_doubt=answer.written)

    async def _posted(self, request: Request, departure: Permit) -> Answer | NoAnswer:
        """Send a request once, and let the pace learn from the answer."""
        try:
            answer = await self._transport.post(request)
        except BaseException:
            self._pace.given_up()
            raise
        match answer:
            case Answer(status=429):
                self._pace.pushed_back(departure, too_soon=True)
            case Answer(status=503) | NoAnswer(timed_out=True):
                self._pace.pushed_back(departure)
            case NoAnswer():
                self._pace.given_up()
            case _:
                self._pace.answered(departure)
        return answer

    async def _patiently(self, retry: Retry, answer: Answer | None, attempts: Attempts) -> GaveUp | None:
        """Wait before the next attempt, or give up; where the vendor has a place to ask, a 503 is a reason to."""
        asked, now = retry_after(retry.after, self._clock.now()), self._clock.seconds()
        if asked is None:
            attempts.failed(self._accepted, now)
            if attempts.over(self._patience.max_attempts):
                spent = f"{attempts.used_up} attempts in {now - attempts.started:,.0f} s"
                return GaveUp(retry.rule, f"{retry.reason}, after {spent} (max_attempts)")
            wait = attempts.wait(now, self._patience.max_wait, self._chance())
            reason = f"{retry.reason}, and would be asked again in {wait:.0f} s"
        else:
            wait, reason = asked, f"{retry.reason}, and {asks_to_wait(retry.after or '')}"
        if (too_long := self._too_long(reason, attempts.started, wait)) is not None:
            return GaveUp(NOT_ACCEPTED, too_long)
        longest = self._patience.longest_sleep
        if asked is None:
            await self._clock.wait(self._halted, wait)
        elif longest is not None and asked > longest:
            return self._later(retry.rule, reason, asked)
        else:
            self._pace.pause(asked, too_soon=answer is not None and answer.status == 429)
        return await self.until_ready() if answer is not None and answer.status == 503 else None

    def _too_long(self, reason: str, started: float, wait: float) -> str | None:
        """Say that a wait would go beyond `max_wait`, where it would."""
        waited, most = self._clock.seconds() - max(started, self._accepted_at), self._patience.max_wait
        return beyond_max_wait(reason, wait, waited, most) if waited + wait > most else None

    def _later(self, rule: str, reason: str, wait: float) -> GaveUp:
        """End the run, which is to come back after the wait."""
        self._comes_back = True
        return GaveUp(rule, reason, until=self._clock.now() + timedelta(seconds=wait))

    def _waits_from(self) -> float:
        return self._clock.seconds() if self._waited_since is None else self._waited_since
