"""The files of held records in a task's folder, on a disk or in an object store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from airflow_provider_userdata.delivery.carry_over.claims import fresh_listing
from airflow_provider_userdata.delivery.carry_over.held_lines import HeldRecord, records_in, written
from airflow_provider_userdata.delivery.recording import PRIVATE_FILE, is_local, make_private_folder
from airflow_provider_userdata.errors import OutputError

_BLOCK = 2**20
"""Bytes that are read at once."""
_IDENTITY = ".identity"
_MAX_AGE = ".max-age"
_PART = ".part"


def is_part(name: str) -> bool:
    """Return whether a file is being written, or was when its process was killed."""
    return name.startswith(".") and name.endswith(_PART)


class HeldFiles:
    """The files in one folder. All methods block, and raise OSError unless they say otherwise.

    :param folder: a `pathlib.Path` or an `ObjectStoragePath`.
    """

    def __init__(self, folder: Any) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def usable(self) -> Iterator[None]:
        """Turn an OSError into an `OutputError` that names the folder."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            where = f"the folder of held records, {self._folder}"
            raise OutputError(f"output_path: {where}, can't be used: {reason}") from error

    def oldest_first(self, wanted: Callable[[str], bool]) -> list[Any]:
        """Return the paths of files, in the order in which they were written.

        :param wanted: says by its name whether a file is.
        """
        aged: list[tuple[float, str]] = []
        for path in fresh_listing(self._folder):
            if wanted(path.name):
                with contextlib.suppress(FileNotFoundError):  # another run was faster
                    aged.append((path.stat().st_mtime, path.name))
        return [self._folder / name for _, name in sorted(aged)]

    def read(self, name: str) -> list[HeldRecord]:
        """Return the records of a file; raise FileNotFoundError if it is gone."""
        with self.opened(name) as records:
            return list(records)

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[Iterator[HeldRecord]]:
        """Open a file, and give its records one after the other; raise FileNotFoundError if it is gone."""
        path = self._folder / name
        with path.open("rb") as file:
            yield records_in(_lines(file), path.stat().st_mtime)

    def write(self, name: str, records: Iterable[HeldRecord]) -> None:
        """Write a file, in place of one of the same name, so that a run that claims it finds it complete."""
        self._write(name, written(records))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / name).unlink()

    def identity(self) -> str | None:
        """Return the folder's own name, which tells it from the same path on another machine; None if it has none."""
        return self._note(_IDENTITY)

    def name(self, identity: str) -> None:
        """Give the folder a name of its own, unless it has one."""
        if self.identity() is None:
            self._write(_IDENTITY, [identity.encode()])

    def max_age(self) -> float | None:
        """Return after how many days held records are rejected, by the run that held some last; None if never."""
        with contextlib.suppress(ValueError):
            return float(self._note(_MAX_AGE) or "")
        return None

    def note_max_age(self, days: float | None) -> None:
        """Note after how many days held records are rejected, for people who list them."""
        if days == self.max_age():
            return
        if days is None:
            self.remove(_MAX_AGE)
        else:
            self._write(_MAX_AGE, [repr(days).encode()])

    def _note(self, name: str) -> str | None:
        with contextlib.suppress(OSError), (self._folder / name).open("rb") as file:
            return str(file.read().decode())
        return None

    def _write(self, name: str, pieces: Iterable[bytes]) -> None:
        path = self._folder / name
        if is_local(path):
            make_private_folder(path.parent)
            part = path.with_name(f".{name}{_PART}")
            part.touch(mode=PRIVATE_FILE)
            with part.open("wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())  # else a power failure could leave an empty file under the new name
            part.replace(path)
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(pieces)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's lines without their ends: clients of stores read blocks faster than lines."""
    rest = b""
    while block := file.read(_BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest
