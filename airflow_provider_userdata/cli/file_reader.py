"""Reads the files of runs, on this machine or in an object store: there several at once, ahead of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import IO

from airflow_provider_userdata.cli.progress import Bar
from airflow_provider_userdata.delivery.recording import FoundFile, contents, is_local
from airflow_provider_userdata.errors import OutputError, UserdataError

MOST_FILES = 64
"""Files of a store that are read at the same time."""
MOST_BYTES = 2**25
"""Bytes that are read ahead, at most, or one file."""
_BLOCK = 2**20
"""Bytes of lines that are taken from a file at once."""
Test = Callable[[bytes], bool]


class FileReader:
    """Yields the lines of files.

    :param files: all of them, in the order in which they will be read. Others can be read, too.
    :param bar: shows how far it is; its unit is a byte of these files.
    """

    def __init__(self, files: Iterable[FoundFile] = (), bar: Bar | None = None) -> None:
        self._planned = deque(file for file in files if file.size and not is_local(file.folder))
        self._waiting = set(self._planned)
        self._read: dict[FoundFile, bytes] = {}
        self._bar = bar

    def lines(self, file: FoundFile, may_hold: Test | None = None) -> Iterator[bytes]:
        """Yield the lines of a file, each with its end; a last one without end is being written, or was torn.

        :param may_hold: skips lines for which it is false; it is asked of many lines together first.
        :raises OutputError: if the file can't be read.
        """
        for _, block in self._blocks(file, may_hold):
            yield from BytesIO(block) if may_hold is None else filter(may_hold, BytesIO(block))

    def placed_lines(self, file: FoundFile, may_hold: Test | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield the same lines, each after the place in the file where it begins."""
        for first, block in self._blocks(file, may_hold):
            begin = first
            for line in BytesIO(block):
                if may_hold is None or may_hold(line):
                    yield begin, line
                begin += len(line)

    def _blocks(self, file: FoundFile, may_hold: Test | None) -> Iterator[tuple[int, bytes]]:
        """Yield blocks of whole lines, each after the place where it begins."""
        begin = 0
        with reading(str(file.path)), self._opened(file) as opened:
            while block := opened.read(_BLOCK) + opened.readline():
                if may_hold is None or may_hold(block):
                    yield begin, block
                begin += len(block)
                if self._bar is not None:
                    self._bar.add(len(block))

    def _opened(self, file: FoundFile) -> IO[bytes]:
        if not is_local(file.folder):
            return BytesIO(self._content(file) if file.size else b"")
        try:
            return file.path.open("rb")
        except FileNotFoundError:  # somebody has removed it since
            return BytesIO()

    def _content(self, file: FoundFile) -> bytes:
        if file in self._waiting:
            files = self._next(file)
            self._read = dict(zip(files, contents(files), strict=True))
        return self._read[file] if file in self._read else contents([file])[0]

    def _next(self, file: FoundFile) -> Sequence[FoundFile]:
        """Return a file and those after it that are read with it."""
        while self._planned[0] is not file:
            self._waiting.discard(self._planned.popleft())
        together: list[FoundFile] = []
        size = 0
        while (
            self._planned
            and len(together) < MOST_FILES
            and (not together or size + self._planned[0].size <= MOST_BYTES)
        ):
            together.append(self._planned.popleft())
            size += together[-1].size
        self._waiting.difference_update(together)
        return together


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Turn what the disk or a store's client raises into an error that says where.

    :raises OutputError: if something can't be read.
    """
    try:
        yield
    except UserdataError:
        raise
    except OSError as error:
        reason = error.strerror or ("it isn't there" if isinstance(error, FileNotFoundError) else type(error).__name__)
        raise OutputError(f"{error.filename or place} can't be read: {reason}") from error
    except Exception as error:  # a store's client has errors of its own
        raise OutputError(f"{place} can't be read: {type(error).__name__}") from error
