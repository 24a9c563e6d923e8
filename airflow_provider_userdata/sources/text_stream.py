"""A text file of any encoding as a stream of UTF-8, without its first lines."""

from __future__ import annotations

import codecs
from typing import IO

from airflow_provider_userdata.sources.file_limits import BadFileError

_BLOCK = 2**16


class TextStream:
    """Reads a file as UTF-8.

    :param raw: the file.
    :param encoding: the file's encoding, as Python's `codecs` names it.
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
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._line = 1
        self._left = b""
        self._ended = False
        self._skip()

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end.

        :raises BadFileError: if the file has another encoding.
        """
        while not self._left and not self._ended:
            self._left = self._more()
        data, self._left = self._left[:size], self._left[size:]
        return data

    def _more(self) -> bytes:
        """Return the next block as UTF-8."""
        block = self._raw.read(_BLOCK)
        self._ended = not block
        try:
            text = self._decoder.decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            line = self._line + error.object[: error.start].decode(self._encoding, "ignore").count("\n")
            raise BadFileError(
                f"line {line} has bytes that are not {self._encoding}; name the file's encoding, as in "
                "FileSource(path, encoding='cp932')"
            ) from None
        self._line += text.count("\n")
        return text.encode("utf-8", "surrogatepass")

    def _skip(self) -> None:
        for _ in range(self._skip_lines):
            while (end := self._left.find(b"\n")) < 0 and not self._ended:
                self._left += self._more()
            self._left = self._left[end + 1 :] if end >= 0 else b""
