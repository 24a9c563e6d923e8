"""Detects that this process has lost its supervisor: left alone, it would send at the same time as its own retry."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from airflow_provider_userdata.errors import OrphanedError

WATCH_SECONDS = 1.0
"""How often a delivery looks whether it is still supervised."""


class Supervisor:
    """The process that started this one and watches over it.

    A process whose parent has ended gets another parent, so a changed parent shows it; process 1 alone doesn't, since
    it may be the supervisor in a container. With `run_as_user`, `sudo` stands between the two and outlives the
    supervisor, so the parent of `sudo` is watched, too.

    :param longest_silence: seconds without a checkpoint that could be saved, after which the supervisor's side counts
        this process as dead, and may start another attempt.
    """

    def __init__(self, longest_silence: float) -> None:
        self._longest_silence = longest_silence
        self._line = [os.getppid()]
        while _name(self._line[-1]) == "sudo" and (above := _parent(self._line[-1])) is not None:
            self._line.append(above)

    def missed(self, unsaved: float) -> OrphanedError | None:
        """Return why this process is to stop, or None, by the seconds that a checkpoint waits to be saved."""
        if os.getppid() != self._line[0] or any(_parent(below) != above for below, above in pairwise(self._line)):
            return OrphanedError(
                f"the process that supervised the task (pid {self._line[-1]}) is gone, and Airflow may start another "
                "attempt at any time: this one stops, so that nothing is sent twice"
            )
        if unsaved > self._longest_silence:
            return OrphanedError(
                f"no checkpoint could be saved for {unsaved:.0f} s, after which Airflow takes the task for dead and "
                "may start another attempt: this one stops, so that nothing is sent twice"
            )
        return None


def _name(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
