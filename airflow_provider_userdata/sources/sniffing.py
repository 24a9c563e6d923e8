"""Detects, by its first bytes, a file whose content doesn't match its name, and says what to do about it."""

from __future__ import annotations

import codecs
import re
from typing import IO

from airflow_provider_userdata.sources.file_limits import BOM, BadFileError

_GZIP = b"\x1f\x8b"
_HEAD = 2**16
"""Bytes that are looked at."""
_UNPACK = "decompress it first, or compress it with gzip, and let its name end in .gz"
_SAVE = "save its sheet as CSV, in UTF-8"
_AS_ROWS = "read it in a function that yields its rows, and pass the function as the source"
_AS_TABLE = "read it with pyarrow in a function that returns the table, and pass the function as the source"
_PAGE = "check how it was downloaded: it may be an error page, or a login page"

_KINDS = (
    (rb"\x1f\x8b", "a file compressed with gzip", "let its name end in .gz"),
    (rb"\x28\xb5\x2f\xfd", "a file compressed with Zstandard", _UNPACK),
    (rb"BZh[1-9]\x31\x41\x59\x26", "a file compressed with bzip2", _UNPACK),
    (rb"\xfd7zXZ\x00", "a file compressed with xz", _UNPACK),
    (rb"\x04\x22\x4d\x18", "a file compressed with LZ4", _UNPACK),
    (rb"\xff\x06\x00\x00sNaPpY", "a file compressed with Snappy", _UNPACK),
    (rb"\x1f[\x9d\xa0]", "a file compressed with compress", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (rb"\x78[\x9c\xda]", "a file compressed with zlib", _UNPACK),
    (rb"(?s)PK\x03\x04.{26}(?:\[Content_Types\]|xl/|_rels/|docProps/)", "an Excel workbook", _SAVE),
    (rb"PK(?:\x03\x04|\x05\x06)", "a ZIP archive, or a workbook", "unpack it; if it is a workbook, " + _SAVE),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", _SAVE),
    (rb"PAR1", "a Parquet file", "let its name end in .parquet, or read it with FileSource(path, format='parquet')"),
    (rb"Obj\x01", "an Avro file", _AS_ROWS),
    (rb"ORC[\x00-\x1f]", "an ORC file", _AS_TABLE),
    (rb"ARROW1|FEA1|\xff\xff\xff\xff", "an Arrow file", _AS_TABLE),
    (rb"SQLite format 3\x00", "a SQLite database", "read it with an `SqlSource`"),
    (rb"%PDF-", "a PDF document", "get its data in another format"),
    (rb"(?i)\s*+<(?:!doctype html|html|head|body)\b", "a page of HTML", _PAGE),
    (rb"(?i)\s*+<\?xml\b", "XML", _AS_ROWS),
    (rb"version https://git-lfs\.github\.com/", "a Git LFS pointer, not the file", "fetch the file: `git lfs pull`"),
)
"""What a file may begin with: a pattern, its name, and what to do about it."""
_WIDE = (
    (rb"\xff\xfe\x00\x00", "utf-32", "utf-32-le"),
    (rb"\x00\x00\xfe\xff", "utf-32", "utf-32-be"),
    (rb"\xff\xfe", "utf-16", "utf-16-le"),
    (rb"\xfe\xff", "utf-16", "utf-16-be"),
    (rb"[\x01-\x7f]\x00[\x01-\x7f]\x00", "utf-16-le", ""),
    (rb"\x00[\x01-\x7f]\x00[\x01-\x7f]", "utf-16-be", ""),
)
"""What text in other sizes of characters begins with: a pattern, and the encodings that read it, the best one first."""
_MARKED = ("utf-16", "utf-32")
"""Encodings that need a byte order mark."""


def beginning_of(stream: IO[bytes]) -> bytes:
    """Return the first bytes of a stream, which then is at its beginning again."""
    head = b""
    while len(head) < _HEAD and (more := stream.read(_HEAD - len(head))):
        head += more
    stream.seek(0)
    return head


def check_text(head: bytes, *, unpacked: bool = False, encoding: str = "utf-8") -> None:
    """Check that a file begins like text in an encoding.

    :param head: its first bytes, decompressed if its name ends in `.gz`.
    :raises BadFileError: if it is something else.
    """
    if unpacked and head.startswith(_GZIP):
        raise BadFileError("it is compressed twice; decompress it once")
    for pattern, name, todo in _KINDS:
        if re.match(pattern, head):
            raise BadFileError(f"it looks like {name}; {todo}")
    _check_encoding(head, codecs.lookup(encoding).name)


def _check_encoding(head: bytes, encoding: str) -> None:
    right = next((encodings for pattern, *encodings in _WIDE if re.match(pattern, head)), None)
    if right is not None and encoding not in right:
        raise BadFileError(
            f"it looks like text in {right[0][:6].upper()}; save it in UTF-8, or read it with FileSource(path, "
            f"encoding={right[0]!r})"
        )
    if head.startswith(BOM) and encoding not in ("utf-8", "utf-8-sig"):
        raise BadFileError("it begins with the byte order mark of UTF-8; leave `encoding` out")
    if head and encoding in _MARKED and right is None:
        raise BadFileError(f"it has no byte order mark, so its encoding is either '{encoding}-le' or '{encoding}-be'")
    if encoding in ("utf-8", "utf-8-sig") and not head.isascii() and _is_foreign(head):
        raise BadFileError(
            "its lines aren't UTF-8; save it in UTF-8, or name its encoding, as in FileSource(path, encoding='cp932')"
        )


def _is_foreign(head: bytes) -> bool:
    """Return whether at least two lines are not ASCII, and none of these is UTF-8."""
    lines = head.splitlines()
    if len(head) == _HEAD:
        lines.pop()  # it may be cut inside a character
    others = [line for line in lines if not line.isascii()]
    return len(others) > 1 and not any(map(_is_utf_8, others))


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def check_packed(head: bytes) -> None:
    """Check that a file whose name ends in `.gz` is compressed with gzip.

    :raises BadFileError: if it isn't.
    """
    if head and not head.startswith(_GZIP):
        check_text(head)
        raise BadFileError("it isn't compressed, though its name ends in .gz; remove that from its name")
