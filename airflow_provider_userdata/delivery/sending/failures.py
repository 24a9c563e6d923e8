"""Explains why a vendor gave no answer: what happened, and what to check.

It serves every HTTP library that is used here. Each keeps the error of the operating system or of TLS among its causes,
and that error decides. The libraries' own messages are never shown, because they hold addresses.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LONGEST_HEADER = 64 * 1024
"""Bytes of one header of an answer; browsers accept as much."""
LONGEST_HEADERS = 256 * 1024
"""Bytes of all headers of an answer."""

_WRONG_NAME = 62
_WRONG_HOST = frozenset({_WRONG_NAME, 64})
"""OpenSSL's codes for a certificate of another host name, or of another IP address."""
_OUT_OF_DATE = frozenset({9, 10})
_NOT_TRUSTED = frozenset({18, 19, 20, 21})
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "RECORD_LAYER_FAILURE"})
_ON_CLIENT_CERTIFICATES = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_UNKNOWN")
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_TLS_ALERT = "\\x15\\x03"
"""The start of TLS's answer to plain text, as an HTTP parser's message quotes it."""
# The words of nginx, Go and Apache.
_TLS_WANTED = (b"plain HTTP request was sent to HTTPS port", b"HTTP request to an HTTPS server", b"speaking plain HTTP")
_CERTIFICATE_WANTED = (b"No required SSL certificate was sent", b"The SSL certificate error")
_ASKS_FOR_CERTIFICATE = "it asks for a client certificate, or doesn't accept the one it got"
_CLIENT_CERTIFICATE = "'client_cert' and 'client_key' in the connection's extra"


class Failure(NamedTuple):
    """What happened, and what to check.

    :param what: a clause about the vendor's host or the proxy.
    :param look_at: a question or a setting that leads to the cause; may be empty.
    :param stops: whether no retry helps until somebody changes something.
    """

    what: str
    look_at: str = ""
    stops: bool = False

    def said_of(self, way: str, *, written: bool) -> str:
        """Return the rest of a sentence that begins with the vendor's name.

        :param way: `Endpoint.way`.
        :param written: whether the request may have been sent.
        """
        head = "gave no answer" if written else "can't be reached"
        return f"{head} ({way}): {self.what}{f' ({self.look_at})' if self.look_at else ''}"


class TooLongHeadersError(Exception):
    """An answer's headers are longer than `LONGEST_HEADER` or `LONGEST_HEADERS`."""


TOO_LONG_HEADERS = Failure(
    f"it answered, but its headers are longer than {LONGEST_HEADER // 1024} kB in one line "
    f"or {LONGEST_HEADERS // 1024} kB in all"
)


def explain(error: BaseException, *, secure: bool, written: bool, seconds: float, at_proxy: bool = False) -> Failure:
    """Explain an error by the first of its causes that is known.

    :param error: what the HTTP library raised.
    :param secure: whether the vendor's address is one of https.
    :param written: whether the request may have been sent.
    :param seconds: the timeout.
    :param at_proxy: whether the proxy itself failed, not the vendor behind it.
    """
    whose = "the proxy's" if at_proxy else "its"
    who = "the proxy" if at_proxy else "it"
    which = "the proxy" if at_proxy else "the connection's host"
    told = list(causes(error))
    for cause in told:
        if code := _verify_code(cause):
            return _of_certificate(code, whose, which)
    for cause in told:
        if found := _of_tls(cause, who, secure=secure) or _of_system(cause, who, whose, which):
            return found
    if any(isinstance(cause, TimeoutError) for cause in told):
        if written:
            return Failure(f"{who} didn't answer within {seconds:g} s", "'timeout' in the connection's extra")
        return Failure(f"no connection was made within {seconds:g} s", "is there a firewall in between?")
    if any(isinstance(cause, ConnectionError) or "Disconnected" in type(cause).__name__ for cause in told):
        return _closed(who, secure=secure)
    return _unreadable(told, error, secure=secure)


def of_proxy(status: int) -> Failure:
    """Explain a proxy that refuses to connect to the vendor, by the status of its answer to CONNECT."""
    refused = f"the proxy answered {status} instead of connecting"
    if 400 <= status < 500 and status not in {408, 425, 429}:
        return Failure(refused, "does it allow this host?", stops=True)
    return Failure(refused, "does it reach this host?")


