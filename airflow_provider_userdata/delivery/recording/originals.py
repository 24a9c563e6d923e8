"""Keeps what a digest read of the rows that were not delivered, so that a run can go on once they are corrected."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Iterable
from itertools import islice

import msgspec

from airflow_provider_userdata.delivery.reading import OriginalRow, original_row
from airflow_provider_userdata.delivery.recording.append_log import AppendLog, Folder, read_log
from airflow_provider_userdata.delivery.recording.attempt_lines import Count


class _Line(msgspec.Struct, gc=False):
    position: Count
    row: OriginalRow


_LINES = 1000
"""How many lines are written at once."""
_CONTENT = re.compile(rb'"(?:line|cells)":"([A-Za-z0-9+/]*)')
_encode_lines = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.Decoder(_Line).decode


def originals_name(attempt: str) -> str:
    """Return the name of the file of what an attempt read of the rows that it didn't deliver."""
    return f"originals-{attempt}"


def write_originals(originals: AppendLog, rows: Iterable[tuple[int, object]]) -> None:
    """Append a line for each row, which comes with its position."""
    made = (_Line(position, original_row(row)) for position, row in rows)
    while lines := list(islice(made, _LINES)):
        originals.append(_encode_lines(lines).removesuffix(b"\n"))


def read_originals(folder: Folder, attempts: Iterable[str]) -> dict[int, OriginalRow]:
    """Return what was read last, by position. A torn line counts as none. Blocks.

    :param attempts: in their order.
    """
    found: dict[int, OriginalRow] = {}
    for attempt in attempts:
        with contextlib.suppress(FileNotFoundError):
            for text in read_log(folder, originals_name(attempt), 0):
                with contextlib.suppress(msgspec.DecodeError):
                    line = _decode(text)
                    found[line.position] = line.row
    return found


def original_in(text: bytes) -> tuple[int, OriginalRow] | None:
    """Return the position and the row in a line; None if it can't be read."""
    with contextlib.suppress(msgspec.DecodeError):
        line = _decode(text)
        return line.position, line.row
    return None


def beginning_of_original(text: bytes) -> str:
    """Return what can be read of the row in a line that was cut short."""
    pieces = [found[: len(found) // 4 * 4] for found in _CONTENT.findall(text)]
    return " ".join([base64.b64decode(piece).decode(errors="replace") for piece in pieces])
