"""Files of lines that only grow: appended to on a file system, written in numbered parts in an object store."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

from airflow_provider_userdata.delivery.recording.integrity import check_file, check_folder
from airflow_provider_userdata.delivery.recording.store_path import StorePath
from airflow_provider_userdata.errors import OutputError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

Folder = Path | StorePath


def is_local(path: object) -> TypeGuard[Path]:
    """Return whether a path is on this machine; in some Airflow versions, one in an object store is a `Path`, too."""
    return isinstance(path, os.PathLike) and not hasattr(type(path), "fs")


def open_log(folder: Folder, name: str) -> AppendLog:
    """Open a file of lines in a folder, by its name without the ending."""
    return LocalLog(folder / f"{name}.jsonl") if is_local(folder) else SegmentedLog(folder, name)


def read_log(folder: Folder, name: str, since: int) -> Iterator[bytes]:
    """Yield the lines after a seal, without a torn last one.

    :raises FileNotFoundError: if the file doesn't exist.
    """
    if is_local(folder):
        with (folder / f"{name}.jsonl").open("rb") as file:
            file.seek(since)
            yield from (line for line in file if line.endswith(b"\n"))
        return
    for number in itertools.count(since + 1):
        part = folder / _part_name(name, number)
        if number > 1 and not part.exists():
            return
        with part.open("rb") as file:
            yield from file.read().splitlines()


def numbered_lines(folder: Folder, name: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield all lines, each after its file's name and its number there, from 1.

    :raises FileNotFoundError: if the file doesn't exist.
    """
    if is_local(folder):
        yield from _numbered(folder, f"{name}.jsonl")
        return
    for number in itertools.count(1):
        part = _part_name(name, number)
        if number > 1 and not (folder / part).exists():
            return
        yield from _numbered(folder, part)


def _numbered(folder: Folder, file: str) -> Iterator[tuple[str, int, bytes]]:
    with (folder / file).open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            yield file, number, line


def least_sizes(folder: Folder, seals: Mapping[str, int]) -> dict[str, int]:
    """Return the least number of bytes of each file, by its name, of files of lines up to their seals."""
    if is_local(folder):
        return {f"{name}.jsonl": seal for name, seal in seals.items() if seal}
    return {_part_name(name, number): 1 for name, seal in seals.items() for number in range(1, seal + 1)}


def reached(folder: Folder, name: str) -> int:
    """Return how many bytes a file has; 0 if it doesn't exist, or is in parts that would have to be listed."""
    with contextlib.suppress(OSError):
        if is_local(folder):
            return (folder / f"{name}.jsonl").stat().st_size
    return 0


def cut_log(folder: Folder, name: str, after: int) -> None:
    """Remove the lines after a seal."""
    if is_local(folder):
        if reached(folder, name) > after:
            os.truncate(folder / f"{name}.jsonl", after)
        return
    while (part := folder / _part_name(name, after := after + 1)).exists():
        part.unlink()


class LocalLog:
    """A file on this machine, created with its first line: mode 0600, in folders of mode 0700."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._bytes = 0
        self._torn = False  # the last line may have been written in part

    @property
    def path(self) -> str | None:
        """Where the lines are; None where there are none."""
        return None if self._file is None else str(self._path)

    def create(self) -> None:
        """Create the file now, so that a place that can't be written to shows before the first request.

        :raises OutputError: if it can't be created.
        """
        with _writing(self._path):
            make_private_folder(self._path.parent)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)

    def append(self, line: bytes) -> None:
        """Add a line, or several with line breaks between them.

        :raises OutputError: if it can't be written.
        """
        if self._file is None:
            self.create()
        data = b"\n" * self._torn + line + b"\n"
        self._torn = True
        try:  # not `_writing`, which would cost more than the write
            while data:
                written = os.write(self._file, data)  # type: ignore[arg-type]  # created above
                self._bytes += written
                data = data[written:]
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        self._torn = False

    def seal(self) -> int:
        """Return how far the file goes now, for `read_log`: the bytes written so far."""
        return self._bytes

    def flush(self) -> None:
        """Write everything to disk, and check that the file is still there.

        :raises OutputError: if it can't be written, or isn't there.
        """
        if self._file is not None:
            with _writing(self._path):
                os.fdatasync(self._file)
            self.check()

    def check(self) -> None:
        """Check that the path leads to the file, with everything that was written.

        :raises OutputError: if it doesn't.
        """
        if self._file is not None:
            check_file(self._path, self._file, self._bytes)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with _writing(self._path):
                os.close(self._file)


class SegmentedLog:
    """Numbered files, a new one at each flush, because an object store can't append."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder = folder
        self._name = name
        self._waiting: list[bytes] = []
        self._sealed: list[tuple[str, bytes]] = []
        self._parts = 0
        self._written: dict[str, int] = {}

    @property
    def path(self) -> str | None:
        """Where the lines are, as a glob over the parts; None where there are none."""
        return str(self._folder / f"{self._name}-*.jsonl") if self._parts or self._waiting else None

    def create(self) -> None:
        """Create the folder."""
        with _writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)

    def append(self, line: bytes) -> None:
        """Add a line, to be written with the next flush."""
        self._waiting.append(line + b"\n")

    def seal(self) -> int:
        """Make a part of the waiting lines, written with the next flush; return the number of parts."""
        if self._waiting:
            self._parts += 1
            self._sealed.append((_part_name(self._name, self._parts), b"".join(self._waiting)))
            self._waiting = []
        return self._parts

    def flush(self) -> None:
        """Write each sealed part as a file."""
        while self._sealed:
            name, text = self._sealed[0]
            part = self._folder / name
            with _writing(part):
                self._folder.mkdir(parents=True, exist_ok=True)
                with part.open("wb") as file:
                    file.write(text)
            self._written[name] = len(text)
            self._sealed.pop(0)

    def check(self) -> None:
        """Check that all parts are there, with one listing of the folder."""
        check_folder(self._folder, self._written)

    def close(self) -> None:
        """Write what is waiting."""
        self.seal()
        self.flush()


AppendLog = LocalLog | SegmentedLog
"""A file of lines. `append` and `seal` are called on the loop; the other methods block."""


def _part_name(name: str, number: int) -> str:
    return f"{name}-{number:05d}.jsonl"


def make_private_folder(folder: Path) -> None:
    """Create a folder, and the missing ones above it, for this user only."""
    if not folder.exists():
        make_private_folder(folder.parent)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


@contextlib.contextmanager
def _writing(path: Folder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Folder, error: OSError) -> OutputError:
    return OutputError(f"output_path: {path} can't be written: {error.strerror or type(error).__name__}")
