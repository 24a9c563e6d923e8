"""What a request carries so that the vendor takes it: one key for all, a login's token, or a token a user."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.clock import unless_set
from airflow_provider_userdata.delivery.sending.latest import Latest
from airflow_provider_userdata.errors import UserdataError, unexpected
from airflow_provider_userdata.vendors import (
    LEFT_AT_THE_END,
    WRONG_ACCESS,
    Answer,
    Meaning,
    Request,
    Retry,
    Stop,
    UserRefused,
)

Headers = Mapping[str, str]
UserHeaders = Callable[[str], Headers]
"""Returns the headers that carry a user's token. Blocks; raises `LookupError` if the user has none."""


class UnusableTokenError(LookupError):
    """A user's token can't be used. The message says why, and may be logged."""


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


UNASKED = Denied(Retry(LEFT_AT_THE_END, "the delivery ended before there was a token"))


class Access(Protocol):
    """Gives requests their credential.

    `sign` and `renew` raise a `UserdataError` if nobody can be asked for it.
    """

    async def sign(self, request: Request, user: str | None) -> Request | Denied:
        """Return a request with its credential."""

    async def renew(self, request: Request, user: str | None) -> Request | Denied | None:
        """Return a request whose credential was refused with another one; None if there is no other (A1)."""

    def judge(self, stop: Stop, user: str | None, *, has_records: bool) -> Stop | UserRefused:
        """Return what it means that no credential helps.

        :param has_records: whether the request has records: the credential may be good for them, and not for others.
        """


class KeyAccess:
    """One key for all requests: the endpoint's own headers carry it."""

    async def sign(self, request: Request, user: str | None) -> Request | Denied:  # noqa: ARG002  # whoever it is
        """Return the request."""
        return request

    async def renew(self, request: Request, user: str | None) -> None:
        """Return None."""

    def judge(self, stop: Stop, user: str | None, *, has_records: bool) -> Stop | UserRefused:  # noqa: ARG002  # whoever it is
        """Return the same: the run stops (A1)."""
        return stop


class LoginAccess(KeyAccess):
    """One token for all requests, from a login. It is renewed once it is refused; all requests share that.

    :param log_in: asks for a token.
    :param halted: set when nothing more is sent: nobody waits for a login then.
    """

    def __init__(self, log_in: Callable[[], Awaitable[Headers | Denied]], halted: asyncio.Event) -> None:
        self._log_in = log_in
        self._halted = halted
        self._headers: Headers | None = None
        self._denied = UNASKED
        self._logins = 0
        self._lock = asyncio.Lock()

    async def sign(self, request: Request, user: str | None) -> Request | Denied:  # noqa: ARG002  # whoever it is
        """Return the request with the token; log in before the first one."""
        return replace(request, headers=self._headers) if self._headers else await self._unless_halted(request, None)

    async def renew(self, request: Request, user: str | None) -> Request | Denied | None:  # type: ignore[override]  # noqa: ARG002
        """Return the request with a newer token: another request's, if one has just got it."""
        return await self._unless_halted(request, request.headers)

    async def _unless_halted(self, request: Request, used: Headers | None) -> Request | Denied:
        return await unless_set(self._halted, self._signed(request, used, self._logins)) or UNASKED

    async def _signed(self, request: Request, used: Headers | None, before: int) -> Request | Denied:
        async with self._lock:
            if (self._headers is None or self._headers == used) and self._logins == before:
                self._logins += 1
                self._headers, self._denied = None, UNASKED  # if the login is cancelled
                found = await self._log_in()
                if isinstance(found, Denied):
                    self._denied = found
                else:
                    self._headers = found
            return self._denied if self._headers is None else replace(request, headers=self._headers)


class UserAccess(KeyAccess):
    """A token for each user. Where it is refused, only that user's records are: others' tokens may be good (A1).

    :param headers: returns a user's headers; called in the thread, once at a time for each user.
    :param halted: set when nothing more is sent: nobody waits for a token then.
    """

    def __init__(self, headers: UserHeaders, thread: BlockingThread, halted: asyncio.Event) -> None:
        self._ask = headers
        self._thread = thread
        self._halted = halted
        self._known: Latest[Headers | Denied] = Latest(MOST_TOKENS)
        self._owners: Latest[str] = Latest(MOST_TOKENS)
        self._asking: dict[str, asyncio.Task[Headers | Denied | UserdataError]] = {}

    async def sign(self, request: Request, user: str | None) -> Request | Denied:
        """Return the request with the user's token."""
        found = self._known.get(user)
        return _with(request, await self._asked(user or "") if found is None else found)

    async def renew(self, request: Request, user: str | None) -> Request | Denied | None:  # type: ignore[override]
        """Return the request with the token that the user has by now, if it is another one.

        If another of the user's requests has just got one, it is that one: a new one might end it.
        """
        found = self._known.get(user)
        if found is None or found == request.headers:
            found = await self._asked(user or "")
        return None if found == request.headers else _with(request, found)

    def judge(self, stop: Stop, user: str | None, *, has_records: bool) -> Stop | UserRefused:
        """Return that the user's records are refused; nothing more is sent with that token."""
        refused = UserRefused(stop.rule, f"{stop.reason}: the token is this user's own")
        if has_records:
            self._known.put(user, Denied(refused))
        return refused

    async def _asked(self, user: str) -> Headers | Denied:
        """Ask for a user's token; requests that want it at the same time share the answer."""
        asking = self._asking.get(user)
        if asking is None:
            asking = self._asking[user] = asyncio.create_task(self._found(user))
            asking.add_done_callback(lambda _: self._asking.pop(user, None))
        found = await unless_set(self._halted, asyncio.shield(asking))
        if isinstance(found, UserdataError):
            raise found
        return UNASKED if found is None else found

    async def _found(self, user: str) -> Headers | Denied | UserdataError:
        """Return a user's headers, why there are none, or what broke, which no log shows if nobody waits any more."""
        found: Headers | Denied
        try:
            found = self._own(await self._thread.call(lambda: self._ask(user)), user)
        except UnusableTokenError as error:
            found = Denied(UserRefused(WRONG_ACCESS, f"is of a user whose token can't be used: {error}"))
        except LookupError as error:
            found = Denied(UserRefused(WRONG_ACCESS, f"is of a user without a token: {type(error).__name__}"))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # also `SystemExit`, which would end the process
            return unexpected(error)
        self._known.put(user, found)
        return found

    def _own(self, headers: Headers, user: str) -> Headers:
        """Return a user's headers, unless another user has the same: the vendor would take the two for one person."""
        digest = hashlib.blake2b(repr(sorted(headers.items())).encode(), digest_size=16).hexdigest()
        owner = self._owners.get(digest)
        if owner is not None and owner != user:
            raise UnusableTokenError("another user has the same one, and a token stands for one person")
        self._owners.put(digest, user)
        return headers


def _with(request: Request, found: Headers | Denied) -> Request | Denied:
    return found if isinstance(found, Denied) else replace(request, headers=found)
