"""JSON lines: blocks of bytes in, whole lines out, with next to no work a line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import filterfalse
from typing import IO

from airflow_provider_userdata.delivery.chunks import Chunk, Form
from airflow_provider_userdata.sources.streams import BLOCK, BOM, LONGEST, too_long


def look_at_lines(stream: IO[bytes]) -> None:
    """See that the file can be read at all."""
    stream.read(1)


def read_lines(stream: IO[bytes], *, block: int = BLOCK, longest: int = LONGEST) -> Iterator[Chunk]:
    """Give the lines that aren't blank, with their ends: a chunk is a block's lines, which are there anyway.

    :param stream: the file.
    :param block: how many bytes are read at once.
    :param longest: the most bytes of a line.
    """
    bom = BOM
    for block_text in _whole_lines(stream, block, longest):
        text, bom = block_text.removeprefix(bom), b""
        lines = io.BytesIO(text).readlines()  # in half the time that `split` takes
        if len(lines[0]) > longest + 1:
            raise too_long(longest)
        if not any(map(bytes.isspace, lines)):
            yield Chunk(Form.JSON, lines, text=text)
        elif rows := list(filterfalse(bytes.isspace, lines)):
            yield Chunk(Form.JSON, rows)


def _whole_lines(stream: IO[bytes], block: int, longest: int) -> Iterator[bytes]:
    """Give the file's text a block at a time, each cut where a line ends: only the line across two is put together."""
    pending: list[bytes] = []
    size = 0
    while data := stream.read(block):
        if data.startswith(b"\n") and pending:
            pending[-1] = pending[-1].removesuffix(b"\r")
        if b"\r" in data:  # much faster than a `replace` that finds nothing
            data = data.replace(b"\r\n", b"\n")
        end = data.rfind(b"\n") + 1
        if end:
            yield b"".join([*pending, memoryview(data)[:end]])
            pending, size = [], 0
        pending.append(data[end:])
        size += len(pending[-1])
        if size > longest + 1:  # the one: a `\r` that may go yet
            raise too_long(longest)
    if rest := b"".join(pending).removesuffix(b"\r"):
        yield rest + b"\n"
