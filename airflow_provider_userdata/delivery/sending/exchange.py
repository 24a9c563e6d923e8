"""A request, what its answer means, and how sending it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_userdata.vendors import (
    Accepted,
    Answer,
    Meaning,
    Refused,
    Request,
    Retry,
    Stop,
    Unproven,
    UserRefused,
)

_NO_ACCESS = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class GaveUp:
    """No more attempts are made at a batch: the vendor is down, or the delivery was halted.

    :param rule: the rule of the fate that its records get.
    :param reason: why, in words that may be logged.
    :param halted: whether the delivery was halted.
    :param until: when to come back, if the run doesn't wait itself.
    :param error: what ends the delivery now, if that is new.
    """

    rule: str
    reason: str
    halted: bool = False
    until: datetime | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How sending a batch ended.

    :param meaning: what the last answer means, or why no more attempts are made.
    :param answer: the last answer, if there was one.
    :param in_doubt: whether an attempt whose answer is not known may have been accepted.
    :param size: the request's bytes; 0 if the last attempt was not answered.
    """

    meaning: Accepted | Refused | UserRefused | Unproven | Stop | GaveUp
    answer: Answer | None = None
    in_doubt: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and what its answer means.

    :param user: whose request it is, if it is one user's.
    :param meaning: returns what an answer means.
    """

    request: Request
    user: str | None
    meaning: Callable[[Answer], Meaning]


Answered = tuple[Accepted | Refused | UserRefused | Unproven | Retry | Stop | GaveUp, Answer | None]
"""What an attempt came to, and the answer, if there was one."""


def refused_credential(answered: Answered) -> Stop | None:
    """Return what an answer means if it refuses the credential, which another one may cure (A1)."""
    meaning, answer = answered
    is_refused = isinstance(meaning, Stop) and answer is not None and answer.status in _NO_ACCESS
    return meaning if is_refused else None  # type: ignore[return-value]  # a `Stop`
