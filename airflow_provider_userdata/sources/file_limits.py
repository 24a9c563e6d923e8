"""What all file readers share: limits, errors, and opening."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO, Protocol, cast

ROWS = 4000
"""The most rows in a chunk of a file, about those of a block. Passing on a chunk costs as much as checking 100 rows."""
BLOCK = 2**20
"""Bytes per read: large, because the reader must not keep the interpreter lock from the sending thread."""
HEAD = 2**12
"""Bytes per read while a file's beginning is checked, which is done for each file before the first one is read."""
LONGEST = 64 * 2**20
"""The most bytes of a record: a file that is one endless line must not fill the memory."""
BOM = b"\xef\xbb\xbf"
"""The byte order mark that may come before a text in UTF-8."""


class BadFileError(Exception):
    """A file's content is not valid. The message quotes none of it; file name and position are added later."""


class EmptyFileError(BadFileError):
    """A file is empty."""


class Readable(Protocol):
    """A stream of bytes: a file, or the rest of one."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""


def too_long(longest: int) -> BadFileError:
    """Return the error for a record that is over the limit.

    :param longest: the limit, in bytes.
    """
    size = f"{longest // 2**20} MiB" if longest >= 2**20 else f"{longest} bytes"
    return BadFileError(f"a record is longer than {size}")


def is_compressed(path: Path) -> bool:
    """Return whether a file is compressed, by its name."""
    return path.name.lower().endswith(".gz")


def unpacked(raw: IO[bytes], path: Path) -> IO[bytes]:
    """Return the content of an open file, decompressed if its name ends in `.gz`."""
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw, mode="rb")) if is_compressed(path) else raw
