"""Finds the lines of a run's files that mention a user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from airflow_provider_userdata.cli.mentions import Mentions, decoded
from airflow_provider_userdata.cli.run_folders import RunFolder
from airflow_provider_userdata.delivery.reading import OriginalRow
from airflow_provider_userdata.delivery.recording import (
    RECEIPT_FIELDS,
    beginning_of_original,
    is_local,
    original_in,
)

KINDS = RECEIPTS, REJECTS, ORIGINALS = "receipts", "rejects", "originals"


@dataclass(frozen=True)
class UserLine:
    """A line that mentions the user.

    :param kind: `receipts`, `rejects` or `originals`.
    :param file: the file's name.
    :param offset: where the line begins in the file.
    :param text: the line's bytes, with its end.
    :param value: what it says; None for one that can't be read, because a crash cut it short.
    :param fields: the fields of the record that hold the user.
    """

    kind: str
    file: str
    offset: int
    text: bytes
    value: dict[str, Any] | None = None
    fields: frozenset[str] = frozenset()

    @property
    def position(self) -> int:
        """The record's position in the source; -1 if the line can't say."""
        found = (self.value or {}).get("position")
        return found if isinstance(found, int) else -1


def lines_with(folder: RunFolder, user: Mentions) -> list[UserLine]:
    """Return the lines of a run's files that mention a user, in the order in which they were written.

    Receipts name their users. Of rejects, records count; and what the source was read as where they were.
    """
    found = [*_receipts(folder, user), *_rejects(folder, user)]
    rejected = {(_attempt(folder, line.file), line.position) for line in found if line.kind == REJECTS}
    return [*found, *_originals(folder, user, rejected)]


def _receipts(folder: RunFolder, user: Mentions) -> Iterator[UserLine]:
    for file, offset, text in _lines(folder, RECEIPTS, user):
        value = decoded(text)
        if isinstance(value, dict):
            if user.user in [str(item) for name, item in value.items() if name not in RECEIPT_FIELDS]:
                yield UserLine(RECEIPTS, file, offset, text, value)
        elif user.is_in_text(text.decode(errors="replace")):
            yield UserLine(RECEIPTS, file, offset, text)


def _rejects(folder: RunFolder, user: Mentions) -> Iterator[UserLine]:
    for file, offset, text in _lines(folder, REJECTS, user):
        value = decoded(text)
        if isinstance(value, dict):
            if fields := user.fields_in(value.get("record")):
                yield UserLine(REJECTS, file, offset, text, value, frozenset(fields))
        elif user.is_in_text(text.decode(errors="replace")):
            yield UserLine(REJECTS, file, offset, text)


def _originals(folder: RunFolder, user: Mentions, rejected: set[tuple[str, int]]) -> Iterator[UserLine]:
    """Yield the lines of what was read of rejected records, and of others that mention the user."""
    for _, file in folder.of_kind(ORIGINALS):
        positions = {position for attempt, position in rejected if attempt == _attempt(folder, file.name)}
        for offset, text in folder.reader.placed_lines(file):
            original = original_in(text)
            if original is None:
                if not isinstance(decoded(text), dict) and user.is_in_text(beginning_of_original(text)):
                    yield UserLine(ORIGINALS, file.name, offset, text)
                continue
            position, row = original
            if row.is_kept and (position in positions or _mentions(row, user)):
                yield UserLine(ORIGINALS, file.name, offset, text, decoded(text))


def _mentions(row: OriginalRow, user: Mentions) -> bool:
    """Return whether a row as it was read, a line or cells in MessagePack, mentions the user."""
    if row.line is not None:
        if not user.may_be_in(row.line):
            return False
        value = decoded(row.line)
        return bool(user.fields_in(value)) or (value is None and user.is_in_text(row.line.decode(errors="replace")))
    try:
        return user.are_in_cells(msgspec.msgpack.decode(row.cells or b"\xc0"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _lines(folder: RunFolder, kind: str, user: Mentions) -> Iterator[tuple[str, int, bytes]]:
    """Yield the lines that may mention the user, each after its file's name and where it begins there."""
    for _, file in folder.of_kind(kind):
        for offset, text in folder.reader.placed_lines(file, user.may_be_in):
            yield file.name, offset, text


def _attempt(folder: RunFolder, file: str) -> str:
    """Return the attempt that wrote a file."""
    attempt = file.removesuffix(".jsonl").partition("-")[2]
    return attempt if is_local(folder.path) else attempt.rpartition("-")[0]
