"""Sends what a vendor may be told once a user's records are delivered (G14). No record depends on it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from itertools import islice

from airflow_provider_userdata.delivery.sending.exchange import Exchange, GaveUp, Outcome
from airflow_provider_userdata.delivery.sending.sender import Sender
from airflow_provider_userdata.vendors import Accepted, Answer, Meaning, Stop, Vendor, shared_meaning

MOST_USERS = 100_000
"""Users who are remembered. With more, the first ones' turn comes before the end, and may come once more."""
AT_ONCE = 100
"""Requests that wait for a permit at a time."""

_log = logging.getLogger(__name__)


class FollowUps:
    """Sends one request for each user of whom anything was delivered. Used on the event loop."""

    def __init__(self, vendor: Vendor, sender: Sender) -> None:
        self._vendor = vendor
        self._sender = sender
        self._users: dict[str | None, None] = {}
        self._ended = False

    async def delivered(self, user: str | None) -> None:
        """Note that records of a user were delivered."""
        if self._ended or self._vendor.follow_up(user) is None:
            return
        self._users[user] = None
        if len(self._users) > MOST_USERS:
            first = list(islice(self._users, MOST_USERS // 2))
            for early in first:
                del self._users[early]
            await self._send(first)

    async def send_all(self) -> None:
        """Send the requests for all users."""
        users, self._users = list(self._users), {}
        await self._send(users)

    async def _send(self, users: list[str | None]) -> None:
        """Send requests. The first answer that none can be accepted, or none at all for long, ends it."""
        failed: list[Outcome] = []
        for start in range(0, len(users), AT_ONCE):
            if self._ended:
                break
            outcomes = await asyncio.gather(*map(self._ask, users[start : start + AT_ONCE]))
            failed += _failed(outcomes)
            self._ended = any(isinstance(outcome.meaning, Stop | GaveUp) for outcome in failed)
        if failed:
            answer = failed[0].answer
            said = "no answer" if answer is None else f"answer {answer.status}"
            _log.warning(
                "%s: %d of %d requests after the delivery failed, the first with %s; no record depends on them",
                self._vendor.name,
                len(failed),
                len(users),
                said,
            )

    async def _ask(self, user: str | None) -> Outcome:
        request = self._vendor.follow_up(user)
        assert request is not None  # noqa: S101  # else the user isn't noted
        return await self._sender.ask(Exchange(request, user, _meaning))


def _failed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if not isinstance(outcome.meaning, Accepted)]


def _meaning(answer: Answer) -> Meaning:
    return Accepted() if 200 <= answer.status < 300 else shared_meaning(answer)
