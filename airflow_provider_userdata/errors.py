"""Everything that this package raises, sorted by what the caller can do about it.

    UserdataError
    ├── FixAndRun            change something, then run again; a retry alone can't help
    │   ├── ArgumentError            a task's argument, in the DAG file
    │   ├── ConnectionSettingsError  the Airflow connection
    │   ├── SourceError              the data's place or shape
    │   ├── RejectsError             more rejects than the task allows
    │   └── RefusedError             the vendor refuses the credentials, the address or everything
    └── RunAgain             a retry may help
        ├── SourceBrokeError         the source failed while it was read
        ├── OutputError              the fates can't be written
        ├── VendorDownError          the vendor can't be reached, or takes no requests for now
        └── StoppedError             the delivery was told to stop

Messages name the connection, the argument, the rule and the position; never a record's content or a credential.
"""

from __future__ import annotations


class UserdataError(Exception):
    """The root of all errors of this package."""

    retriable = False


class FixAndRun(UserdataError):
    """Something has to change first: the task fails without a retry."""


class ArgumentError(FixAndRun):
    """A task's argument has a value that can't work."""


class ConnectionSettingsError(FixAndRun):
    """An Airflow connection lacks something or holds what can't work."""


class SourceError(FixAndRun):
    """A source can't be read as it was named: no such file, no such column, a shape that isn't records."""


class RejectsError(FixAndRun):
    """More records were rejected or are unknown than `max_rejected` allows."""


class RefusedError(FixAndRun):
    """The vendor refuses the credentials, the address, or every request."""


class RunAgain(UserdataError):
    """A later attempt may succeed: the task fails in the way that Airflow retries."""

    retriable = True


class SourceBrokeError(RunAgain):
    """The source failed in the middle of being read."""


class VendorDownError(RunAgain):
    """The vendor can't be reached, or takes no requests for now."""


class StoppedError(RunAgain):
    """The delivery was told to stop before it was done."""


class OutputError(RunAgain):
    """The fates can't be written: a full disk, a path that is no folder, missing permission."""
