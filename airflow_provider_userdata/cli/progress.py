"""Shows on a terminal how far long work is."""

from __future__ import annotations

import os
import shutil
import sys
import time
from types import TracebackType

from airflow_provider_userdata.delivery import Status

QUIET_SECONDS = 0.5
"""Work that takes no longer than this shows nothing."""
SECONDS_BETWEEN = 0.1
"""How often the line may change."""
_BAR = 20
"""Characters of a bar."""


class Line:
    """A line that changes, if errors go to a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def write(self, text: str) -> None:
        """Show a text in place of the one before; an empty one removes it."""
        if self._shown:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:width]}")
            sys.stderr.flush()


class Bar:
    """Shows which share of the work is done, and what time is left.

    :param what: what is done, such as `Reading 12 runs`.
    :param total: how much work there is, in any unit.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._line = Line()
        self._began = time.monotonic()
        self._next = self._began + QUIET_SECONDS

    def add(self, done: int) -> None:
        """Note that more is done."""
        self._done += done
        if (now := time.monotonic()) >= self._next:
            self._next = now + SECONDS_BETWEEN
            self._line.write(bar(self._what, self._done, self._total, now - self._began))

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Remove the line."""
        if self._next > self._began + QUIET_SECONDS:
            self._line.write("")


def bar(what: str, done: int, total: int, seconds: float) -> str:
    """Return the line that says how far work is, after some seconds."""
    share = min(done / total, 1.0) if total else 1.0
    filled = int(share * _BAR)
    left = f", {seconds / share * (1 - share):,.0f} s left" if share else ""
    return f"{what} [{'#' * filled}{'.' * (_BAR - filled)}] {share:.0%}{left}"


class Progress:
    """Shows how far a delivery is.

    :param sends: whether it sends records; else it checks them.
    """

    def __init__(self, *, sends: bool = False) -> None:
        self._sends = sends
        self._line = Line()

    def started(self, status: Status) -> None:
        """Show nothing yet: most work is short."""

    def progressed(self, status: Status) -> None:
        """Show how many records were read, and which share that is if it is known."""
        report = status.report
        share = f" of {status.total:,}" if status.total else ""
        sent = f", {report.delivered:,} delivered" if self._sends else ""
        left = "" if status.seconds_left is None else f", {status.seconds_left:,.0f} s left"
        self._line.write(f"{report.read:,}{share} records so far{sent}, {report.rejected:,} rejected{left}")

    def ended(self, status: Status, error: BaseException | None) -> None:  # noqa: ARG002  # an observer's
        """Remove the line."""
        self._line.write("")
