"""What a sandbox vendor can be told to do instead of answering as it should."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

_ACTIONS = ("ok", "cut", "half", "hang")
_HEADER = re.compile(r"retry-after|location|content-type|x-[a-z0-9-]+")
_TIMES = re.compile(r"x([1-9][0-9]*)")
_STATUS = re.compile(r"[0-9]{3}")
_DATE_FROM_NOW = re.compile(r"date\+([0-9]+)")
_HTML = (
    "<!DOCTYPE html><html><head><title>Error</title></head>"
    "<body><h1>The server could not answer</h1><hr><p>nginx</p></body></html>"
)
_BODIES = {
    "html": _HTML,
    "empty": "",
    "text": "upstream connect error",
    "failure": '{"success": false, "detail": "Invalid token"}',
    "truncated": '{"accepted": [',
}


@dataclass(frozen=True, slots=True)
class ScriptedFault:
    """One scripted behaviour of a sandbox vendor, used up by one POST (or by ``times`` of them).

    Scripts, the command line and the control API take its text form: ``ScriptedFault.parse("429 retry-after=2 x3")``.

    ========================================  ==================================================================
    ``ok``, ``200``                           the vendor's own answer
    ``503``, ``429 retry-after=2``            a status; nothing is accepted
    ``429 retry-after=date+5``                ``Retry-After`` as an HTTP date, 5 seconds from the answer
    ``301 location=http://127.0.0.1/``        a redirect (``location``, ``content-type``, ``retry-after``, ``x-…``)
    ``500 body=html`` (``empty text big``)    a status with an HTML page, nothing, plain text, or 10 MB
    ``200 body=failure`` (``truncated``)      a success whose JSON speaks of a failure, or lacks its end
    ``400 body='{"odd": 1}'``                 a status with a body of one's own
    ``504 after accepting``                   any of these, though what was sent is accepted
    ``207``                                   GeroSense: the first half of the samples is accepted
    ``200 without receipt``                   accepted, and answered without what proves it
    ``cut``, ``cut after accepting``          the connection is dropped without an answer
    ``half``                                  accepted; the answer breaks off in its middle
    ``hang``, ``hang after accepting``        no answer, ever
    ``ok latency=0.2``                        any of these, after that many seconds
    ========================================  ==================================================================

    :param action: ``"ok"``, ``"cut"``, ``"half"`` or ``"hang"``; ``"status"`` where one is given.
    :param status: the status to answer.
    :param accepting: what was sent is checked and accepted all the same.
    :param receipt: False: the answer is a success that proves nothing.
    :param headers: header names (lower case) and values of the answer.
    :param body: ``"html"``, ``"empty"``, ``"text"``, ``"big"``, ``"failure"``, ``"truncated"``, or the body itself;
        None: as the vendor words it.
    :param latency: seconds to wait first.
    :param times: how many POSTs it lasts.
    """

    action: str = "ok"
    status: int | None = None
    accepting: bool = False
    receipt: bool = True
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    latency: float = 0.0
    times: int = 1

    def __post_init__(self) -> None:
        if self.status is not None and self.action in ("ok", "status"):
            self._settle_status(self.status)
        elif self.action not in _ACTIONS or self.status is not None:
            raise ValueError(f"a fault is a status or one of {', '.join(_ACTIONS)}")
        if self.action != "status" and (self.headers or self.body is not None or not self.receipt):
            raise ValueError("headers, body and receipt belong to a status")
        if any(not _HEADER.fullmatch(name) or not value.isprintable() for name, value in self.headers):
            raise ValueError("a fault's headers are retry-after, location, content-type or x-…")
        if type(self.times) is not int or self.times < 1:
            raise ValueError("times is at least 1")
        object.__setattr__(self, "latency", seconds(self.latency))

    def _settle_status(self, status: int) -> None:
        if not 200 <= status <= 599:
            raise ValueError("a status is between 200 and 599")
        if not self.receipt and status >= 300:
            raise ValueError("only a success can lack its receipt")
        # A bare 200 would be GeroSense's receipt for what nobody accepted; what is meant is `ok`.
        bare = status == 200 and self.receipt and not self.headers and self.body is None
        object.__setattr__(self, "action", "ok" if bare else "status")
        object.__setattr__(self, "status", None if bare else status)

    @property
    def accepts(self) -> bool:
        """Whether what was sent is checked and accepted."""
        return self.accepting or not self.receipt or self.action in ("ok", "half")

    @classmethod
    def parse(cls, text: str) -> ScriptedFault:
        """Read a fault from its text form.

        :param text: for example ``"503 x30"``; see the class.
        :raises ValueError: if the text is not a valid fault, with the reason.
        """
        try:
            words = _phrases(shlex.split(text)) or [""]
            start = {"status": int(words[0])} if _STATUS.fullmatch(words[0]) else {"action": words[0]}
            given: dict[str, Any] = {**start, "headers": ()}
            for word in words[1:]:
                given |= _detail(word, given["headers"])
            return cls(**given)
        except ValueError as error:
            raise ValueError(f"{text!r} is no fault: {error}") from None

    def __str__(self) -> str:
        words = [str(self.status) if self.status is not None else self.action]
        if not self.receipt:
            words.append("without receipt")
        elif self.accepting:
            words.append("after accepting")
        words += [f"{name}={shlex.quote(value)}" for name, value in self.headers]
        if self.body is not None:
            words.append(f"body={shlex.quote(self.body)}")
        if self.latency:
            words.append(f"latency={self.latency:g}")
        if self.times > 1:
            words.append(f"x{self.times}")
        return " ".join(words)

    def content(self) -> tuple[bytes, str] | None:
        """Body and content type that the fault asks for; None where the vendor words its own."""
        if self.body is None:
            return None
        if self.body == "big":
            return b"x" * (10 * 1024 * 1024), "text/plain"
        text = _BODIES.get(self.body, self.body)
        kind = {"<": "text/html", "{": "application/json", "[": "application/json"}.get(text[:1], "text/plain")
        return text.encode(), kind

    def sent_headers(self) -> dict[str, str]:
        """Headers as they go out: a date that is counted from now is now worked out."""
        headers = dict(self.headers)
        if match := _DATE_FROM_NOW.fullmatch(headers.get("retry-after", "")):
            date = datetime.now(UTC) + timedelta(seconds=int(match[1]))
            headers["retry-after"] = format_datetime(date, usegmt=True)
        return headers


def seconds(value: object) -> float:
    """Read a number of seconds: finite, not negative, at most a day."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("seconds are a number")  # noqa: TRY004 - one kind of error for whoever wrote the text
    number = float(value)
    if not 0 <= number <= 86400:
        raise ValueError("seconds are between 0 and 86400")
    return number


def _detail(word: str, headers: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Read what follows a fault's first word."""
    if times := _TIMES.fullmatch(word):
        return {"times": int(times[1])}
    if word == "after accepting":
        return {"accepting": True}
    if word == "without receipt":
        return {"receipt": False}
    name, equals, value = word.partition("=")
    name = name.lower()
    if equals and name == "body":
        return {"body": value}
    if equals and name == "latency":
        return {"latency": seconds(value)}
    if equals and _HEADER.fullmatch(name):
        return {"headers": (*headers, (name, value))}
    raise ValueError(f"{word!r} is not understood")


def _phrases(words: Sequence[str]) -> list[str]:
    """Put the phrases of two words together again."""
    joined: list[str] = []
    for word in words:
        if joined and f"{joined[-1]} {word}" in ("after accepting", "without receipt"):
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined
