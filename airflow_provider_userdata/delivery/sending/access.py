"""What a request carries so that the vendor takes it: one key for all, a login's token, or a token a user."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.sending.latest import Latest
from airflow_provider_userdata.errors import unexpected
from airflow_provider_userdata.vendors import WRONG_ACCESS, Answer, Meaning, Request, Stop, UserRefused

Headers = Mapping[str, str]
UserHeaders = Callable[[str], Headers]
"""Returns the headers that carry a user's token. Blocks; raises `LookupError` if the user has none."""

MOST_TOKENS = 10_000
"""Users whose tokens are remembered."""


@dataclass(frozen=True, slots=True)
class Denied:
    """There is no credential for a request.

    :param meaning: what follows, as if the request had been answered so.
    :param answer: the answer to the login, if there was one.
    """

    meaning: Meaning
    answer: Answer | None = None


class Access(Protocol):
    """Gives requests their credential.

    `sign` and `renew` raise a `UserdataError` if nobody can be asked for it.
    """

    async def sign(self, request: Request, user: str | None) -> Request | Denied:
        """Return a request with its credential."""

    async def renew(self, request: Request, user: str | None) -> Request | Denied | None:
        """Return a request whose credential was refused with another one; None if there is no other (A1)."""

    def judge(self, stop: Stop, user: str | None) -> Stop | UserRefused:
        """Return what it means that no credential helps."""


class KeyAccess:
    """One key for all requests: the endpoint's own headers carry it."""

    async def sign(self, request: Request, user: str | None) -> Request | Denied:  # noqa: ARG002  # whoever it is
        """Return the request."""
        return request

    async def renew(self, request: Request, user: str | None) -> None:
        """Return None."""

    def judge(self, stop: Stop, user: str | None) -> Stop | UserRefused:  # noqa: ARG002  # whoever it is
        """Return the same: the run stops (A1)."""
        return stop


class LoginAccess(KeyAccess):
    """One token for all requests, from a login. It is renewed once it is refused; all requests share that.

    :param log_in: asks for a token.
    """

    def __init__(self, log_in: Callable[[], Awaitable[Headers | Denied]]) -> None:
        self._log_in = log_in
        self._headers: Headers | None = None
        self._denied: Denied | None = None
        self._logins = 0
        self._lock = asyncio.Lock()

    async def sign(self, request: Request, user: str | None) -> Request | Denied:  # noqa: ARG002  # whoever it is
        """Return the request with the token; log in before the first one."""
        return await self._signed(request, None) if self._headers is None else replace(request, headers=self._headers)

    async def renew(self, request: Request, user: str | None) -> Request | Denied | None:  # type: ignore[override]  # noqa: ARG002
        """Return the request with a newer token: another request's, if one has just got it."""
        return await self._signed(request, request.headers)

    async def _signed(self, request: Request, used: Headers | None) -> Request | Denied:
        before = self._logins
        async with self._lock:
            if (self._headers is None or self._headers == used) and self._logins == before:
                self._logins += 1
                self._headers, self._denied = None, None
                found = await self._log_in()
                if isinstance(found, Denied):
                    self._denied = found
                else:
                    self._headers = found
            if self._headers is None:
                assert self._denied is not None  # noqa: S101  # a login gives the one or the other
                return self._denied
            return replace(request, headers=self._headers)


class UserAccess(KeyAccess):
    """A token for each user. Where it is refused, only that user's records are: others' tokens may be good (A1).

    :param headers: returns a user's headers; called in the thread.
    """

    def __init__(self, headers: UserHeaders, thread: BlockingThread) -> None:
        self._ask = headers
        self._thread = thread
        self._known: Latest[Headers | Denied] = Latest(MOST_TOKENS)

    async def sign(self, request: Request, user: str | None) -> Request | Denied:
        """Return the request with the user's token."""
        found = self._known.get(user)
        return _with(request, await self._asked(user) if found is None else found)

    async def renew(self, request: Request, user: str | None) -> Request | Denied | None:  # type: ignore[override]
        """Return the request with the token that the user has by now, if it is another one."""
        found = await self._asked(user)
        return None if found == request.headers else _with(request, found)

    def judge(self, stop: Stop, user: str | None) -> Stop | UserRefused:
        """Return that the user's records are refused; nothing more is sent with that token."""
        refused = UserRefused(stop.rule, f"{stop.reason}: the token is this user's own")
        self._known.put(user, Denied(refused))
        return refused

    async def _asked(self, user: str | None) -> Headers | Denied:
        found: Headers | Denied
        try:
            found = await self._thread.call(lambda: self._ask(user or ""))
        except LookupError as error:
            found = Denied(UserRefused(WRONG_ACCESS, f"is of a user without a token: {type(error).__name__}"))
        except Exception as error:
            raise unexpected(error) from error
        self._known.put(user, found)
        return found


def _with(request: Request, found: Headers | Denied) -> Request | Denied:
    return found if isinstance(found, Denied) else replace(request, headers=found)
