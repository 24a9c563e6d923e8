"""JSON lines: reads blocks of bytes and yields whole lines, with almost no work per line."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import filterfalse

from airflow_provider_userdata.delivery.reading import Buffer, Chunk, RowFormat
from airflow_provider_userdata.sources.envelopes import check_record
from airflow_provider_userdata.sources.file_limits import BLOCK, BOM, HEAD, LONGEST, BadFileError, Readable, too_long
from airflow_provider_userdata.sources.headers import Wanted


def check_lines(stream: Readable, wanted: Wanted) -> None:
    """Check that the file doesn't begin like another format.

    :param wanted: the fields that a record must have.
    :raises BadFileError: if it does.
    """
    chunk = next(read_lines(stream, block=HEAD), None)
    if chunk is None:
        return
    if re.match(rb"\[\s*+[{\]]|[\[{][ \t]*+[\r\n]", chunk.rows[0]):
        raise BadFileError(
            "it looks like a JSON array, or like JSON over several lines; let its name end in .json, or read it with "
            "FileSource(path, format='json'), or write one record per line"
        )
    check_record(chunk.rows[0], wanted.names, alone=False)


def read_lines(stream: Readable, *, block: int = BLOCK, longest: int = LONGEST, line: int = 1) -> Iterator[Chunk]:
    """Yield the lines that aren't blank, with their line ends; a chunk contains the lines of one block.

    A line may end with `CR LF`: to JSON, CR is white space.

    :param block: bytes per read.
    :param longest: the most bytes of a line.
    :param line: the number of the first line.
    :raises BadFileError: if a line is longer.
    """
    bom, pending, size = BOM, [b""], 0
    while data := stream.read(block):
        lines = io.BytesIO(data).readlines()  # takes half as long as `split`
        unended = b"" if lines[-1].endswith(b"\n") else lines.pop()
        if lines:
            others = memoryview(data)[len(lines[0]) : len(data) - len(unended)]
            lines[0] = b"".join([*pending, lines[0]])  # only a line across two blocks is joined
            if len(lines[0].rstrip(b"\r\n")) > longest:
                raise too_long(longest)
            lines[0], bom = lines[0].removeprefix(bom), b""
            yield from _chunk(lines, (lines[0], others), line)
            line += len(lines)
            pending, size = [], 0
        pending.append(unended)
        size += len(unended)
        if size - unended.endswith(b"\r") > longest:
            raise too_long(longest)
    if last := b"".join(pending).removeprefix(bom):
        yield from _chunk([last + b"\n"], (last, b"\n"), line)


def _chunk(lines: list[bytes], text: tuple[Buffer, ...], line: int) -> Iterator[Chunk]:
    numbers = range(line, line + len(lines))
    if not any(map(bytes.isspace, lines)):
        yield Chunk(RowFormat.JSON, lines, text=text, lines=numbers)
    elif rows := list(filterfalse(bytes.isspace, lines)):
        kept = [number for number, each in zip(numbers, lines, strict=True) if not each.isspace()]
        yield Chunk(RowFormat.JSON, rows, lines=kept)
