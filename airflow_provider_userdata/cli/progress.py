"""Shows on a terminal how far long work is."""

from __future__ import annotations

import sys

from airflow_provider_userdata.delivery import Status


class Progress:
    """Writes one line that changes, if errors go to a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def started(self, status: Status) -> None:
        """Show nothing yet: most work is short."""

    def progressed(self, status: Status) -> None:
        """Show how many records were read, and which share that is if it is known."""
        share = f" of {status.total:,}" if status.total else ""
        left = "" if status.seconds_left is None else f", {status.seconds_left:,.0f} s left"
        self._write(f"{status.report.read:,}{share} records so far, {status.report.rejected:,} rejected{left}")

    def ended(self, status: Status, error: BaseException | None) -> None:  # noqa: ARG002  # an observer's
        """Remove the line."""
        self._write("")

    def _write(self, text: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
