"""Overwrites lines of a run's files where they are, for good.

On a disk, a line is overwritten in its place, so that no copy of it is left. What is to be written is written beside
the files before: whatever is cut short, by a kill or a power failure, can be finished. It holds nothing of what is
overwritten. In an object store, an object is replaced as a whole.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec

from airflow_provider_userdata.delivery.recording.append_log import PRIVATE_FILE, Folder, is_local
from airflow_provider_userdata.delivery.recording.attempt_lines import Count
from airflow_provider_userdata.errors import OutputError

OVERWRITING = ".overwriting-"
"""How the names begin of files that say what is being overwritten."""


class NewLine(msgspec.Struct, frozen=True):
    """A line that takes the place of another one, which has the same length.

    :param file: the file's name.
    :param offset: where the line begins.
    :param size: its bytes.
    :param text: the line, without the blanks and the line end that follow it.
    :param ends: whether it ends with a line end.
    """

    file: str
    offset: Count
    size: Count
    text: str
    ends: bool

    @classmethod
    def of(cls, file: str, offset: int, line: bytes) -> NewLine:
        """Return a line, by its bytes."""
        return cls(file, offset, len(line), line.rstrip().decode(), line.endswith(b"\n"))

    @property
    def line(self) -> bytes:
        """The line's bytes."""
        return self.text.encode().ljust(self.size - self.ends) + b"\n" * self.ends


class Change(msgspec.Struct, frozen=True):
    """A line that is to be overwritten, and what with."""

    old: bytes
    new: NewLine


_decode = msgspec.json.Decoder(list[NewLine]).decode


def overwrite(folder: Folder, changes: Iterable[Change]) -> int:
    """Overwrite lines of a folder's files, in the order in which the files are given; return their number.

    A line that is another one by now stays as it is. Blocks.

    :raises OutputError: if it can't be written.
    """
    done = 0
    for _, of_file in groupby(changes, key=lambda change: change.new.file):
        with _writing(folder):
            lines = list(of_file)
            done += _in_place(folder, lines) if is_local(folder) else _as_a_whole(folder, lines)
    return done


def finish_overwriting(folder: Folder) -> int:
    """Finish what was cut short in a folder; return the number of lines. Blocks.

    :raises OutputError: if it can't be written.
    """
    done = 0
    if is_local(folder):
        with _writing(folder):
            for plan in sorted(path for path in folder.iterdir() if path.name.startswith(OVERWRITING)):
                with contextlib.suppress(msgspec.DecodeError, FileNotFoundError):  # nothing was overwritten yet
                    done += _write(folder, _decode(plan.read_bytes()))
                plan.unlink(missing_ok=True)
    return done


def _in_place(folder: Path, changes: Sequence[Change]) -> int:
    lines = [change.new for change in changes if _is_there(folder, change)]
    if not lines:
        return 0
    plan = folder / f"{OVERWRITING}{uuid.uuid4().hex}.json"
    _write_new(plan, msgspec.json.encode(lines))
    done = _write(folder, lines)
    plan.unlink()
    return done


def _is_there(folder: Path, change: Change) -> bool:
    with contextlib.suppress(FileNotFoundError), (folder / change.new.file).open("rb") as file:
        file.seek(change.new.offset)
        return file.read(len(change.old)) == change.old
    return False


def _write(folder: Path, lines: Sequence[NewLine]) -> int:
    """Write lines in their places, and to the disk; return how many there were a place for."""
    done = 0
    for name, of_file in groupby(lines, key=attrgetter("file")):
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile, and the line with it
            file = os.open(folder / name, os.O_RDWR)
            try:
                for line in of_file:
                    done += _write_line(file, line)
                os.fdatasync(file)
            finally:
                os.close(file)
    return done


def _write_line(file: int, line: NewLine) -> bool:
    """Write a line, if it takes the place of one: the file may have been cut meanwhile."""
    data, offset = line.line, line.offset
    before = os.pread(file, 1, offset - 1) if offset else b"\n"
    there = os.pread(file, len(data), offset)
    if before != b"\n" or len(there) != len(data) or there.endswith(b"\n") is not data.endswith(b"\n"):
        return False
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written
    return True


def _write_new(path: Path, text: bytes) -> None:
    """Write a file so that it is on the disk, under its name, before anything else is done."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        while text:
            text = text[os.write(file, text) :]
        os.fsync(file)
    finally:
        os.close(file)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _as_a_whole(folder: Folder, changes: Sequence[Change]) -> int:
    path = folder / changes[0].new.file
    try:
        with path.open("rb") as file:
            content = bytearray(file.read())
    except FileNotFoundError:
        return 0
    done = 0
    for change in changes:
        place = slice(change.new.offset, change.new.offset + len(change.old))
        if content[place] == change.old:
            content[place] = change.new.line
            done += 1
    if done:
        with path.open("wb") as file:
            file.write(bytes(content))
    return done


@contextlib.contextmanager
def _writing(folder: Folder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{folder} can't be changed: {error.strerror or type(error).__name__}") from error
