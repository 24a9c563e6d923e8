"""Finds out what became last of the records that a run rejected, held, or left unknown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from airflow_provider_userdata.delivery.recording import (
    Folder,
    ReceiptLine,
    RejectLine,
    numbered_lines,
    read_log,
    receipts_name,
    rejects_name,
)
from airflow_provider_userdata.delivery.report import Fate


class LastFate(msgspec.Struct, frozen=True, gc=False):
    """What became of a record, and where its line is.

    :param file: the name of the rejects file.
    :param line: the number of its line there, from 1.
    :param erased: whether the record was erased.
    """

    fate: Fate
    rule: str
    file: str
    line: int
    erased: bool = False


def last_fates(folder: Folder, attempts: Iterable[str]) -> dict[int, LastFate]:
    """Return the last line of each position that was not delivered since. Blocks.

    :param attempts: in their order.
    """
    found: dict[int, LastFate] = {}
    for attempt in attempts:
        with contextlib.suppress(FileNotFoundError):
            for file, number, text in numbered_lines(folder, rejects_name(attempt)):
                with contextlib.suppress(msgspec.DecodeError):
                    reject = msgspec.json.decode(text, type=RejectLine)
                    found[reject.position] = LastFate(reject.fate, reject.rule, file, number, reject.erased)
        for receipt in _receipts(folder, attempt):
            for start, length in receipt.ranges:
                for position in range(start, start + length) if length < len(found) else _within(found, start, length):
                    found.pop(position, None)
    return found


def _within(found: Mapping[int, object], start: int, length: int) -> list[int]:
    return [position for position in found if start <= position < start + length]


def _receipts(folder: Folder, attempt: str) -> Iterator[ReceiptLine]:
    with contextlib.suppress(FileNotFoundError):
        for line in read_log(folder, receipts_name(attempt), 0):
            with contextlib.suppress(msgspec.DecodeError):
                yield msgspec.json.decode(line, type=ReceiptLine)
