"""What a vendor's answer means: a value with a reason. The rules that all vendors share (A1 to A4)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from airflow_provider_userdata.vendors.rules import NOT_ACCEPTED, OUT_OF_REACH, UNANSWERED, WRONG_ACCESS

SHOWN_CHARACTERS = 1000
"""How many characters of a vendor's message are written to the private rejects file."""
_NO_JSON = (msgspec.DecodeError, ValueError, RecursionError)
_HTML = re.compile(rb"(?i)<(?:!doctype html|!--|[a-z][a-z0-9]*[\s/>])")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the vendor.

    :param status: the HTTP status.
    :param headers: by lower-case names.
    :param body: its first megabyte.
    :param complete: False if the connection broke or the limit was reached before the body's end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    def json(self) -> object:
        """Return the decoded body, or None if it isn't JSON."""
        try:
            return msgspec.json.decode(self.content)
        except _NO_JSON:
            return None

    @property
    def content(self) -> bytes:
        """The body, without blanks around it and a byte order mark, which some servers begin JSON with."""
        return self.body.removeprefix(codecs.BOM_UTF8).strip()

    def looks_like(self) -> str:
        """Return what kind of body it is, without any of its content."""
        if _HTML.match(self.content):
            return "a page of HTML"
        if not self.complete:
            return "a body that was cut off"
        if not self.content:
            return "an empty body"
        try:
            msgspec.json.decode(self.content)
        except _NO_JSON as error:
            return "incomplete JSON" if "truncated" in str(error) else "text that is not JSON"
        return "JSON"

    def text(self) -> str:
        """Return the body's beginning as text. It may repeat a record: for private files only."""
        return self.body[: 4 * SHOWN_CHARACTERS].decode(errors="replace")[:SHOWN_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor has the records."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor took none of the records. Smaller batches of them may be sent, to find those at fault.

    :param rule: the rule of a record that is refused alone.
    :param reason: the status and the vendor's message: for private files only.
    :param path: where in the record the vendor says the fault is.
    :param too_large: whether the request was refused for its size alone: in smaller ones, all may be accepted (A4).
    """

    rule: str
    reason: str
    path: str | None = None
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Unproven:
    """The vendor may have the records, and nothing will prove it: they are *unknown*, and not resent automatically.

    :param foreign: whether the answer is complete but not the vendor's answer for success: it may be a proxy's.
    """

    rule: str
    reason: str
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """The same request may be accepted later.

    :param reason: without anything of the answer's body, since it ends up in logs.
    :param after: the text of a `Retry-After` header, if there was one.
    :param in_doubt: whether the records may have been accepted nevertheless (A3).
    """

    rule: str
    reason: str
    after: str | None = None
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """No request will be accepted until somebody changes a setting: the run stops at once (A1, A4).

    :param reason: without anything of the answer's body, since it ends up in an exception.
    """

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class UserRefused:
    """The vendor takes none of one user's records until something about that user changes; other users' go on.

    :param reason: may hold the vendor's message: for private files only.
    """

    rule: str
    reason: str


Meaning = Accepted | Refused | UserRefused | Unproven | Retry | Stop

PROXY_WANTS_CREDENTIALS = 407
_PROXY = (
    "the proxy requires credentials, or rejects those that it got; "
    "'proxy' in the connection's extra holds them: http://user:password@host:port"
)
_STOPS = {
    401: "the key or token is not valid",
    403: "the key or token has no permission for this",
    404: "this address does not exist; is the connection's host right?",
}
_HOST = re.compile(r"[a-z0-9.-]{1,253}")
_RETRIED = frozenset({408, 425, 429})
_NOT_IN_DOUBT = frozenset({501, 503})
"""Server errors that mean that nothing was accepted; other ones may come after the acceptance (A3)."""


def shared_meaning(answer: Answer, refusal_rule: str = NOT_ACCEPTED, partial_rule: str | None = None) -> Meaning:
    """Return what an answer means by the rules that all vendors share.

    :param refusal_rule: the vendor's own rule for 400 and 422, such as `P10`.
    :param partial_rule: the vendor's own rule for 207, such as `G11`: some records were accepted, and nothing says
        which. None where the vendor's contract doesn't name it.
    """
    status = answer.status
    if status == 207 and partial_rule is not None:
        return Unproven(partial_rule, f"answered 207, some records were not accepted: {answer.text()}")
    if status in _STOPS:
        return Stop(WRONG_ACCESS, f"answered {status}: {_STOPS[status]}")
    if status in _RETRIED or 500 <= status < 600:
        in_doubt = status >= 500 and status not in _NOT_IN_DOUBT
        return Retry(OUT_OF_REACH, f"answered {status}", answer.headers.get("retry-after"), in_doubt)
    if status in {400, 422}:
        return Refused(refusal_rule, f"answered {status}: {answer.text()}")
    if status == 413:
        return Refused(NOT_ACCEPTED, "answered 413: the request is too large", too_large=True)
    if 200 <= status < 300:
        return Unproven(NOT_ACCEPTED, f"answered {status}, which is not a receipt: {answer.text()}", foreign=True)
    if 300 <= status < 400:
        to = _host(answer.headers.get("location", ""))
        return Stop(
            NOT_ACCEPTED, f"answered {status}: a redirect, which is not followed{to}; is the connection's host right?"
        )
    if status == PROXY_WANTS_CREDENTIALS:
        return Stop(NOT_ACCEPTED, f"answered {status}: {_PROXY}")
    return Stop(NOT_ACCEPTED, f"answered {status}, which the vendor's contract doesn't name")


def _host(location: str) -> str:
    """Return a redirect's host as text, if it has one. The rest of the address is never shown."""
    try:
        host = urlsplit(location).hostname or ""
    except ValueError:
        return ""
    return f", to {host}" if _HOST.fullmatch(host) else ""


def took_nothing(meaning: Meaning) -> bool:
    """Return whether the vendor certainly took none of a request's records."""
    return isinstance(meaning, Refused | UserRefused | Stop) or (isinstance(meaning, Retry) and not meaning.in_doubt)


def no_receipt(answer: Answer, rule: str, lack: str) -> Retry | Unproven:
    """Return what a success without the vendor's receipt means; if it was cut off, the request is in doubt (A3).

    :param lack: what makes it no receipt, after what kind of body it is.
    """
    if not answer.complete:
        return Retry(UNANSWERED, f"answered {answer.status}, cut off before its end", in_doubt=True)
    return Unproven(rule, f"answered {answer.status} with {answer.looks_like()}, {lack}: {answer.text()}", foreign=True)
