"""Cuts a table's text at the ends of its records."""

from __future__ import annotations

import re
from collections.abc import Iterator

from airflow_provider_userdata.sources.file_limits import BOM, BadFileError, Readable, too_long
from airflow_provider_userdata.sources.quoting import Grammar, escaped, grammar_of, is_text, lines_in

_FIRST_LINE = re.compile(rb"(?:[\t ]*+[\r\n]++)*+([^\r\n]*+)(\r*+\n|\r|)")


class Cutter:
    """Gives a table's text in pieces of whole records, each with its line's end; what came before a fault, first.

    :param stream: the file.
    :param delimiter: what separates cells.
    :param longest: about the most bytes of a record.
    :param block: how many bytes are read at once.
    """

    def __init__(self, stream: Readable, delimiter: str, longest: int, block: int) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._longest = longest
        self._block = block
        self._line = 1
        self._ended = False
        self._knows_backslashes = False

    def __iter__(self) -> Iterator[bytes]:
        text = self._beginning()
        grammar = grammar_of(self._delimiter, *_first_line(text).groups())
        while text:
            text = grammar.finished(text) if self._ended else text
            end, fault = self._cut(grammar, text)
            if end:
                yield text[:end]
                self._line += lines_in(text[:end])
            if fault is not None:
                raise fault
            text = text[end:]
            if len(text) > self._longest:
                raise self._too_long(grammar, text)
            text = self._more(text) if not self._ended else b""

    def _beginning(self) -> bytes:
        """Read until the header's first line is there."""
        text = self._more(b"")
        while not self._ended and (len(text) < len(BOM) or not _first_line(text)[2]) and len(text) <= self._longest:
            text = self._more(text)
        return text.removeprefix(BOM)

    def _more(self, text: bytes) -> bytes:
        """Return a text and what follows."""
        # The more, the longer the record: what is unfinished will be looked through again.
        data = self._stream.read(max(self._block, len(text) // 4))
        while data.endswith(b"\r") and (next_byte := self._stream.read(1)):
            data += next_byte
        self._ended = not data
        return text + data

    def _cut(self, grammar: Grammar, text: bytes) -> tuple[int, BadFileError | None]:
        """Find where the whole records end, and what is wrong with the next one, if that is known already."""
        end = grammar.whole(text) if b'"' in text else grammar.whole_unquoted(text)
        broken = end < len(text) and (self._ended or not grammar.may_go_on(text[end:]))
        if not self._knows_backslashes and (at := text.find(b"\\", 0, end)) >= 0:
            self._knows_backslashes = is_text(text, at)
            if not self._knows_backslashes:
                return grammar.whole(text, at), escaped(self._line + lines_in(text[:at]))
        return end, grammar.fault(text[end:], self._line + lines_in(text[:end])) if broken else None

    def _too_long(self, grammar: Grammar, text: bytes) -> BadFileError:
        at = grammar.stops(text)
        if text[at : at + 1] != b'"':
            return too_long(self._longest)
        line = self._line + lines_in(text[:at])
        return BadFileError(f"{too_long(self._longest)}: the quote that opens on line {line} isn't closed before")


def _first_line(text: bytes) -> re.Match[bytes]:
    found = _FIRST_LINE.match(text.removeprefix(BOM))
    assert found is not None  # noqa: S101  # it matches the empty text, too
    return found
