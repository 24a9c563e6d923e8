"""JSON lines: blocks of bytes in, whole lines out, with next to no work a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from airflow_provider_userdata.delivery.chunks import Chunk, Form
from airflow_provider_userdata.sources.streams import BLOCK, BOM, LONGEST, too_long


def look_at_lines(stream: IO[bytes]) -> None:
    """See that the file can be read at all."""
    stream.read(1)


def read_lines(stream: IO[bytes], *, block: int = BLOCK, longest: int = LONGEST) -> Iterator[Chunk]:
    """Give the lines that aren't blank, as they stand in the file: a chunk is a block's lines, which are there anyway.

    :param stream: the file.
    :param block: how many bytes are read at once.
    :param longest: the most bytes of a line.
    """
    for lines in _blocks_of_lines(stream, block, longest):
        if rows := list(filter(bytes.strip, lines)):
            yield Chunk(Form.JSON, rows)


def _blocks_of_lines(stream: IO[bytes], block: int, longest: int) -> Iterator[list[bytes]]:
    # `split` and `replace` work a whole block in C; only the line across two blocks is put together here.
    pending: list[bytes] = []
    size = 0
    begun = False
    while data := stream.read(block):
        if b"\r" in data:  # much faster than a `replace` that finds nothing
            data = data.replace(b"\r\n", b"\n")
        lines = data.split(b"\n")
        if len(lines) > 1:
            lines[0] = _line([*pending, lines[0]], longest)
            if not begun:
                lines[0] = lines[0].removeprefix(BOM)
                begun = True
            pending, size = [], 0
        last = lines.pop()
        pending.append(last)
        size += len(last)
        if size > longest + 1:  # the one: a `\r` that may go yet
            raise too_long(longest)
        if lines:
            yield lines
    last = _line(pending, longest)
    yield [last if begun else last.removeprefix(BOM)]


def _line(parts: list[bytes], longest: int) -> bytes:
    line = b"".join(parts).removesuffix(b"\r")  # of a `\r\n` that two blocks share
    if len(line) > longest:
        raise too_long(longest)
    return line
