"""Crashes of a process, without a process."""

from __future__ import annotations

NEVER = 10**9


class Crash(SystemExit):
    """The process is gone: nothing that runs after this reaches a disk, a ledger or a store."""


class Steps:
    """Counts down the steps until a crash.

    :param left: the number of the step that crashes; so do all later ones, as a dead process takes none.
    """

    def __init__(self, left: int = NEVER) -> None:
        self.left = left

    def __call__(self) -> None:
        """Take a step, or crash."""
        self.left -= 1
        if self.left <= 0:
            raise Crash
