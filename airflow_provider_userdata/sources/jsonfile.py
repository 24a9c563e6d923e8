"""A `.json` file: an array, streamed element by element, or an object: one record, or an envelope of an array.

An element's bytes are passed on unchanged, like a line of JSON lines, so that values keep their text. (A streaming
parser makes Python values. `ijson` fails at integers of more than 64 bits, or makes all fractions decimals, and
replaces half a surrogate pair by a question mark. Cutting is also faster.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from airflow_provider_userdata.delivery.reading import Chunk, RowFormat
from airflow_provider_userdata.sources.envelopes import check_record
from airflow_provider_userdata.sources.file_limits import (
    BLOCK,
    BOM,
    HEAD,
    LONGEST,
    ROWS,
    BadFileError,
    EmptyFileError,
    Readable,
    too_long,
)
from airflow_provider_userdata.sources.headers import Wanted

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb'[^ \t\r\n,\[\]{}"]++')
# Up to the next bracket that isn't inside a string. Possessive: no backtracking.
_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL)
_WINDOW = 2**18
_CUTS = 3
_SPANS = msgspec.json.Decoder(list[msgspec.Raw])


def check_json(stream: Readable, wanted: Wanted, *, records: str | None = None) -> None:
    """Check that the file begins like an array of records, or contains an object that is a record.

    :param wanted: the fields that a record must have.
    :param records: where in an object the array stands, as names with dots between them.
    :raises BadFileError: if it doesn't.
    """
    text = _Text(stream, HEAD, LONGEST, "array" if records is None else "object")
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
    text = _Text(stream, block, longest, "array" if records is None else "object")
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


def _all_elements(text: _Text, names: list[str]) -> Iterator[bytes]:
    """Yield the elements of the array under these names, then check the rest of the file."""
    _find(text, names)
    yield from _elements(text)
    for count in range(len(names), 0, -1):
        if text.follows(b",", b"}") and text.member(names[count - 1]):
            place = ".".join(names[:count])
            raise BadFileError(f"it has the name {place!r} twice: which one has its records can't be told")
    if text.peek():
        raise BadFileError(f"there is more text after its {text.what}")


def _find(text: _Text, names: list[str]) -> None:
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


def _elements(text: _Text) -> Iterator[bytes]:
    """Yield the elements of the array that begins here, and go past its end."""
    text.at += 1
    more = not text.ends(b"]")
    while more:
        while run := text.many():
            yield from run
        yield text.element()
        more = text.follows(b",", b"]")


class _Text:
    """A window on a file, from which elements are cut.

    :param block: bytes per read.
    :param longest: the most bytes of an element.
    :param what: its name in messages.
    """

    def __init__(self, stream: Readable, block: int, longest: int, what: str = "array") -> None:
        self._stream = stream
        self._block = block
        self._longest = longest
        self._data = b""
        self._by_hand = 0
        self.at = 0
        self.what = what

    def opening(self) -> bytes:
        """Return the bracket that the file begins with."""
        while len(self._data) < len(BOM) and self._more():
            pass
        self._data = self._data.removeprefix(BOM)
        mark = self.peek()
        if not mark:
            raise EmptyFileError("it is empty: it should contain a JSON array or object")
        if mark not in (b"[", b"{"):
            raise BadFileError("it contains neither a JSON array nor a JSON object")
        return mark

    def peek(self) -> bytes:
        """Skip white space, and return the next byte; empty at the end of the file."""
        while True:
            space = _SPACE.match(self._data, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self._data):
                return self._data[self.at : self.at + 1]
            if not self._more():
                return b""

    def many(self) -> list[bytes]:
        """Cut many objects from the window at once; return an empty list if that isn't possible.

        The text up to a cut between two objects is a JSON array without its brackets: if it parses, the cut was right.
        If not, `element` goes through the window.
        """
        if self._by_hand > 0:
            return []
        end = cut = min(self.at + _WINDOW, len(self._data))
        for _ in range(_CUTS):
            cut = self._data.rfind(b"},", self.at, cut)
            if cut < 0:
                break
            try:
                found = _SPANS.decode(b"[%b}]" % self._data[self.at : cut])
            except (msgspec.DecodeError, RecursionError):
                continue
            self.at = cut + 2
            return [bytes(span) for span in found]
        self._by_hand = end - self.at
        return []

    def element(self) -> bytes:
        """Cut out the next element, of whatever type."""
        mark = self.peek()
        if mark in (b"{", b"["):
            end = self._past_brackets()
        elif mark == b'"':
            end = self._past_string()
        else:
            end = self._past_scalar()
        if end - self.at > self._longest:
            raise too_long(self._longest)
        self._by_hand -= end - self.at
        start, self.at = self.at, end
        return self._data[start:end]

    def rest(self) -> bytes:
        """Return the rest of the file."""
        while self._more():
            pass
        if len(self._data) - self.at > self._longest:
            raise too_long(self._longest)
        return self._data[self.at :]

    def ends(self, mark: bytes) -> bool:
        """Go past the bracket that ends an empty array or object, if it is next; return whether it is."""
        found = self.peek() == mark
        self.at += found
        return found

    def follows(self, comma: bytes, end: bytes) -> bool:
        """Go past what is next, a comma or the end of an array or object; return whether it is the comma."""
        mark = self.peek()
        if mark not in (comma, end):
            raise self.broken()
        self.at += 1
        return mark == comma

    def member(self, name: str) -> bool:
        """Go from the beginning of an object's member to the value of the next one with this name.

        Return False if there is none; then the object's end has been passed.
        """
        while self._key() != name:
            self._pass_value()
            if not self.follows(b",", b"}"):
                return False
        return True

    def _key(self) -> str:
        key = self.element() if self.peek() == b'"' else b""
        if not _is_json(key) or self.peek() != b":":
            raise self.broken()
        self.at += 1
        try:
            return str(msgspec.json.decode(key))
        except msgspec.DecodeError:
            return ""  # it has half a surrogate pair in it, for one, and so is another name

    def _pass_value(self) -> None:
        """Go past a value; of an array, however long, no more than an element is in memory."""
        values = _elements(self) if self.peek() == b"[" else iter([self.element()])
        if not all(map(_is_json, values)):
            raise self.broken()

    def broken(self) -> BadFileError:
        """Return the error for a fault at this place."""
        fault = "isn't valid JSON" if self._data[self.at :] else "is incomplete"
        return BadFileError(f"its {self.what} {fault}")

    def _past_brackets(self) -> int:
        depth, end = 0, self.at
        while True:
            found = _BRACKET.match(self._data, end)
            if found is not None:
                end = found.end()
                depth += 1 if found[1] in b"[{" else -1
                if depth == 0:
                    return end
            else:
                end -= self.at
                if not self._more():
                    raise BadFileError(f"its {self.what} is incomplete")

    def _past_string(self) -> int:
        while True:
            found = _STRING.match(self._data, self.at)
            if found is not None:
                return found.end()
            if not self._more():
                raise BadFileError(f"its {self.what} is incomplete")

    def _past_scalar(self) -> int:
        while True:
            found = _SCALAR.match(self._data, self.at)
            if found is None:
                raise self.broken()
            if found.end() < len(self._data) or not self._more():
                return found.end()

    def _more(self) -> bool:
        """Read the next block, and drop what was cut out, so that `at` becomes 0; return False at the end."""
        unread = len(self._data) - self.at
        if unread > self._longest:
            raise too_long(self._longest)
        # Twice as much each time, because the unfinished element will be scanned again.
        data = self._stream.read(max(self._block, unread))
        self._data = self._data[self.at :] + data
        self.at = 0
        return bool(data)


def _checked_object(text: bytes) -> bytes:
    # An incomplete object, or two objects, are a fault of the file, not of a record.
    if _is_json(text):
        return text
    if _is_json(text.partition(b"\n")[0]):
        raise BadFileError(
            "it contains more than one JSON text; a file of JSON lines is named .jsonl, or read with "
            "FileSource(path, format='jsonl')"
        )
    raise BadFileError("it isn't valid JSON")


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    except RecursionError:
        pass  # nested too deeply for a record: the vendor's check rejects it
    return True
