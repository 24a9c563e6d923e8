"""What the readers of files share: their limits, their one error, and opening."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Protocol, cast

ROWS = 4000
"""The most rows in a chunk of a file: about a block's. Handing it over costs as much as to check a hundred rows."""
BLOCK = 2**20
"""How many bytes are read at once: large, for the reader must not keep the interpreter from the sending thread."""
LONGEST = 64 * 2**20
"""The longest record, in bytes: a file that is one endless line must not fill the memory."""
BOM = b"\xef\xbb\xbf"
"""What may stand before a text in UTF-8, and is no part of it."""


class BadFileError(Exception):
    """What is wrong with a file's text, without any of it. The file's name and the position are added later."""


class EmptyFileError(BadFileError):
    """A file without anything in it."""


class Readable(Protocol):
    """Bytes to be read once: a file, or what is left of one."""

    def read(self, size: int, /) -> bytes:
        """Give at most so many bytes; none at the end."""


def too_long(longest: int) -> BadFileError:
    """Make the error for a record that is beyond the limit."""
    size = f"{longest // 2**20} MiB" if longest >= 2**20 else f"{longest} bytes"
    return BadFileError(f"a record is longer than {size}")


def is_compressed(path: Path) -> bool:
    """Tell by its name whether a file is compressed."""
    return path.name.lower().endswith(".gz")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes, uncompressed where its name ends in `.gz`."""
    with closing(path.open("rb")) as raw:
        if not is_compressed(path):
            yield raw
            return
        with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
            yield cast("IO[bytes]", unpacked)
