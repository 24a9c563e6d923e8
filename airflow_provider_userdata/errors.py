"""All exceptions of this package: those that need a change first, and those that a retry may cure.

Messages name the connection, the argument, the rule and the position; never a record's content or a credential.
"""

from __future__ import annotations

from datetime import datetime


class UserdataError(Exception):
    """The base of all errors of this package."""

    retriable = False
    """Whether a retry may help."""


class NeedsChangeError(UserdataError):
    """Something has to be changed first: the task fails without a retry."""


class ArgumentError(NeedsChangeError):
    """A task's argument has a value that can't work."""


class ConnectionSettingsError(NeedsChangeError):
    """An Airflow connection lacks a setting, or has one that can't work."""


class SourceError(NeedsChangeError):
    """A source can't be read: no such file, no such column, or content that isn't records."""


class SourceChangedError(NeedsChangeError):
    """The source's first records differ from those that the previous attempt read, or were sent to another address."""


class ResumeError(NeedsChangeError):
    """What the previous attempt sent can't be known here, and must not be guessed."""


class RejectsError(NeedsChangeError):
    """More records were rejected or are unknown than `max_rejected` allows."""


class LedgerError(NeedsChangeError):
    """The ledger can't be used: its place, permissions, version or secret is wrong; or it is lost."""


class RefusedError(NeedsChangeError):
    """The vendor, or a proxy or gateway before it, refuses the credentials, the address, or every request."""


class MayPassError(UserdataError):
    """A later attempt may succeed: the task fails, and Airflow retries it."""

    retriable = True


class SourceBrokeError(MayPassError):
    """The source failed while it was being read."""


class LedgerBusyError(MayPassError):
    """The ledger is locked, its disk is full, or its database can't be reached for now."""


class VendorDownError(MayPassError):
    """The vendor can't be reached, or accepts no requests for now."""


class StoppedError(MayPassError):
    """The delivery was told to stop before it had finished."""


class OrphanedError(StoppedError):
    """No process supervises the delivery any more: Airflow may start another attempt at any time."""


class LaterError(MayPassError):
    """The vendor asks for a pause that is too long to wait in a worker slot.

    :param message: the reason.
    :param until: when to come back, with a UTC offset.
    """

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message, until)
        self.until = until

    def __str__(self) -> str:
        return f"{self.args[0]}; comes back at {self.until.isoformat(timespec='seconds')}"


class UnexpectedError(MayPassError):
    """An exception of another package ended the delivery. Only its type is named: its message may quote a record."""


class OutputError(MayPassError):
    """Rejects, receipts or checkpoint can't be written: a full disk, a path that isn't a folder, missing permission."""


def unexpected(error: BaseException) -> UnexpectedError:
    """Return an error that names only the type of an exception of another package.

    :param error: that exception; it becomes the cause.
    """
    made = UnexpectedError(f"{type(error).__name__} ended the delivery; what was delivered stays on record")
    made.__cause__ = error
    return made
