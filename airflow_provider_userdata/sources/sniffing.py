"""Detects, by its first bytes, a file whose content doesn't match its name, and says what to do about it."""

from __future__ import annotations

import re
from typing import NamedTuple

from airflow_provider_userdata.sources.file_limits import BOM, BadFileError, Readable

_GZIP = b"\x1f\x8b"
HEAD = 2**12
"""Bytes that are looked at."""
_UNPACK = "decompress it first, or compress it with gzip, and let its name end in .gz"
_SAVE = "save its sheet as CSV, in UTF-8"
_AS_ROWS = "read it in a function that yields its rows, and pass the function as the source"
_UTF_8 = "save it in UTF-8"
_PAGE = "check how it was downloaded: it may be an error page, or a login page"


class _Kind(NamedTuple):
    begins: re.Pattern[bytes]
    name: str
    todo: str


def _kind(pattern: bytes, name: str, todo: str) -> _Kind:
    return _Kind(
        re.compile(pattern, re.DOTALL | re.IGNORECASE if pattern.startswith(rb"\s*+<") else re.DOTALL), name, todo
    )


_KINDS = (
    _kind(rb"\x1f\x8b", "a file compressed with gzip", "let its name end in .gz"),
    _kind(rb"\x28\xb5\x2f\xfd", "a file compressed with Zstandard", _UNPACK),
    _kind(rb"BZh[1-9]\x31\x41\x59\x26", "a file compressed with bzip2", _UNPACK),
    _kind(rb"\xfd7zXZ\x00", "a file compressed with xz", _UNPACK),
    _kind(rb"\x04\x22\x4d\x18", "a file compressed with LZ4", _UNPACK),
    _kind(rb"\xff\x06\x00\x00sNaPpY", "a file compressed with Snappy", _UNPACK),
    _kind(rb"\x1f[\x9d\xa0]", "a file compressed with compress", _UNPACK),
    _kind(rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    _kind(rb"\x78[\x9c\xda]", "a file compressed with zlib", _UNPACK),
    _kind(rb"PK\x03\x04.{26}(?:\[Content_Types\]|xl/|_rels/|docProps/)", "an Excel workbook", _SAVE),
    _kind(rb"PK(?:\x03\x04|\x05\x06)", "a ZIP archive, or a workbook", "unpack it; if it is a workbook, " + _SAVE),
    _kind(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", _SAVE),
    _kind(rb"PAR1", "a Parquet file", _AS_ROWS),
    _kind(rb"Obj\x01", "an Avro file", _AS_ROWS),
    _kind(rb"ORC[\x00-\x1f]", "an ORC file", _AS_ROWS),
    _kind(rb"ARROW1|FEA1|\xff\xff\xff\xff", "an Arrow file", _AS_ROWS),
    _kind(rb"SQLite format 3\x00", "a SQLite database", "read it with an `SqlSource`"),
    _kind(rb"%PDF-", "a PDF document", "get its data in another format"),
    _kind(rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", "text in UTF-32", _UTF_8),
    _kind(rb"\xff\xfe|\xfe\xff", "text in UTF-16", _UTF_8),
    _kind(rb"[\x01-\x7f]\x00[\x01-\x7f]\x00|\x00[\x01-\x7f]\x00[\x01-\x7f]", "text in UTF-16", _UTF_8),
    _kind(rb"\s*+<(?:!doctype html|html|head|body)\b", "a page of HTML", _PAGE),
    _kind(rb"\s*+<\?xml\b", "XML", _AS_ROWS),
    _kind(
        rb"version https://git-lfs\.github\.com/", "a Git LFS pointer, not the file", "fetch the file: `git lfs pull`"
    ),
)


class Peeked:
    """A stream whose first bytes can be looked at before it is read.

    :param stream: the stream.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._head = self.head = _read_all(stream, HEAD)
        """Its first bytes."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, beginning with those in `head`."""
        if not self._head:
            return self._stream.read(size)
        data, self._head = self._head[:size], self._head[size:]
        return data


def check_text(head: bytes, *, unpacked: bool = False) -> None:
    """Check that a file begins like text.

    :param head: its first bytes, decompressed if its name ends in `.gz`.
    :param unpacked: whether they were decompressed.
    :raises BadFileError: if it is something else.
    """
    if unpacked and head.startswith(_GZIP):
        raise BadFileError("it is compressed twice; decompress it once")
    for kind in _KINDS:
        if kind.begins.match(head):
            raise BadFileError(f"it looks like {kind.name}; {kind.todo}")


def check_packed(head: bytes) -> None:
    """Check that a file whose name ends in `.gz` is compressed with gzip.

    :param head: its first bytes, not decompressed.
    :raises BadFileError: if it isn't.
    """
    if head.startswith(_GZIP):
        return
    check_text(head)
    raise BadFileError("it isn't compressed, though its name ends in .gz; remove that from its name")


def check_json_lines(first: bytes) -> None:
    """Check that a file of JSON lines doesn't begin like a JSON array, or like JSON over several lines.

    :param first: its first line.
    :raises BadFileError: if it does.
    """
    if re.match(rb"\[\s*+[{\]]|[\[{][ \t]*+[\r\n]", first):
        raise BadFileError(
            "it looks like a JSON array, or like JSON over several lines; let its name end in .json, or write one "
            "record per line"
        )


def check_table(first: bytes) -> None:
    """Check that a table's file doesn't begin like JSON.

    :param first: its first bytes.
    :raises BadFileError: if it does.
    """
    if re.match(rb'\s*+(?:\[\s*+[{\]]|\{\s*+["}])', first.removeprefix(BOM)):
        raise BadFileError("it looks like JSON; let its name end in .json, or if it is JSON lines, in .jsonl")


def _read_all(stream: Readable, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data
