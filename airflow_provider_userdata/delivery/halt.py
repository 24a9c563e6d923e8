"""Ends a run early: the one owner of the reason, and of the event that all tasks wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from airflow_provider_userdata.errors import unexpected
from airflow_provider_userdata.vendors import LEFT_AT_THE_END


class Halt:
    """Whether a run is to end, and why. Used on the loop."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        """Set once nothing more may be read or sent."""
        self.error: Exception | None = None
        """Why the run ends early; None if nothing went wrong."""
        self.rule = LEFT_AT_THE_END
        """The rule under which unsent records are held."""
        self._wakes: list[Callable[[], object]] = []

    def wakes(self, *calls: Callable[[], object]) -> None:
        """Add calls that wake waiting tasks that don't wait for the event."""
        self._wakes += calls

    def halt(self, error: BaseException, rule: str = LEFT_AT_THE_END) -> None:
        """Let nothing more be read or sent; the first reason counts."""
        if self.error is None:
            self.error, self.rule = error if isinstance(error, Exception) else unexpected(error), rule
        self.event.set()
        for wake in self._wakes:
            wake()
