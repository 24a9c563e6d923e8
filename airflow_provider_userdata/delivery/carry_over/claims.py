"""Claims on files, on a disk or in an object store: only one process can make a claim, and has the file to itself.

A claim is a small file beside the claimed one, with a number in its name. To take a file over, a process makes the
claim with the next number. The highest number counts, and only one of two processes can make it.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import socket
import time
import uuid
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.recording import PRIVATE_FILE, is_local

MARK = ".claim-"
"""Stands in a claim's name between those of the file and of the claim."""
SILENCE = 60.0
"""Seconds without a renewal after which a process on another machine may be gone."""

_log = logging.getLogger(__name__)


class Claimant(msgspec.Struct, frozen=True):
    """The run and process that made a claim.

    :param run: the Airflow run.
    :param index: which of its mapped tasks, or an empty text.
    :param first: the position that the file's first record has there.
    :param host: the machine.
    :param pid: the process.
    :param renewed: when the process showed last that it was alive, in seconds since 1970.
    """

    run: str
    index: str
    first: int = 0
    host: str = msgspec.field(default_factory=socket.gethostname)
    pid: int = msgspec.field(default_factory=os.getpid)
    renewed: float = msgspec.field(default_factory=time.time)

    @property
    def silence(self) -> float:
        """Seconds since the process showed that it was alive; infinite if it was on this machine and is gone."""
        if self.host == socket.gethostname() and not _is_there(self.pid):
            return float("inf")
        return time.time() - self.renewed


class FileClaim(msgspec.Struct, frozen=True):
    """A claim on a file, with the run and process that made it; None if that can't be read."""

    number: int
    by: Claimant | None


class Claims:
    """The claims in a folder, a `Path` or an `ObjectStoragePath`. All methods block, and raise OSError."""

    def __init__(self, folder: Any) -> None:
        self._folder = folder

    def listed(self) -> dict[str, list[FileClaim]]:
        """Return the claims by the file's name, in the order of their numbers."""
        found: dict[str, list[FileClaim]] = {}
        for path in fresh_listing(self._folder):
            file, mark, number = path.name.partition(MARK)
            if mark and file[0] != ".":
                claim = FileClaim(int(number.partition(".")[0]), self._read(path))
                found.setdefault(file, []).append(claim)
        return {file: sorted(claims, key=lambda claim: claim.number) for file, claims in found.items()}

    def take(self, file: str, number: int, by: Claimant) -> bool:
        """Make a claim with the next number, unless another process was faster; return whether it was made."""
        if self._one_gets_it:
            return self._create(self._path(file, number), by)
        return self._take_if_alone(file, number, by)

    def renew(self, file: str, number: int, by: Claimant) -> None:
        """Show that the claim's process is alive."""
        path = self._path(file, number)
        if is_local(path):
            _part(path, by).replace(path)
        else:
            _write(path, by)

    def drop(self, file: str, numbers: list[int]) -> None:
        """Remove claims, the highest last, so that no lower one counts in between."""
        for number in sorted(numbers):
            with contextlib.suppress(FileNotFoundError):
                self._path(file, number).unlink()

    def _path(self, file: str, number: int) -> Any:
        return self._folder / f"{file}{MARK}{number:06d}"

    def _read(self, path: Any) -> Claimant | None:
        with contextlib.suppress(OSError, msgspec.MsgspecError), path.open("rb") as file:
            return msgspec.json.decode(file.read(), type=Claimant)
        return None

    def _create(self, path: Any, by: Claimant) -> bool:
        """Create a file if it doesn't exist: `If-None-Match: *` in S3, generation 0 in GCS, a link on a disk."""
        try:
            if is_local(path):
                part = _part(path, by)
                try:
                    os.link(part, path)  # there whole, or not at all
                finally:
                    part.unlink()
            else:
                _write(path, by, "xb")
        except FileExistsError:
            return False
        return True

    @functools.cached_property
    def _one_gets_it(self) -> bool:
        if is_local(self._folder) or self._keeps_conditions():
            return True
        _log.warning(
            "%s is in a store, or reached by a client, that knows no conditional writes: of two runs at once that want "
            "what is held there, both may leave it to a later run",
            self._folder,
        )
        return False

    def _keeps_conditions(self) -> bool:
        """Return whether the store refuses to overwrite: not every store does, and not every client asks for it."""
        probe, nobody = self._folder / f".probe-{uuid.uuid4().hex}", Claimant("", "")
        try:
            return self._create(probe, nobody) and not self._create(probe, nobody)
        except (ValueError, NotImplementedError):
            return False
        finally:
            with contextlib.suppress(FileNotFoundError):
                probe.unlink()

    def _take_if_alone(self, file: str, number: int, by: Claimant) -> bool:
        """Make a claim, and withdraw it if another process made one: if both withdraw, a later run takes the file."""
        path = self._path(file, number)
        token = self._folder / f"{path.name}.{uuid.uuid4().hex}"
        _write(token, by)
        # A listing shows what was written before: of two processes, at least the later one sees the other.
        tokens = [found.name for found in fresh_listing(self._folder) if found.name.startswith(path.name)]
        alone = tokens == [token.name]
        if alone:
            self.renew(file, number, by)
        token.unlink()
        return alone


def fresh_listing(folder: Any) -> list[Any]:
    """List a folder, never from a cache, which some clients of stores have."""
    if (store := getattr(folder, "fs", None)) is not None:
        store.invalidate_cache()
    return list(folder.iterdir()) if folder.exists() else []


def _write(path: Any, by: Claimant, mode: str = "wb") -> None:
    with path.open(mode) as file:
        file.write(msgspec.json.encode(by))


def _part(path: Path, by: Claimant) -> Path:
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    part.touch(mode=PRIVATE_FILE, exist_ok=False)
    _write(part, by)
    return part


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True
