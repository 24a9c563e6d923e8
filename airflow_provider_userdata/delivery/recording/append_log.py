"""Files of lines that only grow: appended to on a file system, written in numbered parts in an object store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol, Self, TypeGuard

from airflow_provider_userdata.delivery.recording.integrity import check_file, check_folder
from airflow_provider_userdata.errors import OutputError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


class Folder(Protocol):
    """A folder on a file system or in an object store, such as `pathlib.Path` or `StorePath`."""

    def __truediv__(self, name: str, /) -> Self:
        """Return a path below."""

    def mkdir(self, mode: int = ..., parents: bool = ..., exist_ok: bool = ...) -> None:  # pathlib's
        """Create the folder."""

    def open(self, mode: str = ...) -> IO[Any]:
        """Open the path as a file."""

    @property
    def name(self) -> str:
        """The last part of the path."""

    def exists(self) -> bool:
        """Return whether the file or folder exists."""

    def iterdir(self) -> Iterator[Self]:
        """Yield the paths in the folder."""

    def unlink(self) -> None:
        """Remove the file."""


class AppendLog(Protocol):
    """A file of lines. `append` and `seal` are called on the loop; the other methods block."""

    @property
    def path(self) -> str | None:
        """Where the lines are; None where there are none."""

    def create(self) -> None:
        """Create the file or folder now, so that a place that can't be written to shows before the first request.

        :raises OutputError: if it can't be created.
        """

    def append(self, line: bytes) -> None:
        """Add a line, or several with line breaks between them.

        :raises OutputError: if it can't be written.
        """

    def seal(self) -> int:
        """Return how far the file goes now, for `read_log`; the next flush makes all of it durable."""

    def flush(self) -> None:
        """Make durable what was sealed.

        :raises OutputError: if it can't be written.
        """

    def check(self) -> None:
        """Check that everything that was flushed is still there.

        :raises OutputError: if it isn't.
        """

    def close(self) -> None:
        """Write what is waiting, and close the file."""


def is_local(path: object) -> TypeGuard[Path]:
    """Return whether a path is on this machine; in some Airflow versions, one in an object store is a `Path`, too."""
    return isinstance(path, os.PathLike) and not hasattr(type(path), "fs")


def open_log(folder: Folder, name: str) -> AppendLog:
    """Open a file of lines in a folder.

    :param name: the file's name without its ending.
    """
    return LocalLog(folder / f"{name}.jsonl") if is_local(folder) else SegmentedLog(folder, name)


def read_log(folder: Folder, name: str, since: int) -> Iterator[bytes]:
    """Yield the lines after a seal, without a torn last one.

    :raises FileNotFoundError: if the file doesn't exist.
    """
    if is_local(folder):
        with (folder / f"{name}.jsonl").open("rb") as file:
            file.seek(since)
            for line in file:
                if line.endswith(b"\n"):
                    yield line
        return
    while True:
        since += 1
        part = folder / _part_name(name, since)
        if since > 1 and not part.exists():
            return
        with part.open("rb") as file:
            yield from file.read().splitlines()


def journal_files(folder: Folder, name: str, until: int) -> dict[str, int]:
    """Return the names of the files up to a seal, with the least number of bytes of each."""
    if is_local(folder):
        return {f"{name}.jsonl": until} if until else {}
    return {_part_name(name, number): 1 for number in range(1, until + 1)}


def reached(folder: Folder, name: str) -> int:
    """Return how many bytes a file has; 0 if it doesn't exist, or is in parts that would have to be listed."""
    if not is_local(folder):
        return 0
    try:
        return (folder / f"{name}.jsonl").stat().st_size
    except OSError:
        return 0


def cut_log(folder: Folder, name: str, after: int) -> None:
    """Remove the lines after a seal."""
    if is_local(folder):
        path = folder / f"{name}.jsonl"
        if path.exists() and path.stat().st_size > after:
            os.truncate(path, after)
        return
    while (part := folder / _part_name(name, after := after + 1)).exists():
        part.unlink()


def remove_logs(folder: Folder, beginning: str) -> None:
    """Remove all files of a folder whose names begin with a text."""
    if folder.exists():
        for path in list(folder.iterdir()):
            if path.name.startswith(beginning):
                path.unlink()


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
        """Create the file now, and the folders above it."""
        try:
            make_private_folder(self._path.parent)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        except OSError as error:
            raise _cannot_write(str(self._path), error) from error

    def append(self, line: bytes) -> None:
        """Add a line."""
        if self._file is None:
            self.create()
        data = b"\n" * self._torn + line + b"\n"
        self._torn = True
        try:
            while data:
                written = os.write(self._file, data)  # type: ignore[arg-type]  # created above
                self._bytes += written
                data = data[written:]
        except OSError as error:
            raise _cannot_write(str(self._path), error) from error
        self._torn = False

    def seal(self) -> int:
        """Return the bytes written so far."""
        return self._bytes

    def flush(self) -> None:
        """Write everything to disk, and check that the file is still there."""
        if self._file is not None:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                raise _cannot_write(str(self._path), error) from error
            self.check()

    def check(self) -> None:
        """Check that the path leads to the file, with everything that was written."""
        if self._file is not None:
            check_file(self._path, self._file, self._bytes)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            try:
                os.close(self._file)
            except OSError as error:
                raise _cannot_write(str(self._path), error) from error


class SegmentedLog:
    """Numbered files, a new one at each flush, because an object store can't append."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder = folder
        self._name = name
        self._waiting: list[bytes] = []
        self._sealed: list[tuple[int, bytes]] = []
        self._parts = 0
        self._written: dict[str, int] = {}

    @property
    def path(self) -> str | None:
        """Where the lines are, as a glob over the parts; None where there are none."""
        return str(self._folder / f"{self._name}-*.jsonl") if self._parts or self._waiting else None

    def create(self) -> None:
        """Create the folder."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(str(self._folder), error) from error

    def append(self, line: bytes) -> None:
        """Add a line, to be written with the next flush."""
        self._waiting.append(line + b"\n")

    def seal(self) -> int:
        """Make a part of the waiting lines, written with the next flush; return the number of parts."""
        if self._waiting:
            lines, self._waiting = self._waiting, []
            self._parts += 1
            self._sealed.append((self._parts, b"".join(lines)))
        return self._parts

    def flush(self) -> None:
        """Write each sealed part as a file."""
        while self._sealed:
            number, text = self._sealed[0]
            name = _part_name(self._name, number)
            part = self._folder / name
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                with part.open("wb") as file:
                    file.write(text)
            except OSError as error:
                raise _cannot_write(str(part), error) from error
            self._written[name] = len(text)
            self._sealed.pop(0)

    def check(self) -> None:
        """Check that all parts are there, with one listing of the folder."""
        check_folder(self._folder, self._written)

    def close(self) -> None:
        """Write what is waiting."""
        self.seal()
        self.flush()


def _part_name(name: str, number: int) -> str:
    return f"{name}-{number:05d}.jsonl"


def make_private_folder(folder: Path) -> None:
    """Create a folder, and the missing ones above it, for this user only."""
    for missing in [folder, *folder.parents]:
        if missing.exists():
            break
    else:
        missing = folder
    above = [path for path in [folder, *folder.parents] if missing in path.parents]
    for path in reversed(above):
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def _cannot_write(path: str, error: OSError) -> OutputError:
    return OutputError(f"output_path: {path} can't be written: {error.strerror or type(error).__name__}")
