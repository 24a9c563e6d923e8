"""The lines of a table as long as nothing in it is quoted: to cut them at the delimiter is all that `csv` would do."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_userdata.sources.streams import BOM, Readable

ERRORS = "surrogateescape"
"""A bad byte must reject its own row, not end the file: it becomes a lone surrogate, which no check lets pass."""
_QUOTE = b'"'


class UnquotedLines:
    """Gives whole lines up to the first block with a quote, and has the rest to be read.

    A quoted cell may hold delimiters and line breaks, and run over many blocks. Left to the rest are also lines longer
    than a block, whose length is to be limited, and a last line that has no line break.

    :param stream: the file.
    :param block: how many bytes are read at once; 0 leaves all to the rest.
    """

    def __init__(self, stream: Readable, block: int) -> None:
        self._stream = stream
        self._block = block
        self._rest = b""
        self.count = 0
        """How many lines were given."""

    def __iter__(self) -> Iterator[list[str]]:
        while data := self._stream.read(self._block):
            self._rest += data
            end = self._rest.rfind(b"\n") + 1
            whole, tail = self._rest[:end], self._rest[end:]
            if _QUOTE in whole or len(tail) > self._block:
                return
            if whole:
                lines = _lines(whole if self.count else whole.removeprefix(BOM))
                self._rest = tail
                self.count += len(lines)
                yield lines

    def read(self, size: int, /) -> bytes:
        """Read on in what was not given as lines."""
        if not self._rest:
            return self._stream.read(size)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _lines(text: bytes) -> list[str]:
    # Text would also be cut at line ends that `csv` doesn't know; `splitlines` of bytes knows the same three.
    if b"\r" in text:
        return [str(line, "utf-8", ERRORS) for line in text.splitlines()]
    return str(text, "utf-8", ERRORS).split("\n")[:-1]
