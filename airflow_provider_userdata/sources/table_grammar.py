"""The strict grammar of CSV and TSV: which text is whole records, and what is wrong with other text.

The `csv` module is more tolerant: it accepts a quote inside an unquoted cell, and a quote that is meant as text may
open a cell that extends into other people's rows. Text that could be read in two ways is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_provider_userdata.sources.file_limits import BadFileError

_NEVER = b"(?!)"
_INSIDE = rb'[^"]*+(?:""[^"]*+)*+'
_INSIDE_WITHOUT_TABS = rb'[^"\t]*+(?:""[^"\t]*+)*+'
_INSIDE_A_LINE = rb'[^"\r\n]*+(?:""[^"\r\n]*+)*+'
_OPENS_FOR_A_REASON = rb'"(?=[^"\t\r\n]*+(?:""|[\t\r\n]))'
_ESCAPED = "is it escaped with a backslash, as Spark and MySQL write it?"
_NOT_ESCAPED = (
    "Then read it with FileSource(path, escape='\\\\'). Or double a quote inside a quoted cell, and escape nothing "
    "else; or write the table as JSON lines"
)
_QUOTES_ARE_TEXT = "; if all quotes in it are text, read it with FileSource(path, quote=None)"
_OPENING = re.compile(rb'(?<![^\t\r\n])"')


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the cells of a table are written: each an ASCII character, or None."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None


class Grammar:
    """The grammar of a record: cells with a delimiter between them, up to a line end.

    :param delimiter: the character between cells.
    :param quoted: the pattern of a quoted cell.
    :param begun: the pattern of a quoted cell that more text may complete.
    :param plain: the pattern of an unquoted cell.
    :param end: the header's line end. All lines must end alike: another line end may be text in a cell.
    :param width: how many cells a record has if one of them is quoted; None for any number.
    """

    def __init__(
        self, dialect: Dialect, quoted: bytes, begun: bytes, plain: bytes, end: bytes, width: int | None = None
    ) -> None:
        self._dialect = dialect
        self._quote, self._escape = (mark.encode() if mark else b"" for mark in (dialect.quote, dialect.escape))
        delimiter = re.escape(dialect.delimiter.encode())
        # After a header with CR LF, a bare LF can't be text of an unquoted cell. (Windows' text mode writes CR CR LF.)
        line_end = rb"\r*+\n" if end.endswith(b"\r\n") else end or b"\n"
        self._end, self._foreign = (b"\r", b"\n") if end == b"\r" else (b"\n", b"\r")
        self._fault_of_end = re.compile(rb"\r(?![\r\n])" if end.endswith(b"\r\n") else self._foreign)
        cell = b"(?:%b|%b)" % (quoted, plain)
        cells = b"(?:%b%b)*+" % (cell, delimiter)
        record = cells + cell + line_end
        if width is not None:
            unquoted = b"(?:%b%b)*+%b%b" % (plain, delimiter, plain, line_end)
            record = b"(?:%b|(?:%b%b){%d}+%b%b)" % (unquoted, cell, delimiter, width - 1, cell, line_end)
        self._cells = re.compile(cells)
        self._other_end = re.compile(b"%b(?!%b)[\r\n]" % (plain, line_end))
        half = b"(?:%b|)" % re.escape(self._escape)  # an escape may be the last that is there of a text
        self._quoted, self._part = re.compile(quoted), re.compile(b"(?:%b|%b)" % (begun, plain))
        self._begun = re.compile(b"%b(?:%b|%b)%b" % (cells, begun, plain, half))
        self._records = re.compile(b"(?:%b)*+" % record)

    def whole(self, text: bytes, end: int | None = None) -> int:
        """Return where the whole records at the beginning of a text end.

        :param end: how far to look. Default: to the end of the text.
        """
        found = self._records.match(text, 0, len(text) if end is None else end)
        return found.end() if found else 0

    def whole_unquoted(self, text: bytes) -> int:
        """Return the same as `whole` for a text without quotes, faster."""
        end = text.rfind(self._end) + 1
        foreign = self._foreign in text and self._fault_of_end.search(text, 0, end)
        return self.whole(text) if foreign else end

    def finished(self, text: bytes) -> bytes:
        """Return the end of a file with a line end, which its last line may lack."""
        return text if text.endswith((b"\r", b"\n")) else text + self._end

    def may_go_on(self, text: bytes) -> bool:
        """Return whether a text could become a whole record if more followed."""
        return self._begun.fullmatch(text) is not None

    def stops(self, text: bytes) -> int:
        """Return where the first faulty or unfinished cell of a text begins."""
        found = self._cells.match(text)
        return found.end() if found else 0

    def fault(self, text: bytes, line: int) -> BadFileError:
        """Return the error for a text that doesn't begin with a valid record.

        :param line: the number of its first line.
        """
        at = self.stops(text)
        opens = line + lines_in(text[:at])
        if (fault := self._fault_of_escape(text, at, opens)) is not None:
            return fault
        hint = f": {_ESCAPED} {_NOT_ESCAPED}" if not self._escape and b'\\"' in text[at : at + 2**16] else ""
        if not self._quote or not text.startswith(self._quote, at):
            return self._fault_of_plain(text, at, opens) or BadFileError(
                f"line {opens} has a quote inside a cell that isn't quoted{hint or _QUOTES_ARE_TEXT}"
            )
        if self._quoted.pattern == _NEVER:
            return _unsure(opens)
        closed = self._quoted.match(text, at)
        if closed is None:
            return BadFileError(f"the quote that opens on line {opens} is never closed{hint or _QUOTES_ARE_TEXT}")
        closes = opens + lines_in(closed[0])
        opened = "" if closes == opens else f", which opens on line {opens}"
        return BadFileError(f"line {closes} has text after the quote that closes a cell{opened}{hint}")

    def _fault_of_escape(self, text: bytes, at: int, line: int) -> BadFileError | None:
        part = self._part.match(text, at)
        end = part.end() if part else at
        if self._escape and text[at:end].endswith((b"\r", b"\n")):
            end -= 1  # the file ends with an escaped line end
        elif not self._escape or not text.startswith(self._escape, end):
            return None
        return BadFileError(
            f"line {line + lines_in(text[at:end])} has an escape that could be read in two ways: escape nothing but "
            f"quotes, delimiters, line ends (CR LF only within quotes) and {self._dialect.escape!r} itself; or write "
            "the table as JSON lines"
        )

    def _fault_of_plain(self, text: bytes, at: int, line: int) -> BadFileError | None:
        if not self._other_end.match(text, at):
            return None
        return BadFileError(
            f"line {line} ends differently from the header's: use the same line end everywhere, and quote a cell that "
            "contains one"
        )


class UnsureGrammar(Grammar):
    """The grammar of a TSV file whose header isn't quoted: quotes may be text, or enclose cells.

    They enclose a cell if the cell needs quotes, and its row then has as many cells as the header. Inside a cell they
    are text.
    """

    def __init__(self, width: int, end: bytes) -> None:
        # A quoted cell with both a line end and a tab could be other people's rows, if the quotes are text; in a table
        # of one column, so could one with a line end.
        either = (_INSIDE_WITHOUT_TABS if width > 1 else _INSIDE_A_LINE, _INSIDE_A_LINE)
        super().__init__(
            Dialect("\t"),
            _OPENS_FOR_A_REASON + b'(?:%b"|%b")' % either,
            b'"(?:%b"?|%b"?)' % either,
            rb'(?:[^"\t\r\n][^\t\r\n]*+|)',
            end,
            width,
        )

    def fault(self, text: bytes, line: int) -> BadFileError:
        """Return the error for a cell that begins with a quote and could be read in two ways."""
        at = self.stops(text)
        if (fault := self._fault_of_plain(text, at, line + lines_in(text[:at]))) is not None:
            return fault
        opening = _OPENING.search(text)
        place = line + lines_in(text[: opening.start() if opening else at])
        return _unsure(place)


def grammar_of(dialect: Dialect, header: bytes, end: bytes) -> Grammar:
    """Return the grammar of a table with this first line of its header, and this line end after it."""
    quote, escape = ((mark or "").encode() for mark in (dialect.quote, dialect.escape))
    delimiter = dialect.delimiter.encode()
    unsure = (delimiter, quote) == (b"\t", b'"') and not (header.startswith(b'"') or b'\t"' in header)
    if unsure and not escape:
        return UnsureGrammar(header.count(b"\t") + 1, end)
    delimiter, mark, before = re.escape(delimiter), re.escape(quote), re.escape(escape)
    marks = mark + delimiter + before
    plain = other = b"[^%b\r\n]*+" % marks
    if escape:
        # An escape before CR LF, outside of quotes, may be meant for both, or for CR alone.
        plain = rb"%b(?:%b(?:[%b\n]|\r(?!\n))%b)*+" % (other, before, marks, other)
    if not quote or unsure:
        return Grammar(dialect, _NEVER, _NEVER, plain, end)
    other = b"[^%b%b]*+" % (mark, before)
    text = rb"(?:%b|%b[%b\r\n])" % (mark * 2, before, marks) if escape else mark * 2
    inside = b"%b%b(?:%b%b)*+" % (mark, other, text, other)
    return Grammar(dialect, inside + mark, b"%b%b?" % (inside, mark), plain, end)


def _unsure(line: int) -> BadFileError:
    return BadFileError(
        f"line {line} has a cell that begins with a quote, which may be text, or enclose the cell; if it is text, read "
        "the table with FileSource(path, quote=None); if it encloses the cell, put quotes around the header's names too"
    )


def lines_in(text: bytes) -> int:
    """Return the number of line ends in a text."""
    return text.count(b"\n") + (text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0)


def is_text(text: bytes, at: int, dialect: Dialect) -> bool:
    """Return whether a backslash is text, not an escape.

    A writer that escapes puts it before a backslash, a quote, the delimiter or a line end, or an `N` that is a cell.

    :param at: the index of its first backslash.
    """
    quote = re.escape(dialect.quote or '"').encode()
    others = rb"\"',;|:\t\r\n" + quote + re.escape(dialect.delimiter).encode()
    # What follows a doubled quote is looked at, too: an escaped quote may be followed by the one that closes the cell.
    escapes_nothing = rb"\\(?:\\\\)*+(?:[^\\%b]|%b%b[^%b])" % (others, quote, quote, others)
    null = rb"(?<![^%b])\\N(?![^%b])" % (others, others)
    return re.compile(escapes_nothing).match(text, at) is not None and not re.compile(null).match(text, at)


def escaped(line: int) -> BadFileError:
    """Return the error for a backslash that may be an escape."""
    return BadFileError(f"line {line} has a backslash that may be an escape, or text: {_ESCAPED} {_NOT_ESCAPED}")