def of_refusal(body: bytes) -> Failure | None:
    """Explain a 400 from a TLS server in front of the vendor by its body; None if the 400 is the vendor's own."""
    if any(words in body for words in _TLS_WANTED):
        return Failure("http was sent to an https port", "should the scheme be https?", stops=True)
    if any(words in body for words in _CERTIFICATE_WANTED):
        return Failure(_ASKS_FOR_CERTIFICATE, _CLIENT_CERTIFICATE, stops=True)
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and, each once, the errors that it holds or was raised from."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and not any(one is other for other in seen):
            seen.append(one)
            yield one
            waiting += [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]


def _verify_code(cause: BaseException) -> int:
    """Return OpenSSL's code for the fault of a certificate, or 0. urllib3 1 compares host names itself."""
    if type(cause).__name__ == "CertificateError":
        return _WRONG_NAME
    return int(getattr(cause, "verify_code", 0)) if isinstance(cause, ssl.SSLCertVerificationError) else 0


def _of_certificate(code: int, whose: str, which: str) -> Failure:
    if code in _WRONG_HOST:
        return Failure(f"{whose} certificate is for another host", f"is {which} right?", stops=True)
    if code in _OUT_OF_DATE:
        return Failure(f"{whose} certificate has expired, or isn't valid yet", "is this machine's clock right?")
    if code in _NOT_TRUSTED:
        signed = "self-signed" if code == 18 else "signed by an authority that isn't trusted here"
        look_at = "'verify' in the connection's extra names a file with the certificates to trust"
        return Failure(f"{whose} certificate is {signed}", look_at, stops=True)
    return Failure(f"{whose} certificate is not accepted (OpenSSL's code {code})")


def _of_tls(cause: BaseException, who: str, *, secure: bool) -> Failure | None:
    if not isinstance(cause, ssl.SSLError):
        return None
    reason = getattr(cause, "reason", None) or ""
    if isinstance(cause, ssl.SSLEOFError) or "UNEXPECTED_EOF" in reason:
        return _closed(who, secure=secure)
    if reason in _NOT_TLS:
        look_at = "should the scheme be http, or the port another one?"
        return Failure(f"{who} doesn't speak https at that port", look_at, stops=True)
    if "ALERT" in reason and any(name in reason for name in _ON_CLIENT_CERTIFICATES):
        return Failure(_ASKS_FOR_CERTIFICATE, _CLIENT_CERTIFICATE, stops=True)
    if "HANDSHAKE_FAILURE" in reason:
        look_at = f"it may ask for a client certificate: {_CLIENT_CERTIFICATE}"
        return Failure(f"{who} broke off the TLS handshake", look_at)
    return Failure(f"TLS failed: {reason}") if reason else None


def _of_system(cause: BaseException, who: str, whose: str, which: str) -> Failure | None:
    """Explain an error of the operating system about a name or a connection."""
    if isinstance(cause, socket.gaierror):
        return Failure(f"{whose} name was not found", f"is {which} right, does this machine reach its DNS?")
    number = getattr(cause, "errno", None) if isinstance(cause, OSError) else None
    if number == errno.ECONNREFUSED:
        return Failure(f"{who} refused the connection", "is the port right, is the service up?")
    if number in _NO_ROUTE:
        return Failure(f"there is no route to {which} from here", "is the network up, is a proxy needed?")
    return None


def _closed(who: str, *, secure: bool) -> Failure:
    """Explain a closed connection: servers close it on a protocol that they don't expect."""
    look_at = "does it speak http there, or ask for a client certificate?" if secure else "does it speak https there?"
    return Failure(f"{who} closed the connection", look_at)


def _unreadable(told: Sequence[BaseException], error: BaseException, *, secure: bool) -> Failure:
    """Explain an answer that can't be read."""
    names = {type(cause).__name__ for cause in told}
    if names & {"LineTooLong", "TooLongHeadersError"} or any("Too many headers" in str(cause) for cause in told):
        return TOO_LONG_HEADERS
    if names & {"BadStatusLine", "BadHttpMessage", "BadHttpMethod", "InvalidHeader", "HttpProcessingError"}:
        if not secure and any(_TLS_ALERT in str(cause) for cause in told):
            return Failure("http was sent to an https port", "should the scheme be https?", stops=True)
        return Failure("what it answered is not HTTP", "are host and port right?")
    return Failure(f"the connection broke ({type(error).__name__})")
