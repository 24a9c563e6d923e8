"""Chooses what gives requests their credential, and logs in where that is a token."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.sending.access import (
    UNASKED,
    Access,
    Denied,
    Headers,
    KeyAccess,
    LoginAccess,
    UserAccess,
    UserHeaders,
)
from airflow_provider_userdata.delivery.sending.throttle import Throttle
from airflow_provider_userdata.delivery.sending.transport import NoAnswer, Transport
from airflow_provider_userdata.vendors import OUT_OF_REACH, WRONG_ACCESS, Meaning, Retry, Stop, Vendor


@dataclass(eq=False, repr=False, slots=True)
class Login:
    """Asks the vendor for a token.

    :param name: the account.
    """

    vendor: Vendor
    transport: Transport
    pace: Throttle
    name: str
    password: str

    async def __call__(self) -> Headers | Denied:
        """Return the headers that carry a new token, or why there are none. A login needs a permit like any request."""
        if await self.pace.permission() is None:
            return UNASKED
        try:
            answer = await self.transport.post(self.vendor.login(self.name, self.password))
        finally:
            self.pace.release()
        if isinstance(answer, NoAnswer):
            return Denied(_unanswered(answer))
        found = self.vendor.token(answer)
        return Denied(self._with_way(found), answer) if isinstance(found, Meaning) else found

    def _with_way(self, meaning: Meaning) -> Meaning:
        if not isinstance(meaning, Stop):
            return meaning
        return dataclasses.replace(meaning, reason=f"{meaning.reason} ({self.transport.endpoint.way})")


def _unanswered(answer: NoAnswer) -> Meaning:
    """Return what it means that a login got no answer: no record was sent with it, so none is in doubt."""
    return Stop(WRONG_ACCESS, answer.reason) if answer.stops else Retry(OUT_OF_REACH, answer.reason)


def access_of(
    vendor: Vendor,
    transport: Transport,
    pace: Throttle,
    user_headers: UserHeaders | None,
    thread: BlockingThread,
    halted: asyncio.Event,
) -> Access:
    """Return what gives requests their credential.

    :param user_headers: returns a user's headers, where each user has a token; it is called in the thread.
    :param halted: set when nothing more is sent.
    """
    if user_headers is not None:
        return UserAccess(user_headers, thread, halted)
    if transport.endpoint.login is not None:
        return LoginAccess(Login(vendor, transport, pace, *transport.endpoint.login), halted)
    return KeyAccess()
