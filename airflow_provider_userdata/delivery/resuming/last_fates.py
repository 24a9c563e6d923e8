"""Finds out what became last of the records that a run rejected, held, or left unknown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.recording import (
    Folder,
    ReceiptLine,
    RejectLine,
    read_log,
    receipts_name,
    rejects_name,
)
from airflow_provider_userdata.delivery.report import Fate


class LastFate(msgspec.Struct, frozen=True, gc=False):
    """What became of a record, and which attempt wrote it."""

    fate: Fate
    rule: str
    attempt: str


def last_fates(folder: Folder, attempts: Iterable[str]) -> dict[int, LastFate]:
    """Return the last line of each position that was not delivered since. Blocks.

    :param attempts: in their order.
    """
    found: dict[int, LastFate] = {}
    for attempt in attempts:
        for reject in _lines(folder, rejects_name(attempt), RejectLine):
            found[reject.position] = LastFate(reject.fate, reject.rule, attempt)
        for receipt in _lines(folder, receipts_name(attempt), ReceiptLine):
            for start, length in receipt.ranges:
                for position in range(start, start + length) if length < len(found) else _within(found, start, length):
                    found.pop(position, None)
    return found


def _within(found: Mapping[int, object], start: int, length: int) -> list[int]:
    return [position for position in found if start <= position < start + length]


def _lines(folder: Folder, name: str, kind: type[Any]) -> Iterator[Any]:
    with contextlib.suppress(FileNotFoundError):
        for line in read_log(folder, name, 0):
            with contextlib.suppress(msgspec.DecodeError):
                yield msgspec.json.decode(line, type=kind)
