"""Sends one batch, again if need be, until the vendor's decision is known or there is no point in trying again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from airflow_provider_userdata.delivery.clock import Clock, unless_set
from airflow_provider_userdata.delivery.resuming import SentLog
from airflow_provider_userdata.delivery.sending.access import Access, Denied
from airflow_provider_userdata.delivery.sending.exchange import Answered, Exchange, GaveUp, Outcome, refused_credential
from airflow_provider_userdata.delivery.sending.pauses import Pauses
from airflow_provider_userdata.delivery.sending.request_log import NoLog, RecordsLog, RequestLog
from airflow_provider_userdata.delivery.sending.retry import Attempts, Waiting
from airflow_provider_userdata.delivery.sending.retry_after import RetryAfter, retry_after
from airflow_provider_userdata.delivery.sending.throttle import Permit, Throttle
from airflow_provider_userdata.delivery.sending.transport import NoAnswer, Transport
from airflow_provider_userdata.errors import UserdataError
from airflow_provider_userdata.records import Record, first_user
from airflow_provider_userdata.vendors import (
    LEFT_AT_THE_END,
    NOT_ACCEPTED,
    OUT_OF_REACH,
    UNANSWERED,
    WRONG_ACCESS,
    Accepted,
    Answer,
    Meaning,
    Request,
    Retry,
    Stop,
    Unproven,
    Vendor,
)

OnDoubt = Literal["resend", "hold"]

MAINTENANCE_POLL = 15.0
"""Seconds between two looks at a vendor in maintenance (G13)."""
MAINTENANCE_PAUSE = 60.0
"""The same if the run doesn't wait itself, but ends and comes back later."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a delivery keeps trying.

    :param max_attempts: how often a request is sent if the vendor gives no `Retry-After` and accepts no other request
        meanwhile; three times as often if it does accept others. While nothing is accepted, six attempts take at least
        two and a half minutes, so the default outlasts a restart of two minutes; fewer end sooner (`EARLIEST`).
    :param max_wait: seconds without an accepted request after which the run stops waiting (A4).
    :param on_doubt: `resend` what may have been accepted, or `hold` it as unknown (A3).
    :param longest_sleep: seconds; if the vendor asks for a longer wait, the run ends and comes back later. None sets
        no limit.
    """

    max_attempts: int = 6
    max_wait: float = 3600.0
    on_doubt: OnDoubt = "resend"
    longest_sleep: float | None = None


_HALTED = GaveUp(LEFT_AT_THE_END, "the delivery ended before this could be sent", halted=True)


@dataclass(eq=False, repr=False, slots=True)
class Sender:
    """Sends the batches of one delivery.

    :param access: gives requests their credential.
    :param sent: records what is sent, before it is sent.
    :param halted: set when nothing may be sent any more.
    :param chance: returns a random number from 0 to 1, for the jitter of waits.
    """

    vendor: Vendor
    transport: Transport
    access: Access
    sent: SentLog
    pace: Throttle
    patience: Patience
    clock: Clock
    halted: asyncio.Event
    chance: Callable[[], float] = random.random
    waiting: Waiting = field(init=False)
    pauses: Pauses = field(init=False)
    _polling: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.clock, self.patience.max_wait, self.halted)
        self.pauses = Pauses(self.clock)

    async def send(self, records: Sequence[Record], *, in_doubt: bool = False) -> Outcome:
        """Send a batch, again where that may help, and return how it ended.

        :param in_doubt: whether this attempt sent the records before, and doesn't know what became of them.
        """
        exchange = Exchange(self.vendor.request(records), first_user(records), self.vendor.meaning)
        return await self._exchange(exchange, RecordsLog(self.sent, records, in_doubt=in_doubt))

    async def ask(self, exchange: Exchange) -> Outcome:
        """Send a request without records, again where that may help, and return how it ended."""
        return await self._exchange(exchange, NoLog())

    async def _exchange(self, exchange: Exchange, log: RequestLog) -> Outcome:
        attempts = Attempts(self.waiting.start(), self.waiting.accepted)
        doubted = False
        while (answered := await self._try(exchange, log, attempts)) is not None:
            meaning, answer = answered
            if not isinstance(meaning, Retry):
                return Outcome(meaning, answer, doubted, exchange.request.size)
            if meaning.in_doubt:
                doubted = True
                log.is_in_doubt()
            if meaning.in_doubt and self.patience.on_doubt == "hold" and log.has_records:
                return Outcome(Unproven(UNANSWERED, f"{meaning.reason}: it may have been accepted"), answer)
            gave_up = await self._wait_to_retry(meaning, answer, attempts)
            if gave_up is not None:
                return Outcome(gave_up, answer, doubted)
        return Outcome(_HALTED, in_doubt=doubted)

    async def _try(self, exchange: Exchange, log: RequestLog, attempts: Attempts) -> Answered | None:
        """Send a request, and if its credential is refused, once more with another one (A1); None if halted."""
        try:
            signed = await self.access.sign(exchange.request, exchange.user)
            if isinstance(signed, Denied):
                return None if self.halted.is_set() else (signed.meaning, signed.answer)
            answered = await self._sent_once(signed, exchange, log, attempts)
            if answered is None or not (refused := refused_credential(answered)):
                return answered
            other = await self.access.renew(signed, exchange.user)
        except UserdataError as error:
            reason = f"was not sent: {type(error).__name__} ended the delivery"
            return GaveUp(LEFT_AT_THE_END, reason, halted=True, error=error), None
        if isinstance(other, Denied):
            return None if self.halted.is_set() else (other.meaning, other.answer)
        if other is not None:
            answered = await self._sent_once(other, exchange, log, attempts)
            if answered is None or not (refused := refused_credential(answered)):
                return answered
        return self.access.judge(refused, exchange.user, has_records=log.has_records), answered[1]

    async def _sent_once(
        self, signed: Request, exchange: Exchange, log: RequestLog, attempts: Attempts
    ) -> Answered | None:
        permit = await self._permit(log)
        if permit is None:
            return None
        if attempts.sent == 0:
            attempts.started = self.waiting.start()  # the time in the queue doesn't count
        log.goes(signed.size, retry=attempts.sent > 0)
        attempts.sent += 1
        try:
            meaning, answer = await self._once(signed, exchange.meaning, permit)
        except BaseException:
            log.answered(None)
            raise
        log.answered(None if answer is None else answer.status)
        log.means(meaning)
        if log.has_records and isinstance(meaning, Accepted):
            self.waiting.record_accepted()
        return meaning, answer

    async def _permit(self, log: RequestLog) -> Permit | None:
        """Wait until a request may go; None if halted. What the vendor may have already counts as resent."""
        await log.announce()
        permit = await self.pace.permission()
        if permit is None:
            log.take_back()
        return permit

    async def until_ready(self) -> GaveUp | None:
        """Wait while the vendor says that it is in maintenance (G13).

        :return: None when it takes requests; otherwise why there is no point in waiting any longer.
        """
        path = self.vendor.status_path
        if path is None:
            return None
        async with self._polling:
            started = self.waiting.start()
            while (answer := await self._status(path)) is not None:
                if isinstance(answer, NoAnswer) or self.vendor.takes_requests(answer):
                    return None  # any other problem shows when a batch is sent
                usual = MAINTENANCE_POLL if self.patience.longest_sleep is None else MAINTENANCE_PAUSE
                wait, reason = _maintenance(retry_after(answer.headers.get("retry-after"), self.clock.now()), usual)
                if (too_long := self.waiting.too_long(reason, started, wait)) is not None:
                    return GaveUp(self.vendor.maintenance_rule, too_long)
                self.pauses.add("maintenance", wait)
                if self.patience.longest_sleep is not None:
                    return GaveUp(self.vendor.maintenance_rule, reason, until=self.waiting.come_back(wait))
                await self.clock.wait(self.halted, wait)
        return _HALTED

    async def _status(self, path: str) -> Answer | NoAnswer | None:
        """Ask for the vendor's status, which needs a permit like any request; None if the delivery was halted."""
        if await self.pace.permission() is None:
            return None
        try:
            return await unless_set(self.halted, self.transport.get(path))
        finally:
            self.pace.release()

    async def _once(
        self, request: Request, meaning_of: Callable[[Answer], Meaning], permit: Permit
    ) -> tuple[Meaning, Answer | None]:
        answer = await self._posted(request, permit)
        if isinstance(answer, NoAnswer):
            return self._unanswered(answer), None
        meaning = meaning_of(answer)
        if isinstance(meaning, Stop):
            meaning = replace(meaning, reason=f"{meaning.reason} ({self.transport.endpoint.way})")
        return meaning, answer

    def _unanswered(self, answer: NoAnswer) -> Retry | Stop:
        """Return what no answer means: if the vendor has accepted requests before, the problem may pass."""
        if answer.stops and not self.waiting.accepted:
            return Stop(WRONG_ACCESS, answer.reason)
        return Retry(UNANSWERED if answer.written else OUT_OF_REACH, answer.reason, in_doubt=answer.written)

    async def _posted(self, request: Request, permit: Permit) -> Answer | NoAnswer:
        """Send a request once, and let the throttle learn from the answer."""
        try:
            answer = await self.transport.post(request)
        except BaseException:
            self.pace.release()
            raise
        match answer:
            case Answer(status=429):
                self.pace.pushed_back(permit, too_soon=True)
            case Answer(status=503) | NoAnswer(timed_out=True):
                self.pace.pushed_back(permit)
            case NoAnswer():
                self.pace.release()
            case _:
                self.pace.answered(permit)
        return answer

    async def _wait_to_retry(self, retry: Retry, answer: Answer | None, attempts: Attempts) -> GaveUp | None:
        """Wait before the next attempt, or return why none is made; after a 503, ask for the vendor's status first."""
        asked, now = retry_after(retry.after, self.clock.now()), self.clock.seconds()
        if asked is None:
            attempts.failed(self.waiting.accepted, now)
            if attempts.is_over(self.patience.max_attempts):
                spent = f"{attempts.used_up} attempts in {now - attempts.started:,.0f} s"
                return GaveUp(retry.rule, f"{retry.reason}, after {spent} (max_attempts)")
            wait = attempts.wait(now, self.patience.max_wait, self.chance())
            reason = f"{retry.reason}, and would be asked again in {wait:.0f} s"
        else:
            wait, reason = asked.seconds, f"{retry.reason}, and {asked.words}"
        if (too_long := self.waiting.too_long(reason, attempts.started, wait)) is not None:
            return GaveUp(NOT_ACCEPTED, too_long)
        longest, too_soon = self.patience.longest_sleep, answer is not None and answer.status == 429
        if asked is not None:
            self.pauses.add("too_many_requests" if too_soon else "retry_after", wait)
        else:
            self.pauses.add_backoff("too_many_requests" if too_soon else "retry", wait)
        if asked is None:
            await self.clock.wait(self.halted, wait)
        elif longest is not None and wait > longest:
            return GaveUp(retry.rule, reason, until=self.waiting.come_back(wait))
        else:
            self.pace.pause(wait, too_soon=too_soon)
        return await self.until_ready() if answer is not None and answer.status == 503 else None


def _maintenance(asked: RetryAfter | None, usual: float) -> tuple[float, str]:
    """Return the seconds to wait before asking a vendor in maintenance again, and why.

    :param asked: for how long the vendor asks.
    :param usual: the seconds to wait at least.
    """
    if asked is not None and asked.seconds > usual:
        return asked.seconds, f"the vendor is in maintenance, and {asked.words}"
    return usual, f"the vendor is in maintenance, and would be asked again in {usual:g} s"
