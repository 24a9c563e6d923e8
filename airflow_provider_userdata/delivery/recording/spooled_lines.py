"""Lines that are written once and read later: a bounded part of them in memory."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

from airflow_provider_userdata.errors import OutputError

MOST_BYTES = 2**20
"""Bytes in memory: of all others, there is a file without a name, which is gone when the process is."""
_BLOCK = 2**18
"""Bytes that are read at once."""


class SpooledLines(Collection[bytes]):
    """Lines without line breaks in them. All methods block; any number of threads may read.

    :param folder: where the file is made, if it is needed; None takes the system's folder for temporary files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def __contains__(self, line: object) -> bool:
        return any(one == line for one in self)

    def __iter__(self) -> Iterator[bytes]:
        start, rest = 0, b""
        while block := self._read(start):
            start += len(block)
            *lines, rest = (rest + block).split(b"\n")
            yield from lines

    def extend(self, lines: Iterable[bytes]) -> None:
        """Add lines.

        :raises OutputError: if they can't be written.
        """
        with _usable(), self._lock:
            if self._file is None:
                folder = None if self._folder is None else str(self._folder)
                self._file = tempfile.SpooledTemporaryFile(MOST_BYTES, dir=folder)  # noqa: SIM115  # as long as this
            self._file.seek(0, 2)
            for line in lines:
                self._file.write(line + b"\n")
                self._count += 1

    def _read(self, start: int) -> bytes:
        if self._file is None:
            return b""
        with _usable(), self._lock:
            self._file.seek(start)
            return self._file.read(_BLOCK)


@contextlib.contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"output_path: the file for what is held can't be used: {reason}") from error
