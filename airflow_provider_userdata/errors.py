"""Everything that this package raises, sorted by what the caller can do about it.

    UserdataError
    ├── NeedsChangeError         change something, then run again; a retry alone can't help
    │   ├── ArgumentError            a task's argument, in the DAG file
    │   ├── ConnectionSettingsError  the Airflow connection
    │   ├── SourceError              the data's place or shape
    │   ├── SourceChangedError       the data, or where it goes, isn't what it was for the attempt before
    │   ├── ResumeError              where to go on can't be known
    │   ├── RejectsError             more rejects than the task allows
    │   ├── LedgerError              the ledger's place, rights, version or secret, or it is lost
    │   └── RefusedError             the vendor refuses the credentials, the address or everything
    └── MayPassError             a retry may help
        ├── SourceBrokeError         the source failed while it was read
        ├── OutputError              the fates can't be written
        ├── LedgerBusyError          the ledger is locked, or its database can't be reached
        ├── LaterError               the vendor asks to come back later
        ├── UnexpectedError          what nobody expects, by its type alone
        ├── VendorDownError          the vendor can't be reached, or takes no requests for now
        └── StoppedError             the delivery was told to stop
            └── OrphanedError            nobody supervises the delivery any more

Messages name the connection, the argument, the rule and the position; never a record's content or a credential.
"""

from __future__ import annotations

from datetime import datetime


class UserdataError(Exception):
    """The root of all errors of this package."""

    retriable = False


class NeedsChangeError(UserdataError):
    """Something has to change first: the task fails without a retry."""


class ArgumentError(NeedsChangeError):
    """A task's argument has a value that can't work."""


class ConnectionSettingsError(NeedsChangeError):
    """An Airflow connection lacks something or holds what can't work."""


class SourceError(NeedsChangeError):
    """A source can't be read as it was named: no such file, no such column, a shape that isn't records."""


class SourceChangedError(NeedsChangeError):
    """The source's first records are not those that the attempt before had read, or went elsewhere."""


class ResumeError(NeedsChangeError):
    """What the attempt before sent can't be known here, and mustn't be guessed."""


class RejectsError(NeedsChangeError):
    """More records were rejected or are unknown than `max_rejected` allows."""


class LedgerError(NeedsChangeError):
    """The ledger can't be used as it is: its place, its rights, its version, its secret; or it is lost."""


class RefusedError(NeedsChangeError):
    """The vendor, or what stands before it, refuses the credentials, the address, or every request."""


class MayPassError(UserdataError):
    """A later attempt may succeed: the task fails in the way that Airflow retries."""

    retriable = True


class SourceBrokeError(MayPassError):
    """The source failed in the middle of being read."""


class LedgerBusyError(MayPassError):
    """The ledger is locked by others, is full, or its database can't be reached for now."""


class VendorDownError(MayPassError):
    """The vendor can't be reached, or takes no requests for now."""


class StoppedError(MayPassError):
    """The delivery was told to stop before it was done."""


class OrphanedError(StoppedError):
    """Nobody supervises the delivery's process any more: another attempt may begin at any time, and goes on."""


class LaterError(MayPassError):
    """The vendor asks for a pause that is too long to be spent waiting.

    :param message: why.
    :param until: when to come back, with its offset.
    """

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message, until)
        self.until = until

    def __str__(self) -> str:
        return f"{self.args[0]}; comes back at {self.until.isoformat(timespec='seconds')}"


class UnexpectedError(MayPassError):
    """Something ended the delivery that isn't an error of this package: named by type, for it may quote a record."""


class OutputError(MayPassError):
    """The fates can't be written: a full disk, a path that is no folder, missing permission."""


def unexpected(error: BaseException) -> UnexpectedError:
    """Return what a task may say of an error that isn't one of this package: its type."""
    made = UnexpectedError(f"{type(error).__name__} ended the delivery; what was delivered stays on record")
    made.__cause__ = error
    return made
