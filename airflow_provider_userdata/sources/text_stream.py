"""A text file as a stream of UTF-8, whatever its encoding, without its first lines."""

from __future__ import annotations

import codecs
import re
from typing import IO

from airflow_provider_userdata.sources.file_limits import BadFileError

_LINE_END = re.compile(rb"\r\n|\n|\r(?=.)", re.DOTALL)


class TextStream:
    """Reads a file as UTF-8. What comes before a fault is returned first.

    :param raw: the file.
    :param encoding: the file's encoding, as Python's `codecs` names it. UTF-8 is passed on unchecked.
    :param skip_lines: how many lines at its beginning are left out.
    """

    def __init__(self, raw: IO[bytes], encoding: str, skip_lines: int = 0) -> None:
        self._raw = raw
        self._encoding = encoding
        self._skip_lines = skip_lines
        self.seek(0)

    def seek(self, place: int) -> None:
        """Go back to the beginning: `place` is 0."""
        self._raw.seek(place)
        self._decoder = None if is_utf_8(self._encoding) else codecs.getincrementaldecoder(self._encoding)()
        self._line = 1
        self._ended_in_cr = False
        self._left = b""
        self._ended = False
        self._fault: BadFileError | None = None
        self._to_skip = self._skip_lines

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end.

        :raises BadFileError: if the file has another encoding.
        """
        for _ in range(self._to_skip):
            self._skip_line(size)
        self._to_skip = 0
        while not self._left and not self._ended:
            self._left = self._more(size)
        data, self._left = self._left[:size], self._left[size:]
        return data

    def _more(self, size: int) -> bytes:
        """Return about the next `size` bytes as UTF-8."""
        if self._fault is not None:
            raise self._fault
        block = self._raw.read(size)
        self._ended = not block
        if self._decoder is None:
            return block
        state = self._decoder.getstate()
        try:
            text = self._decoder.decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            self._decoder.setstate((b"", state[1]))
            text = self._decoder.decode(error.object[: error.start])
            self._ended = False
            self._fault = BadFileError(
                f"line {self._line + self._ends_in(text)} has bytes that are not {self._encoding}; name the file's "
                "encoding, as in FileSource(path, encoding='cp932')"
            )
        self._line += self._ends_in(text)
        self._ended_in_cr = text.endswith("\r") if text else self._ended_in_cr
        return text.encode("utf-8", "surrogatepass")

    def _ends_in(self, text: str) -> int:
        """Return how many lines end in a text, without one whose CR was the text before."""
        return text.count("\n") + text.count("\r") - text.count("\r\n") - (self._ended_in_cr and text[:1] == "\n")

    def _skip_line(self, size: int) -> None:
        while not (end := _LINE_END.search(self._left)) and not self._ended:
            self._left = self._left[-1:] + self._more(size)  # it may be half of CR LF
        self._left = self._left[end.end() :] if end else b""


def is_utf_8(encoding: str) -> bool:
    """Return whether an encoding is UTF-8, with or without a byte order mark."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
