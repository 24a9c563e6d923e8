"""What a run sends of the rejects of earlier runs: it has their folders to itself, and marks there what it did."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from airflow_provider_userdata.delivery.carry_over.claims import SILENCE, Claimant, Claims, FileClaim
from airflow_provider_userdata.delivery.recording import Marks, ReplayMarks, read_marks
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.errors import OutputError
from airflow_provider_userdata.records import ranges

CLAIMED = "replays"
"""Stands for all rejects of a folder in the claim's name."""
RENEW_SECONDS = 15.0
"""How often a run shows that it is alive."""


class Replay:
    """The rejects that one attempt sends again. Of several runs at once, one has a folder's rejects; others wait.

    What was delivered is marked before its receipt is written, so that no other run sends it again. A record that is
    rejected again gets no mark: it can be sent again, corrected in another way.

    :param run: names the run: an attempt finds the same rejects as an earlier attempt of its run.
    :param attempt: the name of this attempt.
    :param own: the folder of this run's own fates.
    """

    def __init__(self, run: str, attempt: str, own: str = "") -> None:
        self.run = run
        self.own = own
        self._attempt = attempt
        self._folders: dict[str, Any] = {}
        self._files: dict[str, tuple[str, str]] = {}
        self._earlier: dict[tuple[str, int], tuple[str, int]] = {}
        self._claimed: dict[str, int] = {}
        self._marks: dict[str, ReplayMarks] = {}
        self._opened = 0
        self._resuming = False
        self._renewed = time.monotonic()

    def __bool__(self) -> bool:
        return bool(self._folders)

    def add(self, folder: Any, files: Mapping[str, str]) -> None:
        """Add rejects that are to be sent again.

        :param folder: of a run, a `Path` or a `StorePath`.
        :param files: the names of its rejects files, by their paths.
        """
        self._folders[str(folder)] = folder
        self._files.update({path: (str(folder), name) for path, name in files.items()})

    def follow(self, file: str, line: int, earlier: str, earlier_line: int) -> None:
        """Note that a reject of a replay is an earlier reject, too: what becomes of it is marked there as well."""
        self._earlier[file, line] = earlier, earlier_line

    def claim(self, *, resuming: bool) -> str | None:
        """Claim the folders. Blocks.

        :param resuming: whether the attempt goes on where an earlier one of its run ended.
        :return: the run that has claimed one of them; None if this one has them all.
        :raises OutputError: if a folder can't be used.
        """
        self._resuming = resuming
        for key in sorted(self._folders):  # always in this order: no two runs wait for each other
            if key not in self._claimed and (other := self._claim(key)) is not None:
                return other
        return None

    def done_by(self, folder: Any) -> Marks:
        """Return what became of rejects that were sent again. Those that this attempt has to read anew are left out."""
        return read_marks(folder, but_of=self.run if self._resuming else None)

    def record(self, places: Iterable[tuple[str | None, int | None]], fate: Fate) -> None:
        """Mark what became of rejects, by their files' paths and their lines there. Other rows are ignored.

        :raises OutputError: if it can't be written.
        """
        ours = [(file, line) for file, line in places if file in self._files and line is not None]
        whole = [one for file, line in ours for one in self._all(file, line)]
        known = sorted((*self._files[file], line) for file, line in whole)
        for (key, name), found in groupby(known, key=lambda place: place[:2]):
            if key not in self._marks:
                self._opened += 1  # a delivery that starts over opens new ones: in a store, none is appended to
                self._marks[key] = ReplayMarks(self._folders[key], self.run, f"{self._attempt}.{self._opened}")
            self._marks[key].record(name, ranges([line for *_, line in found]), fate)

    def _all(self, file: str, line: int) -> Iterator[tuple[str, int]]:
        """Yield a reject, and the earlier rejects that it is."""
        place: tuple[str, int] | None = (file, line)
        while place is not None:
            yield place
            place = self._earlier.get(place)

    def flush(self) -> None:
        """Write the marks to disk. Blocks."""
        for marks in self._marks.values():
            marks.flush()

    def renew(self) -> None:
        """Show that the run is alive, if the last time was `RENEW_SECONDS` ago. Blocks."""
        if time.monotonic() < self._renewed + RENEW_SECONDS:
            return
        self._renewed = time.monotonic()
        with contextlib.suppress(OSError):
            for key, number in self._claimed.items():
                Claims(self._folders[key]).renew(CLAIMED, number, Claimant(self.run, ""))

    def close(self) -> None:
        """Write what is waiting, and let other runs have the folders. Blocks.

        :raises OutputError: if it can't be written.
        """
        for marks in self._marks.values():
            marks.close()
        for key, number in self._claimed.items():
            with _usable(key):
                Claims(self._folders[key]).drop(CLAIMED, [number])
        self._marks, self._claimed = {}, {}

    def _claim(self, key: str) -> str | None:
        """Claim a folder; return the run that has it, if it isn't free."""
        with _usable(key):
            claims = Claims(self._folders[key])
            there = claims.listed().get(CLAIMED, [])
            if there and not self._is_free(there[-1]):
                return _name(there[-1])
            number = there[-1].number + 1 if there else 1
            if not claims.take(CLAIMED, number, Claimant(self.run, "")):
                return "another one"
            claims.drop(CLAIMED, [claim.number for claim in there])
        self._claimed[key] = number
        return None

    def _is_free(self, claim: FileClaim) -> bool:
        """Return whether a claim is of an earlier attempt of this run, or of a process that is gone."""
        return claim.by is not None and (claim.by.run == self.run or claim.by.silence > SILENCE)


def _name(claim: FileClaim) -> str:
    return "another one" if claim.by is None else claim.by.run


@contextlib.contextmanager
def _usable(folder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"source: {folder}, where the rejects are, can't be written to: {reason}") from error
