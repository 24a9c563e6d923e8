"""A `.json` file: an array, streamed element by element, or an object: one record, or an envelope of an array.

An element's bytes are passed on unchanged, like a line of JSON lines, so that values keep their text. (A streaming
parser makes Python values. `ijson` fails at integers of more than 64 bits, or makes all fractions decimals, and
replaces half a surrogate pair by a question mark. Cutting is also faster.)
"""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_userdata.delivery.reading import Chunk, RowFormat
from airflow_provider_userdata.sources.envelopes import check_record
from airflow_provider_userdata.sources.file_limits import (
    BLOCK,
    HEAD,
    LONGEST,
    ROWS,
    BadFileError,
    Readable,
)
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.json_cutter import JsonCutter, is_json


def check_json(stream: Readable, wanted: Wanted, *, records: str | None = None) -> None:
    """Check that the file begins like an array of records, or contains an object that is a record.

    :param wanted: the fields that a record must have.
    :param records: where in an object the array stands, as names with dots between them.
    :raises BadFileError: if it doesn't.
    """
    text = JsonCutter(stream, HEAD, LONGEST, "array" if records is None else "object")
    mark = text.opening()
    if mark == b"{" and records is None:
        check_record(_checked_object(text.rest()), wanted.names)
        return
    _find(text, _names(records, mark))
    text.at += 1
    if text.peek() == b"{":
        check_record(text.element(), wanted.names, alone=False)


def read_json(
    stream: Readable, *, records: str | None = None, block: int = BLOCK, longest: int = LONGEST
) -> Iterator[Chunk]:
    """Yield the elements of the array, or the object.

    :param records: where in an object the array stands, as names with dots between them.
    :param block: bytes per read.
    :param longest: the most bytes of a record.
    :raises BadFileError: if the file is not valid JSON; elements before the fault are yielded first.
    """
    text = JsonCutter(stream, block, longest, "array" if records is None else "object")
    mark = text.opening()
    if mark == b"{" and records is None:
        yield Chunk(RowFormat.JSON, [_checked_object(text.rest())], lines=range(1, 2))
        return
    rows: list[bytes] = []
    size, count = 0, 0
    fault: BadFileError | None = None
    try:
        for element in _all_elements(text, _names(records, mark)):
            rows.append(element)
            size += len(element)
            if len(rows) >= ROWS or size >= BLOCK:
                yield _chunk(rows, count)
                count += len(rows)
                rows, size = [], 0
    except BadFileError as error:
        fault = error
    if rows:
        yield _chunk(rows, count)
    if fault is not None:
        raise fault


def _chunk(rows: list[bytes], before: int) -> Chunk:
    return Chunk(RowFormat.JSON, rows, lines=range(before + 1, before + len(rows) + 1))


def _names(records: str | None, mark: bytes) -> list[str]:
    """Return the names on the way to the array; none if it is the whole file."""
    if records is not None and mark != b"{":
        raise BadFileError("it contains an array, not an object with one in it: leave out `records`")
    return [] if records is None else records.split(".")


def _all_elements(text: JsonCutter, names: list[str]) -> Iterator[bytes]:
    """Yield the elements of the array under these names, then check the rest of the file."""
    _find(text, names)
    yield from text.elements()
    for count in range(len(names), 0, -1):
        if text.follows(b",", b"}") and text.member(names[count - 1]):
            place = ".".join(names[:count])
            raise BadFileError(f"it has the name {place!r} twice: which one has its records can't be told")
    if text.peek():
        raise BadFileError(f"there is more text after its {text.what}")


def _find(text: JsonCutter, names: list[str]) -> None:
    """Go to the array that stands in an object under these names, each in the one before."""
    for count, name in enumerate(names, start=1):
        place = ".".join(names[:count])
        text.at += 1
        if text.ends(b"}") or not text.member(name):
            raise BadFileError(f"it has nothing under the name {place!r}, where its records should be")
        mark, kind = (b"{", "object") if count < len(names) else (b"[", "array")
        if not (found := text.peek()):
            raise text.broken()
        if found != mark:
            raise BadFileError(f"what it has under the name {place!r} isn't an {kind}: its records aren't there")


def _checked_object(text: bytes) -> bytes:
    # An incomplete object, or two objects, are a fault of the file, not of a record.
    if is_json(text):
        return text
    if is_json(text.partition(b"\n")[0]):
        raise BadFileError(
            "it contains more than one JSON text; a file of JSON lines is named .jsonl, or read with "
            "FileSource(path, format='jsonl')"
        )
    raise BadFileError("it isn't valid JSON")
