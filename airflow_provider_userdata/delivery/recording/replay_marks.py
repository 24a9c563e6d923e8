"""What became of rejects that were sent again: a file beside them for each attempt that did so."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from airflow_provider_userdata.delivery.recording.append_log import AppendLog, Folder, is_local, open_log, read_log
from airflow_provider_userdata.delivery.recording.attempt_lines import Count
from airflow_provider_userdata.delivery.report import Fate

MARKS = "replayed-"
"""How the names of these files begin."""

Marks = dict[str, dict[int, Fate]]
"""The fates of rejects that were sent again, by the rejects file's name and by the line there, from 1."""


class _Line(msgspec.Struct):
    """A line of the marks: what became of some rejects.

    :param file: the name of the rejects file.
    :param lines: as `(first, count)`.
    :param positions: of records whose lines were removed since, as `(first, count)`.
    """

    file: str
    lines: Sequence[Sequence[Count]]
    fate: Fate
    positions: Sequence[Sequence[Count]] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


class ReplayMarks:
    """Marks the rejects of one folder that an attempt sends again.

    :param run: the run that sends them.
    """

    def __init__(self, folder: Folder, run: str, attempt: str) -> None:
        self._log: AppendLog = open_log(folder, f"{marks_name(run)}{attempt}")
        self._changed = False

    def record(self, file: str, lines: Sequence[Sequence[int]], fate: Fate) -> None:
        """Write what became of the lines of a file.

        :raises OutputError: if it can't be written.
        """
        self._log.append(_encode(_Line(file, lines, fate)))
        self._changed = True

    def record_positions(self, positions: Sequence[Sequence[int]], fate: Fate) -> None:
        """Write what became of records whose lines are about to be removed.

        :raises OutputError: if it can't be written.
        """
        self._log.append(_encode(_Line("", (), fate, positions)))
        self._changed = True

    def flush(self) -> None:
        """Write everything to disk. Blocks."""
        if self._changed:
            self._log.seal()
            self._log.flush()

    def close(self) -> None:
        """Write what is waiting, and close the file. Blocks."""
        if self._changed:
            self._log.close()


def read_marks(folder: Folder, *, but_of: str | None = None) -> Marks:
    """Return what became of rejects in a folder that were sent again. A torn line counts as none. Blocks.

    :param but_of: a run whose own marks are left out.
    """
    own = None if but_of is None else marks_name(but_of)
    names = sorted(name for name in _names(folder) if own is None or not name.startswith(own))
    return marks_of(chain.from_iterable(_lines(folder, name) for name in names))


def marks_of(lines: Iterable[bytes]) -> Marks:
    """Return what lines say that `ReplayMarks` wrote. A damaged line counts as none."""
    found: Marks = {}
    for text in lines:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            line = _decode(text)
            fates = found.setdefault(line.file, {})
            for place in _places(line.lines):
                if fates.get(place) is not Fate.DELIVERED:
                    fates[place] = line.fate
    return found


def read_positions(folder: Folder) -> list[tuple[Fate, Sequence[Sequence[int]]]]:
    """Return what became of records that were sent again, and whose lines were removed since. Blocks."""
    return positions_of(chain.from_iterable(_lines(folder, name) for name in sorted(_names(folder))))


def positions_of(lines: Iterable[bytes]) -> list[tuple[Fate, Sequence[Sequence[int]]]]:
    """Return the same, of lines that `ReplayMarks` wrote."""
    found = []
    for text in lines:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            line = _decode(text)
            if line.positions:
                found.append((line.fate, line.positions))
    return found


def marks_name(run: str) -> str:
    """Return how the names of the files begin that a run writes into the folders whose rejects it sends again."""
    return f"{MARKS}{hashlib.blake2b(run.encode(), digest_size=8).hexdigest()}-"


def _names(folder: Folder) -> Iterable[str]:
    names = {path.name.removesuffix(".jsonl") for path in folder.iterdir() if path.name.startswith(MARKS)}
    return names if is_local(folder) else {name.rpartition("-")[0] for name in names}  # without the parts' numbers


def _lines(folder: Folder, name: str) -> Iterator[bytes]:
    with contextlib.suppress(FileNotFoundError):
        yield from read_log(folder, name, 0)


def _places(lines: Iterable[Sequence[int]]) -> Iterator[int]:
    for first, count in lines:
        yield from range(first, first + count)
