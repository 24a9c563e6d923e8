"""The folder of records that are too few to be sent, for the task's next run (G4)."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
import uuid
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from airflow_provider_userdata.delivery.carry_over.claims import SILENCE, Claimant, Claims, FileClaim, fresh_listing
from airflow_provider_userdata.delivery.carry_over.held_files import HeldFiles
from airflow_provider_userdata.delivery.carry_over.held_lines import HeldRecord
from airflow_provider_userdata.delivery.carry_over.taken_over import TakenOver
from airflow_provider_userdata.delivery.recording import SpooledLines, is_local
from airflow_provider_userdata.errors import OutputError

LONGEST_RUN = 80
RENEW_SECONDS = 15.0
"""How often a run shows that it is alive, which has claimed records."""

_log = logging.getLogger(__name__)


class CarryOverFolder:
    """The folder of a task's held records, from any run. All methods block.

    A file is claimed, so that two runs never carry in the same records, and removed once the fates of its records are
    written. A file of an earlier attempt of this same run is superseded: this attempt reads those records from the
    source again. What a run had claimed that is over is taken over.

    :param folder: a `pathlib.Path` or an `ObjectStoragePath`.
    :param kind: what the records are, such as `steps`: only records of one kind may share a request.
    :param account: the fingerprint of where they go: a vendor's account may be one person's (G14).
    :param run: the Airflow run.
    :param index: which of a run's mapped tasks this is, or an empty text.
    :param run_folder: the folder of another run's fates, by its name and index; None takes nothing over.
    :param max_age: how many days a record may wait. Default: forever.
    :param now: returns the time, in seconds since 1970.
    """

    def __init__(
        self,
        folder: Any,
        kind: str,
        account: str,
        run: str,
        index: str = "",
        run_folder: Callable[[str, str], Any] | None = None,
        *,
        max_age: float | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._files = HeldFiles(folder)
        self._claims = Claims(folder)
        self._now = now
        self._since = array("d")
        self._stream = f"{quote(kind, safe='')}-{account}"
        self._whole_run = _file_name(run)
        self._run = f"{self._whole_run}@{index}" if index else self._whole_run
        self._me = run, index
        self._taken_over = TakenOver(run_folder)
        self._claimed: dict[str, list[FileClaim]] = {}
        self._renewed = time.monotonic()
        self.max_age = max_age
        """How many days a record may wait; None if forever."""
        self.path = str(folder)
        """Where the folder is."""
        self.over: Collection[tuple[str, str]] = ()
        """The runs that are over, as `(run, index)`: what they have claimed may be taken over."""
        self.in_doubt: list[int] = []
        """Which of the claimed records a run that is over may have delivered, by their position."""
        self.has_claimed = False
        """Whether earlier runs had left anything."""

    def identity(self) -> str | None:
        """Return the folder's own name, which tells it from the same path on another machine; None if it has none."""
        return self._files.identity()

    def claimants(self) -> dict[tuple[str, str], float]:
        """Return the other runs that have claimed records of this kind and account, as `(run, index)`.

        :return: with the seconds since each showed that it was alive.
        :raises OutputError: if the folder can't be read.
        """
        with self._files.usable():
            listed = self._claims.listed()
        last = [claims[-1].by for file, claims in listed.items() if self._is_of_stream(file)]
        runs = {(by.run, by.index): time.time() - by.renewed for by in last if by is not None}
        return {run: seconds for run, seconds in runs.items() if run != self._me}

    def count(self) -> int:
        """Count the records that wait for the next run."""
        return self._count(self._is_of_stream)

    def count_others(self) -> int:
        """Count the records that wait, but were held for another account, or are of another kind."""
        return self._count(lambda name: name.endswith(".jsonl") and name[0] != "." and not self._is_of_stream(name))

    def claim(self, *, resuming: bool = False) -> SpooledLines:
        """Claim what earlier runs left, and return the bodies of the records, oldest first.

        :param resuming: whether to claim only what an earlier attempt had claimed, so that positions stay the same.
        """
        try:
            with self._files.usable():
                return self._claim(resuming=resuming)
        except OutputError:
            with contextlib.suppress(OutputError):
                self.release(read=False, complete=False)
            self._claimed = {}  # must not be removed: they were not read
            raise

    def renew(self) -> None:
        """Show that the run is alive, if the last time was `RENEW_SECONDS` ago."""
        if time.monotonic() < self._renewed + RENEW_SECONDS:
            return
        self._renewed = time.monotonic()
        with contextlib.suppress(OSError):
            for file, (*_, last) in self._claimed.items():
                first = last.by.first if last.by is not None else 0
                self._claims.renew(file, last.number, Claimant(*self._me, first))

    def keep(self, bodies: Collection[bytes]) -> None:
        """Keep records of this run's source for the next run."""
        if bodies:
            self._keep(f"run-{self._run}", (HeldRecord(body, self._now()) for body in bodies))

    def keep_on(self, bodies: Iterable[tuple[int, bytes]]) -> None:
        """Keep records that were carried in for the next run: they wait as long already as they do.

        :param bodies: each with its position; at least one.
        """
        known, now = len(self._since), self._now()
        records = (HeldRecord(body, self._since[place] if place < known else now) for place, body in bodies)
        self._keep("carried", records)  # apart: a source doesn't have them again

    def days(self, position: int) -> float | None:
        """Return for how many days a record that was carried in has waited; None if that isn't known."""
        return HeldRecord(b"", self._since[position]).days(self._now()) if position < len(self._since) else None

    def is_too_old(self, position: int) -> bool:
        """Return whether a record that was carried in has waited for longer than it may."""
        days = self.days(position)
        return self.max_age is not None and days is not None and days > self.max_age

    def release(self, *, read: bool, complete: bool) -> None:
        """Release the claims: remove the files whose records have a fate, and leave the others to later runs.

        :param read: whether the records that were carried in were read, and so have a fate.
        :param complete: whether the source was read to its end, so that what this run held before is superseded.
        """
        with self._files.usable():
            for file, claims in self._claimed.items():
                if complete if self._is_own(file) else read:
                    self._files.remove(file)
                    self._claims.drop(file, [claim.number for claim in claims])
                else:
                    self._claims.drop(file, [claims[-1].number])
        self._claimed = {}

    def release_all(self) -> None:
        """Remove what an attempt of this run had claimed that crashed after the run was complete."""
        with self._files.usable():
            listed = self._claims.listed()
        self._claimed = {
            file: claims for file, claims in listed.items() if self._is_of_stream(file) and self._is_mine(claims[-1])
        }
        self.release(read=True, complete=True)

    def _keep(self, origin: str, records: Iterable[HeldRecord]) -> None:
        with self._files.usable():
            self._files.write(self._free_name(origin), records)
            self._files.name(uuid.uuid4().hex)
            self._files.note_max_age(self.max_age)

    def _count(self, counts: Callable[[str], bool]) -> int:
        count = 0
        with self._files.usable():
            claimed = self._claims.listed()
            for path in fresh_listing(self._folder):
                if counts(path.name) and path.name not in claimed:
                    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # another run was faster
                        count += len(file.read().splitlines())
        return count

    def _free_name(self, origin: str) -> str:
        """Return a file name that nobody has claimed; a repeated attempt gets the same one, and replaces the file."""
        beginning = f"{self._stream}-{origin}-{_digest(self._run)}"
        claimed = self._claims.listed()
        name, number = f"{beginning}.jsonl", 0
        while name in claimed:
            number += 1
            name = f"{beginning}.{number}.jsonl"
        return name

    def _is_of_stream(self, name: str) -> bool:
        return name.startswith(f"{self._stream}-") and name.endswith(".jsonl")

    def _is_mine(self, claim: FileClaim) -> bool:
        return claim.by is not None and (claim.by.run, claim.by.index) == self._me

    def _is_own(self, name: str) -> bool:
        return name.rpartition("-")[0] == f"{self._stream}-run-{self._run}"

    def _is_of_this_run(self, name: str) -> bool:
        """Return whether another mapped task of this run left a file: cleared, it would read those records again."""
        origin, whole = name.rpartition("-")[0], f"{self._stream}-run-{self._whole_run}"
        return origin == whole or origin.startswith(f"{whole}@")

    def _claim(self, *, resuming: bool) -> SpooledLines:
        claims = self._claims.listed()
        bodies = SpooledLines(self._folder if is_local(self._folder) else None)
        self.in_doubt, self._since = [], array("d")
        for path in self._files.oldest_first(self._is_of_stream):
            name, earlier = path.name, claims.get(path.name, [])
            if not earlier or not self._is_mine(earlier[-1]):
                foreign = not self._is_own(name) and (resuming or self._is_of_this_run(name))
                if foreign or not self._is_free(name, earlier, resuming=resuming):
                    continue
                earlier = self._taken(name, earlier, len(bodies))
                if not earlier:
                    continue  # another run was faster
            self._carry_in(path, earlier, bodies)
        return bodies

    def _is_free(self, name: str, claims: list[FileClaim], *, resuming: bool) -> bool:
        """Return whether nobody has claimed a file, or only a run that is over and whose process is gone."""
        if not claims:
            return True
        by = claims[-1].by
        if by is not None and not resuming and (by.run, by.index) in self.over and by.silence > SILENCE:
            _log.warning("Takes over held records that run %s had claimed: it is over, and left them", by.run)
            return True
        _log.info("%s stays with the run that has claimed it: %s", name, "nobody knows which" if by is None else by.run)
        return False

    def _taken(self, name: str, earlier: list[FileClaim], first: int) -> list[FileClaim]:
        """Claim a file; return all claims on it, or none if another run was faster."""
        by, number = Claimant(*self._me, first), earlier[-1].number + 1 if earlier else 1
        return [*earlier, FileClaim(number, by)] if self._claims.take(name, number, by) else []

    def _carry_in(self, path: Any, claims: list[FileClaim], bodies: SpooledLines) -> None:
        """Add the records of a claimed file, without those that have a fate from an earlier run."""
        try:
            with self._files.opened(path.name) as records:
                self._claimed[path.name] = claims
                self.has_claimed = True
                if not self._is_own(path.name):
                    self._add_left(records, [claim.by for claim in claims[:-1]], bodies)
        except FileNotFoundError:  # another run was through with it
            self._claims.drop(path.name, [claims[-1].number])

    def _add_left(self, records: Iterator[HeldRecord], before: list[Claimant | None], bodies: SpooledLines) -> None:
        left: Iterable[HeldRecord] = records
        if any(before):
            left, doubtful = self._taken_over.left_of(list(records), before)
            self.in_doubt += [len(bodies) + place for place in doubtful]

        def noted() -> Iterator[bytes]:
            for one in left:
                self._since.append(one.since)
                yield one.body

        bodies.extend(noted())


def _file_name(run: str) -> str:
    """Return a run's name, shortened so that a file name of 255 bytes can contain it twice."""
    name = quote(run, safe="")
    return name if len(name) <= LONGEST_RUN else f"{name[: LONGEST_RUN // 2]}~{_digest(run)}"


def _digest(run: str) -> str:
    return hashlib.blake2b(run.encode(), digest_size=16).hexdigest()
