"""Cuts JSON elements out of a window on a file, each with its bytes unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from airflow_provider_userdata.sources.file_limits import BOM, BadFileError, EmptyFileError, Readable, too_long

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb'[^ \t\r\n,\[\]{}"]++')
# Up to the next bracket that isn't inside a string. Possessive: no backtracking.
_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL)
_WINDOW = 2**18
_CUTS = 3
_SPANS = msgspec.json.Decoder(list[msgspec.Raw])


class JsonCutter:
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

    def elements(self) -> Iterator[bytes]:
        """Yield the elements of the array that begins here, and go past its end."""
        self.at += 1
        more = not self.ends(b"]")
        while more:
            while run := self.many():
                yield from run
            yield self.element()
            more = self.follows(b",", b"]")

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
        if not is_json(key) or self.peek() != b":":
            raise self.broken()
        self.at += 1
        try:
            return str(msgspec.json.decode(key))
        except msgspec.DecodeError:
            return ""  # it has half a surrogate pair in it, for one, and so is another name

    def _pass_value(self) -> None:
        """Go past a value; of an array, however long, no more than an element is in memory."""
        values = self.elements() if self.peek() == b"[" else iter([self.element()])
        if not all(map(is_json, values)):
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


def is_json(text: bytes) -> bool:
    """Return whether a text is JSON; also if it is nested too deeply to be read."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    except RecursionError:
        pass  # nested too deeply for a record: the vendor's check rejects it
    return True
