"""Cuts the text of a CSV or TSV file at the ends of its records."""

from __future__ import annotations

import re
from collections.abc import Iterator

from airflow_provider_userdata.sources.file_limits import BOM, BadFileError, Readable, too_long
from airflow_provider_userdata.sources.table_grammar import Dialect, Grammar, escaped, grammar_of, is_text, lines_in

_FIRST_LINE = re.compile(rb"(?:[\t ]*+[\r\n]++)*+([^\r\n]*+)(\r*+\n|\r|)")


class Cutter:
    """Iterates over a table's text in pieces of whole records, with their line ends, and the number of its first line.

    Raises `BadFileError` at a fault; the records before it are yielded first.

    :param longest: about the most bytes of a record.
    :param block: bytes per read.
    :param line: the number of the stream's first line.
    """

    def __init__(self, stream: Readable, dialect: Dialect, longest: int, block: int, line: int = 1) -> None:
        self._stream = stream
        self._dialect = dialect
        self._marks = [mark.encode() for mark in (dialect.quote, dialect.escape) if mark]
        self._longest = longest
        self._block = block
        self._line = line
        self._ended = False
        self._knows_backslashes = dialect.escape is not None

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        text = self._beginning()
        grammar = grammar_of(self._dialect, *_first_line(text).groups())
        while text:
            text = grammar.finished(text) if self._ended else text
            end, fault = self._cut(grammar, text)
            if end:
                yield self._line, text[:end]
                self._line += lines_in(text[:end])
            if fault is not None:
                raise fault
            text = text[end:]
            if len(text) > self._longest:
                raise self._too_long(grammar, text)
            text = self._more(text) if not self._ended else b""

    def _beginning(self) -> bytes:
        """Return the beginning of the file, with at least the header's first line."""
        text = self._more(b"")
        while not self._ended and (len(text) < len(BOM) or not _first_line(text)[2]) and len(text) <= self._longest:
            text = self._more(text)
        return text.removeprefix(BOM)

    def _more(self, text: bytes) -> bytes:
        """Return a text with the next block of the file appended."""
        # Larger blocks for longer records, because the unfinished record will be scanned again.
        data = self._stream.read(max(self._block, len(text) // 4))
        while data.endswith(b"\r") and (next_byte := self._stream.read(1)):
            data += next_byte
        self._ended = not data
        return text + data

    def _cut(self, grammar: Grammar, text: bytes) -> tuple[int, BadFileError | None]:
        """Return where the whole records end, and the fault of the next one, if it has one for certain."""
        plain = not any(mark in text for mark in self._marks)
        end = grammar.whole_unquoted(text) if plain else grammar.whole(text)
        broken = end < len(text) and (self._ended or not grammar.may_go_on(text[end:]))
        if not self._knows_backslashes and (at := text.find(b"\\", 0, end)) >= 0:
            self._knows_backslashes = is_text(text, at, self._dialect)
            if not self._knows_backslashes:
                return grammar.whole(text, at), escaped(self._line + lines_in(text[:at]))
        return end, grammar.fault(text[end:], self._line + lines_in(text[:end])) if broken else None

    def _too_long(self, grammar: Grammar, text: bytes) -> BadFileError:
        at = grammar.stops(text)
        if not self._dialect.quote or not text.startswith(self._dialect.quote.encode(), at):
            return too_long(self._longest)
        line = self._line + lines_in(text[:at])
        return BadFileError(f"{too_long(self._longest)}: the quote that opens on line {line} isn't closed before")


def _first_line(text: bytes) -> re.Match[bytes]:
    found = _FIRST_LINE.match(text.removeprefix(BOM))
    assert found is not None  # noqa: S101  # it also matches the empty text
    return found
